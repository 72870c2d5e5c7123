internal import LinuxIO
internal import WANControl
internal import WANModel

/// The chapters.
extension SiteDemo {
    /// A hand-over takes half a second; four times that is a miss on any machine.
    private static let worstOutage = 2000.0

    func allIsWell() throws {
        try teller.chapter("All is well")
        try awaitTraffic(by: .main)
        try record.tell()
        try teller.say("main has \(LabAddress.virtual), the LAN's traffic takes its fibre; sub stands by")
        try showStatus()
        try stage.linger(.seconds(2))
        let missed = (try browsing.snapshot().lost, try call.snapshot().lost)
        try teller.say("so far the browsing has missed \(missed.0) datagrams and the call \(missed.1)")
        verdicts.note("all is well on main's fibre", "lost \(missed.0) and \(missed.1)", missed == (0, 0))
    }

    func fibreFails() throws {
        try teller.chapter("The fibre goes silent: main lives and its link stays up, but no packet passes any more")
        let moment = try site.lab.setFault(.main, .blackhole())
        try teller.say("main's fibre is silent from now on", at: moment)
        let status = try site.daemon(.sub).waitUntil("sub with the address, and its line proven") { status in
            status.role == .master && status.lastSwitch?.proven != nil
        }
        try awaitTraffic(by: .sub)
        let browsing = try stage.recovery(of: self.browsing, since: moment)
        let call = try stage.recovery(of: self.call, since: moment)
        try teller.say(
            "the address is on sub and the traffic on its SIM, after \(Figure.milliseconds(browsing.milliseconds)) ms",
            at: browsing.end)
        try teller.add("why      main says: \(try site.daemon(.main).status()[.ftth]?.reason ?? "nothing")")
        try teller.add("main     \(try site.lastWord(onRoleOf: .main))")
        try teller.add("sub      \(try site.lastWord(onRoleOf: .sub))")
        try teller.add(
            "missed   browsing \(Figure.milliseconds(browsing.milliseconds)) ms, the call"
                + " \(Figure.milliseconds(call.milliseconds)) ms")
        verdicts.note(
            "the fibre went silent, sub took over",
            "\(Figure.milliseconds(browsing.milliseconds)) ms browsing, \(Figure.milliseconds(call.milliseconds)) ms call",
            max(browsing.milliseconds, call.milliseconds) <= Self.worstOutage && status.lastSwitch?.proven == true)
    }

    func simIsRaised() throws {
        try awaitClass("s1.fast")
        try record.tell()
        try showStatus()
        verdicts.note("sub raised its SIM to s1.fast", "by SORACOM's own record", true)
        try stage.linger(.seconds(3))
    }

    func fibreComesBack() throws {
        try teller.chapter("The fibre comes back")
        let before = try (browsing.snapshot().lost, call.snapshot().lost)
        try site.lab.clearFaults(.main)
        try teller.say("main's fibre carries packets again")
        let main = try site.daemon(.main)
        let good = try main.waitUntil("ftth good again") { $0[.ftth]?.state == .up }
        let hold = good[.ftth]?.holdSpan.map { ", and must stay good for \(Figure.fixed($0.seconds, 1)) s" } ?? ""
        try teller.say("ftth is up: \(good[.ftth]?.reason ?? "")\(hold)")
        try main.waitUntil("main with the address again", atMost: .seconds(30)) { $0.role == .master }
        try awaitTraffic(by: .main)
        try teller.say("the address is back on main, and the traffic on its fibre")
        try teller.add("main     \(try site.lastWord(onRoleOf: .main))")
        // Long enough for anything that was lost to be known as lost.
        try stage.linger(.seconds(2))
        let end = try call.stop()
        let lost = (try browsing.snapshot().lost - before.0, end.lost - before.1)
        try teller.add("missed   browsing \(lost.0) datagrams, the call \(lost.1)")
        for gap in try browsing.snapshot().outages.dropFirst() + end.outages.dropFirst() {
            try teller.say("a gap of \(Figure.milliseconds(gap.milliseconds)) ms began", at: gap.start)
        }
        verdicts.note("back on main's fibre", "lost \(lost.0) and \(lost.1)", lost == (0, 0))
    }

    func simIsLowered() throws {
        try teller.chapter("The SIM may rest")
        try awaitClass("s1.minimum")
        try site.daemon(.sub).waitUntil("sub's own word for it") {
            $0.role == .backup && $0[.soracom]?.speedClass?.confirmed == "s1.minimum"
        }
        try record.tell()
        try showStatus()
        let granted = site.soracom.classChanges.compactMap(\.speedClass)
        try teller.say("SORACOM's own record of classes: \(granted.joined(separator: ", "))")
        verdicts.note(
            "sub lowered its SIM to s1.minimum", granted.joined(separator: ", "),
            granted == ["s1.minimum", "s1.fast", "s1.minimum"])
        let last = try browsing.stop()
        verdicts.note(
            "browsing, from beginning to end",
            "\(last.outages.count) \(last.outages.count == 1 ? "gap" : "gaps") in \(last.sent) datagrams",
            last.outages.count <= 1 && last.timeline.compactMap(\.uplink) == [.ftth, .soracom, .ftth])
    }

    // MARK: words

    /// `wanctl status`, as somebody would type it on each box.
    private func showStatus() throws {
        for node in site.lab.nodes {
            try teller.say("\(node.rawValue) # wanctl status")
            for line in try site.statusText(node).split(separator: "\n") { try teller.add("  \(line)") }
        }
    }

    private func awaitClass(_ name: String) throws(LabError) {
        try record.awaitClass(name, until: Clock.boottime() + 15_000_000_000)
    }

    /// Waits until what the client sends comes out of this box's line.
    private func awaitTraffic(by node: SiteNode) throws(LabError) {
        guard try stage.awaitTraffic(of: [browsing, call], by: node.uplink, atMost: .seconds(10)) else {
            throw LabError("see the client's traffic leave by \(node.rawValue)", "it does not")
        }
    }
}

extension LabStage {
    /// Waits until what these clients send is answered and comes out of that line; whether it does by then.
    func awaitTraffic(
        of clients: [ClientProber], by uplink: LabUplink, atMost limit: Duration
    ) throws(LabError) -> Bool {
        try wait(atMost: limit) { () throws(LabError) in
            for client in clients {
                guard try client.isAnswered(within: .milliseconds(100)),
                    try client.snapshot().timeline.last?.uplink == uplink
                else { return false }
            }
            return true
        }
    }
}
