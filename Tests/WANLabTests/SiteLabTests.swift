import LinuxIO
import NetworkTypes
import TestSupport
import Testing
import WANLab
import WANModel

/// Real keepalived on two and three boxes, without the daemon: what it does with our configuration and a hand-written health.
@Suite(
    "a site of several boxes with keepalived", .serialized,
    .enabled(if: TestNamespace.isAvailable, Comment(rawValue: TestNamespace.advice)))
struct SiteLabTests {
    /// Best first; each box routes over its own line, and the FIFOs are there before keepalived, as the daemon makes them.
    private func site(
        _ nodes: [SiteNode] = [.main, .sub], vrrp: [String] = []
    ) throws -> (lab: SiteLab, keepalived: [SiteNode: SiteKeepalived]) {
        let lab = try SiteLab.build(nodes)
        var running: [SiteNode: SiteKeepalived] = [:]
        for node in nodes {
            try lab.routePlainly(node)
            try lab.setHealth(node, best(node, of: nodes))
            running[node] = try SiteKeepalived.start(
                on: node, in: lab, policy: SitePolicy.text(for: node, in: lab, vrrp: vrrp))
            // On a busy machine a later one may be quicker, and without preemption it would keep the address.
            try lab.waitForOwners([.main])
        }
        return (lab, running)
    }

    /// The health of a box whose line works.
    private func best(_ node: SiteNode, of nodes: [SiteNode]) -> Int {
        let order = LabUplink.allCases.filter { uplink in nodes.contains { $0.uplink == uplink } }
        let rank = order.firstIndex(of: node.uplink) ?? 0
        return NodeHealth.value(
            of: [NodeHealth.Candidate(rank: rank, isUsable: true, isHeld: false)], count: order.count)
    }

    /// How long the client was without answers, and over which lines it had them.
    private func watch(
        _ lab: SiteLab, from first: LabUplink, _ body: (ClientProber) throws -> Void
    ) throws -> ProbeReport {
        let prober = try ClientProber.start(at: lab.clientSite, flow: .fresh())
        #expect(try prober.waitForAnswers(atMost: .seconds(10)))
        try body(prober)
        #expect(try prober.waitForAnswers(atMost: .seconds(10)))
        let report = try prober.stop()
        #expect(report.timeline.first?.uplink == first)
        return report
    }

    @Test("the address goes to the box of higher health and back, and the client's traffic with it")
    func moves() throws {
        let (lab, running) = try site()
        let report = try watch(lab, from: .ftth) { prober in
            try lab.setHealth(.main, NodeHealth.none)
            try lab.waitForOwners([.sub])
            #expect(try prober.waitForAnswers(atMost: .seconds(10)))
            try lab.setHealth(.main, NodeHealth.held)
            // A held uplink is no reason to take it back; that would take some 300 ms.
            #expect(throws: LabError.self) { try lab.waitForOwners([.main], atMost: .milliseconds(900)) }
            try lab.setHealth(.main, 3)
            try lab.waitForOwners([.main])
        }
        #expect(report.timeline.map(\.uplink) == [.ftth, .soracom, .ftth])
        #expect(report.longestOutageMilliseconds < 1000, "\(report.outages)")
        #expect(running.values.allSatisfy { $0.isRunning })
    }

    @Test("what keepalived does comes out of its FIFO, over its own end; from a new one after a reload")
    func fifo() throws {
        let lab = try SiteLab.build()
        var fifo = try LineFIFO(lab.notifyFIFO(of: .main))
        var seen: [VRRPNotice] = []
        func wait(for event: VRRPNotice.Event) throws {
            let loop = try EventLoop()
            let watch = try loop.watch(fifo.descriptor.raw) { _ in }
            let deadline = Clock.boottime() + 10_000_000_000
            while !seen.contains(where: { $0.event == event }), Clock.boottime() < deadline {
                try loop.turn(timeout: 100)
                seen += try fifo.lines().map { try VRRPNotice(line: $0) }
            }
            loop.remove(watch)
            let found = seen
            #expect(found.contains { $0.event == event }, "\(event) in \(found.map(\.line))")
            seen = []
        }
        let first = try SiteKeepalived.start(on: .main, in: lab)
        try wait(for: .backup)
        try wait(for: .master)
        // Somebody cleans up: only a reload makes keepalived open the new one. It does not say there what it is (its issue 2359).
        Files.remove(lab.notifyFIFO(of: .main))
        let wasIntact = fifo.isIntact
        #expect(!wasIntact)
        fifo = try LineFIFO(lab.notifyFIFO(of: .main))
        let wasMade = fifo.wasMade
        #expect(wasMade)
        first.reload()
        try first.waitForLog("Reload complete")
        try lab.setHealth(.main, NodeHealth.yield)
        try wait(for: .fault)
        first.stop()
        try wait(for: .stop)
        // It was there before keepalived, which so leaves it.
        let isIntact = fifo.isIntact
        #expect(isIntact)
        try lab.setHealth(.main, 3)
        let second = try SiteKeepalived.start(on: .main, in: lab)
        try wait(for: .master)
        #expect(second.isRunning)
    }

