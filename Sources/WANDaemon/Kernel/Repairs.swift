package import WANModel

/// What others have changed of ours, and when it is put back: each part at its own pace, so that a table, without which nothing
/// of the LAN gets out, does not wait for a route that somebody deletes again and again.
package struct Repairs: Hashable, Sendable {
    package enum Part: CaseIterable, Sendable {
        case table
        /// Routes and rules.
        case plane
    }

    private struct Need: Hashable {
        var due: Moment
        var reasons: Set<String> = []
    }

    private var needs: [Part: Need] = [:]
    private var paces: [Part: RepairPace] = [:]

    package init() {}

    /// When something is to be put back; `nil` while all is as it should be.
    package var next: Moment? { needs.values.map(\.due).min() }

    /// Something is not as it should be: when it is put back. `limit`: how long it may stay so at most.
    @discardableResult
    package mutating func need(
        _ part: Part, because reasons: [String], at now: Moment, within limit: Duration = .nanoseconds(Int64.max)
    ) -> Moment {
        let due = min(paces[part, default: RepairPace()].next(at: now), now + limit)
        var need = needs[part] ?? Need(due: due)
        need.due = min(need.due, due)
        need.reasons.formUnion(reasons)
        needs[part] = need
        return need.due
    }

    /// What is to be put back now, and counts as put back, with the reasons that were given.
    package mutating func take(at now: Moment) -> [(part: Part, reasons: [String])] {
        Part.allCases.compactMap { part in
            guard let need = needs[part], need.due <= now else { return nil }
            needs[part] = nil
            paces[part, default: RepairPace()].repaired(at: now)
            return (part, need.reasons.sorted())
        }
    }
}
