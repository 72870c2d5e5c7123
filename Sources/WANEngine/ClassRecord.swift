internal import WANModel

/// What is known of the last change of the first class's uplinks, beside where it led (`Decision`).
struct Switch: Hashable, Sendable {
    var previous: [UplinkNumber] = []
    var cause: String
    var manual = false
    var faultSince: Moment?
    var drains = false
}

/// A class of traffic and where it goes now.
struct ClassRecord: Hashable, Sendable {
    let settings: EngineSetup.Class
    var choice = ClassChoice.nowhere

    /// The choice with these uplinks active; `nil` where they are in no step of the order together.
    func choice(of active: [UplinkNumber]) -> ClassChoice? {
        guard !active.isEmpty,
            let step = settings.steps.first(where: { step in
                active.allSatisfy { number in step.contains { $0.uplink == number } }
            })
        else { return nil }
        return ClassChoice(step: step, active: active)
    }
}
