/// Tells what was asked of SORACOM, by its own record, each call once.
final class SoracomTeller {
    private let soracom: SoracomInLab
    private let teller: StoryTeller
    private var told = 0

    init(_ soracom: SoracomInLab, _ teller: StoryTeller) {
        self.soracom = soracom
        self.teller = teller
    }

    /// The calls since the last time.
    func tell() throws(LabError) {
        let calls = soracom.service.calls
        for call in calls.dropFirst(told) {
            let door = call.path.hasPrefix("/v1/subscriber") ? "metadata service" : "API"
            let place = "\(door), asked from \(call.source)"
            let words =
                switch (call.operation, call.status, call.speedClass) {
                case (.auth, 200, _): "SORACOM lets us sign in, long before that is needed (\(place))"
                case (_, 200, let granted?): "SORACOM grants \(granted) (\(place))"
                default:
                    "SORACOM: \(call.method) \(call.path), \(call.status.map { "answer \($0)" } ?? "no answer") (\(place))"
                }
            try teller.say(words, at: call.moment)
        }
        told = calls.count
    }

    /// Waits until SORACOM's books have the SIM in this class.
    func awaitClass(_ name: String, until deadline: Int64) throws(LabError) {
        let soracom = soracom
        guard soracom.service.wait(until: deadline, { _ in soracom.speedClass == name }) else {
            throw LabError("see SORACOM set the class to \(name)", "it is still \(soracom.speedClass ?? "unknown")")
        }
    }
}
