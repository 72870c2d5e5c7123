package import WANModel

/// What an event is about, in one word. wanctl(1) lists them.
package enum EventKind: String, CaseIterable, Sendable {
    // A line's state: all but `suspect`, which only the log tells.
    case absent, proving, up, degraded, down, disabled
    // Traffic.
    case `switch`, rule, drained, spared
    // The operator's choice.
    case auto, `operator`
    // The daemon.
    case started, reload, table, repair, sysctl
    // The rest of the world.
    case target, keepalive, speed, role

    /// `nil` for a doubt.
    package init?(_ state: UplinkState) { self.init(rawValue: state.rawValue) }
}
