internal import WANModel

/// Keeps a metered session from being closed for idleness, with as few packets as that takes.
///
/// It looks at the interface's own transmit counter: while that moves nothing is sent. A movement seen between two looks may
/// have been right after the first one, so it counts from there.
struct KeepaliveRecord: Hashable, Sendable {
    let settings: Keepalive
    /// The latest moment at which something is known to have been sent.
    private(set) var lastTraffic: Moment
    private(set) var lastSent: Moment?
    var lostInARow = 0
    private var lastCount: UInt64?
    private var lastLook: Moment
    /// When the count was taken.
    private var lastCountAt: Moment?
    private var isDue = false

    init(_ settings: Keepalive, at now: Moment) {
        self.settings = settings
        lastTraffic = now
        lastLook = now
    }

    private var lookInterval: Duration { min(max(settings.idle / 10, .seconds(1)), .seconds(60)) }

    /// When to look at the counters next.
    var nextLook: Moment {
        let regular = lastLook + lookInterval
        return dueAt > lastLook ? min(regular, dueAt) : regular
    }
    var dueAt: Moment { lastTraffic + settings.idle }

    /// A look was asked for; whether its answer may lead to a packet.
    mutating func looking(at now: Moment) {
        isDue = now >= dueAt
        lastLook = now
    }

    /// The counters as of now. True: send a keepalive.
    mutating func looked(_ counters: InterfaceCounters, at now: Moment) -> Bool {
        defer {
            lastCount = counters.txBytes
            lastCountAt = now
        }
        if let lastCount, lastCount != counters.txBytes {
            lastTraffic = max(lastTraffic, lastCountAt ?? now)
            isDue = false
        }
        guard isDue, now >= dueAt else { return false }
        isDue = false
        return true
    }

    /// A keepalive leaves now; its own bytes must not be taken for traffic later than this.
    mutating func sent(at now: Moment) {
        lastSent = now
        lastTraffic = now
        lastCount = nil
    }
}
