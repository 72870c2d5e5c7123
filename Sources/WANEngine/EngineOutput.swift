package import NetworkTypes
package import WANModel

/// What the shell must do, in this order.
package enum EngineOutput: Hashable, Sendable {
    case probe(ProbeIdentity)
    /// Put traffic where the decision and `Engine.choices` say: routes and the classes' choices, additions before removals.
    case route(Decision)
    /// Delete conntrack entries of this uplink, so that their flows find the new way. `sweep` 1 at the switch, 2 a second
    /// later for what slipped through.
    case moveFlows(UplinkNumber, Movement, sweep: Int)
    case sampleCounters(UplinkNumber)
    case setSpeedClass(UplinkNumber, String)
    case event(EngineEvent)
    /// What must outlive the daemon has changed: write the state.
    case remember

    /// For the kernel or a line; the rest is for files, the log and the courier, and may wait.
    package var movesPackets: Bool {
        switch self {
        case .probe, .route, .moveFlows, .sampleCounters: true
        case .setSpeedClass, .event, .remember: false
        }
    }
}

/// Which flows of an uplink are to move.
package enum Movement: Hashable, Sendable {
    /// Those that need no connection to be kept: all but established TCP.
    case connectionless
    case all
    /// All that went out by it, of an uplink that works; what came in by it (a forwarded port, somebody's shell on the router)
    /// can go nowhere else and stays.
    case outgoing
    /// Those of these classes of traffic, by their index in `EngineSetup.classes`; the uplink goes on carrying others.
    case classes(Set<Int>)
}

/// Where the traffic that follows `failover` goes from now on.
package struct Decision: Hashable, Sendable {
    /// Best first, beginning with those of `share`. Empty where there is no way out at all.
    package var ladder: [UplinkNumber]
    /// The uplinks that carry the traffic, in shares where there are several.
    package var share: [UplinkNumber]
    /// The one for what cannot be shared, such as the router's own traffic.
    package var selected: UplinkNumber? { share.first }
    /// `share` of before.
    package var previous: [UplinkNumber]
    package var cause: String
    package var manual: Bool
    /// When the fault that led here began, as far as it is known: the first lost probe's sending, or the kernel's event.
    package var faultSince: Moment?
    /// Old flows stay on what was left of `previous` for a while.
    package var drains: Bool
}

/// Something worth a line in the journal.
package enum EngineEvent: Hashable, Sendable {
    case state(UplinkNumber, from: UplinkState, to: UplinkState, reason: String)
    case selected(Decision)
    /// A class of traffic beside `failover` goes elsewhere, by its index in `EngineSetup.classes`.
    case steered(Int, from: [UplinkNumber], to: [UplinkNumber])
    case drained(UplinkNumber, reason: String)
    /// It answered again before its connections were moved: they go on.
    case spared(UplinkNumber)
    case targetFault(IPAddress, reason: String)
    case pinEnded(UplinkNumber, reason: String)
    case keepaliveSent(UplinkNumber)
    case keepaliveLost(UplinkNumber, inARow: Int)
    case speedClass(UplinkNumber, wanted: String, confirmed: String?, note: String)
}
