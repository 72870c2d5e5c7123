/// What goes wrong with the first box of a site.
enum SiteFault: Sendable {
    /// Its line swallows every packet, the link stays up.
    case silent
    /// Its `ppp0` vanishes.
    case gone
    /// The box loses its power.
    case killed
}

/// What the client of a site noticed of one fault, whoever hands the address over.
struct SitePassage: Sendable {
    /// In milliseconds, by new flows and by an established one.
    var fresh: Double
    var established: Double
    /// Datagrams lost from when the line was good again until the traffic had been back for a while; `nil` where it was not healed.
    var lostOnReturn: ClientPair.Loss?

    /// Lets `main` fail after this much calm, watches how traffic gets to `sub`, and back where the line can heal.
    ///
    /// - Parameter patience: How long each of the two ways may take.
    static func watch(
        _ fault: SiteFault, in lab: SiteLab, on stage: LabStage, after calm: Duration, patience: Duration
    ) throws(LabError) -> SitePassage {
        let clients = try ClientPair.start(at: lab.clientSite)
        try arrive(clients, .ftth, stage, patience)
        try stage.linger(.milliseconds(500) + calm)
        guard try clients.lost() == .none else {
            throw LabError("measure a fault", "datagrams were lost before it")
        }
        switch fault {
        case .silent: try lab.setFault(.main, .blackhole())
        case .gone: try lab.setFault(.main, .gone)
        case .killed: try lab.powerOff(.main)
        }
        try arrive(clients, .soracom, stage, patience)
        // Until what was sent last before the hand-over is known as lost.
        try stage.linger(.milliseconds(1500))
        let there = try (fresh: clients.fresh.snapshot(), established: clients.established.snapshot())
        if fault != .killed {
            try lab.clearFaults(.main)
            try arrive(clients, .ftth, stage, patience)
            try stage.linger(.seconds(2))
        }
        let before = ClientPair.Loss(fresh: there.fresh.lost, established: there.established.lost)
        let lost = try clients.loss() - before
        return SitePassage(
            fresh: there.fresh.longestOutageMilliseconds, established: there.established.longestOutageMilliseconds,
            lostOnReturn: fault == .killed ? nil : lost)
    }

    private static func arrive(
        _ clients: ClientPair, _ uplink: LabUplink, _ stage: LabStage, _ limit: Duration
    ) throws(LabError) {
        guard try stage.awaitTraffic(of: clients, by: uplink, atMost: limit) else {
            throw LabError("measure a fault", "the client's traffic did not get to \(uplink.rawValue) within \(limit)")
        }
    }
}