    @Test("where nobody is usable the address stays where it is, here and there")
    func nobody() throws {
        let (lab, _) = try site()
        try lab.setHealth(.sub, NodeHealth.none)
        try lab.setHealth(.main, NodeHealth.none)
        #expect(throws: LabError.self) { try lab.waitForOwners([.sub], atMost: .seconds(1)) }
        #expect(try lab.owners() == [.main])
        try lab.setHealth(.sub, 2)
        try lab.waitForOwners([.sub])
        try lab.setHealth(.sub, NodeHealth.none)
        #expect(throws: LabError.self) { try lab.waitForOwners([.main], atMost: .seconds(1)) }
        #expect(try lab.owners() == [.sub])
    }

    @Test("a box without power is replaced within three advertisements and a little")
    func power() throws {
        let (lab, _) = try site()
        let report = try watch(lab, from: .ftth) { _ in
            try lab.powerOff(.main)
            try lab.waitForOwners([.main, .sub])  // what is on a dead box's interface nobody removes
        }
        #expect(report.timeline.map(\.uplink) == [.ftth, .soracom])
        #expect(report.longestOutageMilliseconds < 1000, "\(report.outages)")
    }

    @Test("a LAN in two parts has two masters, and one when it is whole again")
    func split() throws {
        let (lab, _) = try site()
        let report = try watch(lab, from: .ftth) { prober in
            try lab.setCable(.main, .silent)
            try lab.waitForOwners([.main, .sub])
            #expect(try prober.waitForAnswers(atMost: .seconds(10)))
            try lab.setCable(.main, .connected)
            try lab.waitForOwners([.main])
            // The better master's gratuitous ARP is the last word.
            let deadline = Clock.boottime() + 10_000_000_000
            while try prober.snapshot().timeline.last?.uplink != .ftth, Clock.boottime() < deadline {
                #expect(try prober.waitForAnswers(atMost: .seconds(5)))
            }
        }
        #expect(report.timeline.map(\.uplink) == [.ftth, .soracom, .ftth])
    }

    @Test("without preemption a lower priority moves nothing, to yield does, and nothing comes back")
    func noPreemption() throws {
        let (lab, _) = try site(vrrp: ["preempt: false"])
        try lab.setHealth(.main, NodeHealth.none)
        #expect(throws: LabError.self) { try lab.waitForOwners([.sub], atMost: .seconds(1)) }
        try lab.setHealth(.main, NodeHealth.yield)
        try lab.waitForOwners([.sub], atMost: .milliseconds(900))
        try lab.setHealth(.main, 3)
        #expect(throws: LabError.self) { try lab.waitForOwners([.main], atMost: .seconds(1)) }
        #expect(try lab.owners() == [.sub])
    }

    @Test("of three boxes the best that is left has the address")
    func three() throws {
        let nodes: [SiteNode] = [.main, .sub, .third]
        let (lab, _) = try site(nodes)
        let report = try watch(lab, from: .ftth) { prober in
            try lab.setHealth(.main, NodeHealth.none)
            try lab.waitForOwners([.third])
            #expect(try prober.waitForAnswers(atMost: .seconds(10)))
            try lab.powerOff(.third)
            try lab.waitForOwners([.sub, .third])
        }
        let visits = report.timeline.compactMap { change in change.uplink.map { (at: change.at, line: $0) } }
        #expect(withoutEarlyBird(visits, worst: .soracom) == [.ftth, .jcom, .soracom], "\(report.timeline)")
    }

    @Test("a killed keepalived leaves its address to a better box only, and takes it over again when it is back")
    func killed() throws {
        let (lab, running) = try site()
        running[.main]?.kill()
        // Nobody answers for main any more, but the address is still on its interface.
        try lab.waitForOwners([.main, .sub])
        let again = try SiteKeepalived.start(on: .main, in: lab)
        do { try lab.waitForOwners([.main]) } catch { Issue.record("\(error): \(try again.log())") }
        #expect(again.isRunning)
    }

    /// Ten seconds, for keepalived's own rhythm.
    @Test("the classic scripts move the address after seconds")
    func classic() throws {
        let lab = try SiteLab.build()
        let classic = try ClassicSite.start(in: lab)
        let report = try watch(lab, from: .ftth) { _ in
            try lab.setFault(.main, .blackhole())
            try lab.waitForOwners([.sub], atMost: .seconds(20))
        }
        #expect(report.timeline.map(\.uplink) == [.ftth, .soracom])
        #expect((2500...9000).contains(report.longestOutageMilliseconds), "\(report.outages)")
        classic.stop()
    }
}
