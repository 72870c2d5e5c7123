package import NetworkTypes
package import WANModel

/// What the shell must do, in this order.
package enum EngineOutput: Hashable, Sendable {
    case probe(ProbeIdentity)
    /// Put traffic where the decision says; routes only, additions before removals.
    case route(Decision)
    /// Delete the conntrack entries of this uplink, so that its flows find the new way. `sweep` 1 at the switch, 2 a second
    /// later for what slipped through.
    case moveFlows(UplinkNumber, sweep: Int)
    case sampleCounters(UplinkNumber)
    case setSpeedClass(UplinkNumber, String)
    case event(EngineEvent)
    /// What must outlive the daemon has changed: write the state.
    case remember
}

/// Where traffic goes from now on.
package struct Decision: Hashable, Sendable {
    /// Best first; the first is the selected one. Empty where there is no way out at all.
    package var ladder: [UplinkNumber]
    package var selected: UplinkNumber? { ladder.first }
    package var previous: UplinkNumber?
    package var cause: String
    package var manual: Bool
    /// When the fault that led here began, as far as it is known: the first lost probe's sending, or the kernel's event.
    package var faultSince: Moment?
    /// Old flows stay on `previous` for a while.
    package var drains: Bool

    package init(
        ladder: [UplinkNumber], previous: UplinkNumber?, cause: String, manual: Bool = false, faultSince: Moment? = nil,
        drains: Bool = false
    ) {
        self.ladder = ladder
        self.previous = previous
        self.cause = cause
        self.manual = manual
        self.faultSince = faultSince
        self.drains = drains
    }
}

/// Something worth a line in the journal.
package enum EngineEvent: Hashable, Sendable {
    case state(UplinkNumber, from: UplinkState, to: UplinkState, reason: String)
    case selected(Decision)
    case drained(UplinkNumber)
    case targetFault(IPAddress, reason: String)
    case pinEnded(UplinkNumber, reason: String)
    case keepaliveSent(UplinkNumber)
    case keepaliveLost(UplinkNumber, inARow: Int)
    case speedClass(UplinkNumber, wanted: String, confirmed: String?, note: String)
}
