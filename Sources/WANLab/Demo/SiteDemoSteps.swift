internal import WANControl
internal import WANModel

/// The chapters.
extension SiteDemo {
    func allIsWell() throws {
        try teller.chapter("All is well")
        try awaitTraffic(by: .main)
        try tellSoracom()
        try teller.say("main has \(LabAddress.virtual), the LAN's traffic takes its fibre; sub stands by")
        try showStatus()
        try tellWhatIsMissedAtFirst("all is well on main's fibre")
    }

    func fibreFails() throws {
        try teller.chapter("The fibre goes silent: main lives and its link stays up, but no packet passes any more")
        let moment = try site.lab.setFault(.main, .blackhole())
        try teller.say("main's fibre is silent from now on", at: moment)
        let status = try site.daemon(.sub).waitUntil("sub with the address, and its line proven") { status in
            status.role == .master && status.lastSwitch?.proven != nil
        }
        try awaitTraffic(by: .sub)
        let missed = try recovery(since: moment)
        try teller.say(
            "the address is on sub and the traffic on its SIM, after \(missed.browsing.figure) ms",
            at: missed.browsing.end)
        try teller.add("why      main says: \(try site.daemon(.main).status()[.ftth]?.reason ?? "nothing")")
        try teller.add("main     \(try site.lastWord(onRoleOf: .main))")
        try teller.add("sub      \(try site.lastWord(onRoleOf: .sub))")
        try tell(missed, "the fibre went silent, sub took over", isProven: status.lastSwitch?.proven == true)
    }

    func simIsRaised() throws {
        try awaitClass("s1.fast")
        try tellSoracom()
        try showStatus()
        note("sub raised its SIM to s1.fast", "by SORACOM's own record", true)
        try stage.linger(.seconds(3))
    }

    func fibreComesBack() throws {
        try teller.chapter("The fibre comes back")
        let before = try clients.lost()
        try site.lab.clearFaults(.main)
        try teller.say("main's fibre carries packets again")
        let main = try site.daemon(.main)
        let good = try main.waitUntil("ftth good again") { $0[.ftth]?.state == .up }
        try tellFibreIsUp(good)
        try main.waitUntil("main with the address again", atMost: .seconds(30)) { $0.role == .master }
        try awaitTraffic(by: .main)
        try teller.say("the address is back on main, and the traffic on its fibre")
        try teller.add("main     \(try site.lastWord(onRoleOf: .main))")
        // Long enough for anything that was lost to be known as lost.
        try stage.linger(.seconds(2))
        let end = try call.stop()
        let lost = ClientPair.Loss(fresh: try browsing.snapshot().lost, established: end.lost) - before
        try teller.add("missed   browsing \(lost.fresh) datagrams, the call \(lost.established)")
        try tellGaps(but: 1, of: end)
        note("back on main's fibre", "\(lost)", lost == .none)
    }

    func simIsLowered() throws {
        try teller.chapter("The SIM may rest")
        try awaitClass("s1.minimum")
        try site.daemon(.sub).waitUntil("sub's own word for it") {
            $0.role == .backup && $0[.soracom]?.speedClass?.confirmed == "s1.minimum"
        }
        try tellSoracom()
        try showStatus()
        let granted = soracom.classChanges.compactMap(\.speedClass)
        try teller.say("SORACOM's own record of classes: \(granted.joined(separator: ", "))")
        note(
            "sub lowered its SIM to s1.minimum", granted.joined(separator: ", "),
            granted == ["s1.minimum", "s1.fast", "s1.minimum"])
        try endBrowsing(gaps: 1) { $0.timeline.compactMap(\.uplink) == [.ftth, .soracom, .ftth] }
    }

    // MARK: words

    /// `wanctl status`, as somebody would type it on each box.
    private func showStatus() throws {
        for node in site.lab.nodes {
            try teller.say("\(node.rawValue) # wanctl status")
            for line in try site.statusText(node).split(separator: "\n") { try teller.add("  \(line)") }
        }
    }

    /// Waits until what the client sends comes out of this box's line.
    private func awaitTraffic(by node: SiteNode) throws(LabError) {
        guard try stage.awaitTraffic(of: clients, by: node.uplink, atMost: .seconds(10)) else {
            throw LabError("see the client's traffic leave by \(node.rawValue)", "it does not")
        }
    }
}

extension LabStage {
    /// Waits until what these clients send is answered and comes out of that line; whether it does by then.
    func awaitTraffic(
        of clients: ClientPair, by uplink: LabUplink, atMost limit: Duration
    ) throws(LabError) -> Bool {
        try wait(atMost: limit) { () throws(LabError) in
            for client in [clients.fresh, clients.established] {
                guard try client.isAnswered(within: .milliseconds(100)),
                    try client.snapshot().timeline.last?.uplink == uplink
                else { return false }
            }
            return true
        }
    }
}
