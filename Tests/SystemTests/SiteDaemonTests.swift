import LinuxIO
import Testing
import WANControl
import WANLab
import WANModel

extension DaemonInLab {
    /// Two boxes with the real daemon and the real keepalived: the whole way from a silent line to the client and back.
    @Test("a silent line on one box hands the address to the other, and back when it is good again")
    func siteHandsOver() throws {
        let lab = try SiteLab.build()
        var keepalived: [SiteKeepalived] = []
        var boxes: [SiteNode: RouterUnderTest] = [:]
        for node in lab.nodes {
            let policy = SitePolicy.text(for: node, in: lab, hold: "2s")
            boxes[node] = try RouterUnderTest.start(on: node, in: lab, policy: policy)
            keepalived.append(try SiteKeepalived.start(on: node, in: lab, policy: policy))
        }
        try lab.waitForOwners([.main])
        let (main, sub) = (try #require(boxes[.main]), try #require(boxes[.sub]))
        try main.waitUntil("main master") { $0.role == .master }
        try sub.waitUntil("sub backup") { $0.role == .backup }

        let prober = try ClientProber.start(at: lab.clientSite, flow: .fresh())
        #expect(try prober.waitForAnswers(atMost: .seconds(10)))
        try lab.setFault(.main, .blackhole())
        try lab.waitForOwners([.sub])
        try sub.waitUntil("sub master") { $0.role == .master }
        #expect(try prober.waitForAnswers(atMost: .seconds(10)))
        let away = try prober.snapshot(undecided: .milliseconds(100))
        try lab.clearFaults(.main)
        try lab.waitForOwners([.main], atMost: .seconds(30))
        try main.waitUntil("main master again") { $0.role == .master }
        #expect(try prober.waitForAnswers(atMost: .seconds(10)))
        let report = try prober.stop()
        #expect(report.timeline.map(\.uplink) == [.ftth, .soracom, .ftth], "\(report.outages)")
        #expect(away.longestOutageMilliseconds < 2500, "\(away.outages)")
        #expect(keepalived.allSatisfy { $0.isRunning })
    }
}
