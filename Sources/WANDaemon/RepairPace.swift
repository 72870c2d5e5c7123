package import WANModel

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
