package import WANModel

/// How often something of ours that others remove is put back: at once, then slower and slower while they go on, so that
/// two programs cannot fight at full speed; quick again after a quiet while.
package struct RepairPace: Hashable, Sendable {
    private var last: Moment?
    private var pause: Duration = .zero
    private static let first: Duration = .seconds(1)
    private static let longest: Duration = .seconds(60)
    private static let forgiveness: Duration = .seconds(300)

    package init() {}

    /// When a repair that is needed now may be made.
    package func next(at now: Moment) -> Moment { last.map { max($0 + pause, now) } ?? now }

    package mutating func repaired(at now: Moment) {
        if let last, now - last < Self.forgiveness {
            pause = min(max(pause * 2, Self.first), Self.longest)
        } else {
            pause = Self.first
        }
        last = now
    }
}
