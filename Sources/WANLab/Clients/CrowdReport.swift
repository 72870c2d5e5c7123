package import NetworkTypes

/// A flow that the server saw by one uplink and later by another; `nil` is a source of no uplink.
package struct CrowdMove: Hashable, Sendable {
    package var from: LabUplink?
    package var to: LabUplink?

    package init(from: LabUplink?, to: LabUplink?) {
        self.from = from
        self.to = to
    }
}

/// What one round of a crowd's packets showed: one packet on every flow.
package struct CrowdReport: Hashable, Sendable {
    package var flows = 0
    /// Flows whose packet was answered in this round.
    package var answered = 0
    /// Those by the uplink the server saw.
    package var byUplink: [LabUplink: Int] = [:]
    /// The same by the LAN host that sent them: what is sticky keeps each host to one.
    package var bySource: [IPv4Address: [LabUplink: Int]] = [:]
    /// Those whose source belongs to no uplink.
    package var unknownSources = 0
    /// Those that were seen elsewhere when they were answered the last time, by where from and where to.
    package var moved: [CrowdMove: Int] = [:]
    /// TCP flows that are over, by what; they count in every round from then on.
    package var broken: [Breakage: Int] = [:]

    package var brokenCount: Int { broken.values.reduce(0, +) }
    package var movedCount: Int { moved.values.reduce(0, +) }
    /// Neither answered nor broken.
    package var silent: Int { flows - answered - brokenCount }

    /// The share of the answered flows that an uplink carries, 0…1.
    package func share(of uplink: LabUplink) -> Double {
        answered == 0 ? 0 : Double(byUplink[uplink] ?? 0) / Double(answered)
    }
}
