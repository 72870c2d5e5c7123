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

    private static let mostReasons = 8
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
        // Who changes ours again and again meanwhile has a new reason each time.
        for reason in reasons where need.reasons.count < Self.mostReasons { need.reasons.insert(reason) }
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

/// How often something of ours that others remove is put back: at once, then slower and slower while they go on, so that
/// two programs cannot fight at full speed; quick again after a quiet while.
package struct RepairPace: Hashable, Sendable {
    private var last: Moment?
    private var pause: Duration = .zero
    /// What removes many things one by one (`ip rule flush`) is not done when the first repair is: look again soon.
    private static let first: Duration = .milliseconds(100)
    private static let second: Duration = .seconds(1)
    private static let longest: Duration = .seconds(60)
    private static let forgiveness: Duration = .seconds(300)

    package init() {}

    /// When a repair that is needed now may be made.
    package func next(at now: Moment) -> Moment { last.map { max($0 + pause, now) } ?? now }

    package mutating func repaired(at now: Moment) {
        if let last, now - last < Self.forgiveness {
            pause = min(max(pause * 2, Self.second), Self.longest)
        } else {
            pause = Self.first
        }
        last = now
    }
}
