import LinuxIO
import TestSupport
import Testing
import WANControl
import WANLab
import WANModel

@Suite("flows move, or are left in peace", .enabled(if: Needs.root, Needs.advice))
struct FlowTests {
    @Test("failback loses no packet and breaks no connection")
    func failback() throws {
        let world = try World.running()
        try world.lab.setFault(.ftth, .blackhole())
        try world.waitSelected(.jcom)
        let established = try ClientProber.start(in: world.lab)
        let fresh = try ClientProber.start(in: world.lab, flow: .fresh())
        let connection = try ClientConnection.start(in: world.lab)
        try world.waitTraffic(of: fresh, on: .jcom)
        try world.lab.clearFaults(.ftth)
        try world.waitTraffic(of: fresh, on: .ftth)
        #expect(try world.uplink(.jcom).traffic == .draining)
        let echoed = try connection.snapshot().echoed
        try world.wait("the old connection goes on") { try connection.snapshot().echoed > echoed + 50 }
        #expect(try connection.stop().brokenBy == nil)
        let old = try established.stop()
        #expect(old.lost == 0 && old.byUplink.keys.map(\.rawValue) == ["jcom"], "an old flow stays where it is")
        let new = try fresh.stop()
        let switches = try world.switches().map { "\($0.from) to \($0.to): \($0.cause)" }
        #expect(new.lost == 0 && new.timeline.map(\.uplink) == [.jcom, .ftth], "\(new.timeline) \(switches)")
        #expect(new.wrongSourceCount == 0)
    }

    @Test("when the drain ends, what is left moves, for the price of what was under way")
    func drainEnds() throws {
        let world = try World.running(Policies.threeLines(drain: "{default: 1s, metered: 1s}"))
        try world.lab.setFault(.ftth, .blackhole())
        try world.waitSelected(.jcom)
        let client = try ClientProber.start(in: world.lab)
        try world.waitTraffic(of: client, on: .jcom)
        try world.lab.clearFaults(.ftth)
        try world.waitTraffic(of: client, on: .ftth)
        try world.wait("the drain is over") { try world.uplink(.jcom).traffic == .standby }
        #expect(try world.history().contains { $0.kind == "drained" && $0.uplink == "jcom" })
        let report = try client.stop()
        // Answers that were on their way over jcom find their flow gone: at most one round trip of it.
        #expect(report.longestOutageMilliseconds < 60, "\(report.outages)")
        #expect(report.wrongSourceCount == 0)
    }

    @Test("a failover moves the flows of the dead line, all of them, and touches no other")
    func onlyTheDeadLine() throws {
        let world = try World.running()
        #expect(try world.wanctl("failover", "jcom").succeeded)
        let onJcom = try ClientConnection.start(in: world.lab)
        let onJcomToo = try ClientProber.start(in: world.lab)
        try world.waitTraffic(of: onJcomToo, on: .jcom)
        #expect(try world.wanctl("auto").succeeded)
        try world.waitSelected(.ftth)
        let client = try ClientProber.start(in: world.lab)
        try world.waitTraffic(of: client, on: .ftth)
        let toRouter = try world.lab.spawn(
            in: .lan, ["ping", "-q", "-i", "0.005", "-c", "400", "-W", "1", "\(LabAddress.router)"])
        #expect(try !world.flows(from: LabUplink.ftth.address).isEmpty)
        let others = try world.flows(from: LabUplink.jcom.address).count

        try world.lab.setFault(.ftth, .blackhole())
        try world.waitTraffic(of: client, on: .jcom)
        try world.wait("no flow is left on the dead line", seconds: 3) {
            try world.flows(from: LabUplink.ftth.address).isEmpty
        }
        #expect(try world.flows(from: LabUplink.jcom.address).count >= others)
        #expect(try #require(try world.status().lastSwitch?.conntrackDeleted) >= 1)
        #expect(toRouter.wait(atMost: .seconds(10)) == .exited(0))
        let ping = try toRouter.output()
        #expect(ping.contains(" 0% packet loss"), "\(ping)")
        let connection = try onJcom.stop()
        #expect(connection.brokenBy == nil && connection.longestStall < 300)
        #expect(try onJcomToo.stop().lost == 0)
        #expect(try client.stop().longestOutageMilliseconds < 600)
    }

    @Test("the proof of a switch is recorded with the times of its steps")
    func record() throws {
        let world = try World.running()
        let client = try ClientProber.start(in: world.lab)
        try world.waitTraffic(of: client, on: .ftth)
        try world.lab.setFault(.ftth, .blackhole())
        try world.waitTraffic(of: client, on: .jcom)
        try world.wait("the switch is proven") { try world.status().lastSwitch?.proven == true }
        let change = try #require(try world.status().lastSwitch)
        #expect((200...600).contains(try #require(change.detectedMilliseconds)))
        #expect(try #require(change.appliedMilliseconds) < 50)
        #expect(change.steps.map(\.name) == ["routes and NAT", "conntrack", "proof"])
        let told = try #require(try world.switches().last)
        #expect(told.cause == change.cause && told.proven == true)
        _ = try client.stop()
    }
}
