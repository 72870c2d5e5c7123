internal import LinuxIO
internal import WANControl
internal import WANModel

/// A lab, SORACOM and a daemon for measurements, with the means to begin anew.
final class BenchSite {
    let stage: LabStage
    let lab: Lab
    let soracom: SoracomInLab
    let router: RouterUnderTest

    init(on stage: LabStage, policy: String = BenchSite.policy, options: LabOptions = LabOptions()) throws {
        self.stage = stage
        lab = try stage.build(options)
        soracom = try SoracomInLab.start(in: lab)
        router = try RouterUnderTest.start(in: lab, policy: policy)
    }

    /// Policies/one-box.yaml as it stands there.
    static let policy = SamplePolicy.text(degraded: true, soracom: SoracomInLab.policyLines())

    /// Heals the lines and starts a daemon that remembers nothing in a router that knows nothing of it: each run finds what the first
    /// one found, without the growing hold of an uplink that flaps.
    func renew() throws {
        router.terminate()
        try lab.clearFaults()
        // With its socket: a site's daemon of this machine must not lose its address by that.
        try lab.mustRun(in: .router, [siblingProgram("wanctld"), "--cleanup", "--socket", router.socketPath])
        try router.restartRecorder(isForgetting: true)
        try router.restart()
        try settle()
    }

    /// Waits until every line is known to be good and its round trip has been measured a few times.
    func settle() throws {
        try router.waitUntil("every uplink up") { status in
            status.isOn(.ftth) && LabUplink.allCases.allSatisfy { status[$0]?.state == .up }
        }
        try stage.linger(.seconds(3))
    }

    /// What the client noticed of one failure, by new flows and by an established one.
    struct Passage {
        var fresh: ProbeReport
        var established: ProbeReport
        var change: SwitchReport
        /// Flows of the client or the router that still had the old source address three seconds later.
        var leftBehind: Int?
    }

    /// Lets ftth fail after this much calm and watches how traffic gets to jcom.
    func fail(_ fault: Fault, after calm: Duration, countingLeftBehind: Bool = false) throws -> Passage {
        let clients = try clients()
        try stage.linger(.milliseconds(300) + calm)
        let old = lab.address(of: .ftth)
        try lab.setFault(.ftth, fault)
        let change = try awaitSwitch(to: .jcom)
        try clients.awaitAnswers()
        var leftBehind: Int?
        if countingLeftBehind {
            try stage.linger(.seconds(3))
            leftBehind = try flows(from: "\(old)")
        }
        let (fresh, established) = try clients.stop()
        return Passage(fresh: fresh, established: established, change: change, leftBehind: leftBehind)
    }

    /// The switch that ended on an uplink, when it was proven or has failed to be.
    func awaitSwitch(to uplink: LabUplink, atMost limit: Duration = .seconds(20)) throws -> SwitchReport {
        let status = try router.waitUntil("traffic on \(uplink)", atMost: limit) { status in
            status.isOn(uplink) && status.lastSwitch?.to == [uplink.rawValue] && status.lastSwitch?.proven != nil
        }
        guard let change = status.lastSwitch else { throw LabError("read the switch", "there is none") }
        return change
    }

    /// New clients, when both are answered.
    func clients() throws(LabError) -> ClientPair {
        let clients = try ClientPair.start(in: lab)
        try clients.awaitAnswers()
        return clients
    }

    /// `wanctl` as the operator calls it.
    func command(_ words: String...) throws(LabError) {
        try Command.mustRun([siblingProgram("wanctl"), "--socket", router.socketPath] + words)
    }

    /// Entries of connection tracking that name an address; not ICMP, which our own probes over that very line use.
    func flows(from address: String) throws -> Int {
        // conntrack(8) is not everywhere; the same table is a file (net/netfilter/nf_conntrack_standalone.c).
        let table = try lab.mustRun(in: .router, ["cat", "/proc/net/nf_conntrack"])
        return table.split(separator: "\n").filter { line in
            !line.contains(" icmp ")
                && line.split(separator: " ").contains { $0 == "src=\(address)" || $0 == "dst=\(address)" }
        }.count
    }
}
