import LinuxIO
import Testing
import WANControl
import WANLab
import WANModel

@Suite("a line that fails in silence", .enabled(if: Needs.root, Needs.advice))
struct SilentFailureTests {
    @Test(
        "a blackhole, both ways or one: traffic is on the next line within the bar, with the right source",
        arguments: [WireWay.both, .up, .down])
    func blackhole(way: WireWay) throws {
        let world = try World.running()
        let client = try ClientProber.start(in: world.lab)
        try world.waitTraffic(of: client, on: .ftth)
        try world.lab.setFault(.ftth, .blackhole(way))
        try world.waitTraffic(of: client, on: .jcom)
        try world.wait("the switch is proven") { try world.status().lastSwitch?.proven == true }
        let report = try client.stop()
        #expect(report.outages.count == 1, "\(report.outages) \(report.timeline)")
        #expect(report.longestOutageMilliseconds < 600)
        #expect(report.unknownSources == 0 && report.wrongSourceCount == 0)
        let change = try #require(try world.status().lastSwitch)
        #expect(change.from == ["ftth"] && change.to == ["jcom"] && !change.manual)
        #expect(change.cause.contains("0 of 3 targets answered"), "\(change.cause)")
        #expect((change.conntrackDeleted ?? 0) >= 1)
    }

    @Test(
        "the provider's gateway lives and nothing beyond it: that is a failure like any other",
        arguments: [true, false])
    func upstreamDead(selected: Bool) throws {
        let world = try World.running()
        if selected { #expect(try world.wanctl("failover", "jcom").succeeded) }
        let client = try ClientProber.start(in: world.lab)
        try world.waitTraffic(of: client, on: selected ? .jcom : .ftth)
        try world.lab.setFault(.jcom, .upstreamDead)
        try world.waitState(.jcom, .down)
        try world.waitTraffic(of: client, on: .ftth)
        let report = try client.stop()
        #expect(report.outages.count == (selected ? 1 : 0))
        #expect(report.longestOutageMilliseconds < 600)
    }

    @Test("one dead target brings no line down")
    func oneDeadTarget() throws {
        let world = try World.running()
        let client = try ClientProber.start(in: world.lab)
        try world.lab.setTarget(LabAddress.targets[0], .dead, over: .ftth)
        try world.wait("the target is known to be silent") {
            try world.uplink(.ftth).targets.first?.answered == false
        }
        try world.watch(seconds: 3) { try world.status().selected == ["ftth"] }
        #expect(try world.uplink(.ftth).state == .up)
        #expect(try world.switches().isEmpty)
        #expect(try client.stop().lost == 0)
    }

    @Test("targets that are dead on every line are the targets' fault", arguments: [1, 3])
    func targetsDeadEverywhere(count: Int) throws {
        let world = try World.running()
        let client = try ClientProber.start(in: world.lab)
        for target in LabAddress.targets.prefix(count) { try world.lab.setTarget(target, .dead) }
        if count == 3 {
            try world.wait("the daemon says whose fault it is") {
                try world.history().contains { $0.kind == "target" }
            }
        }
        try world.watch(seconds: 3) { try world.status().selected == ["ftth"] }
        #expect(try client.stop().lost == 0)
        #expect(try world.switches().isEmpty)
    }

    @Test("30 % loss is a bad line, not a dead one")
    func heavyLoss() throws {
        let world = try World.running()
        try world.lab.setFault(.ftth, .loss(0.3))
        try world.watch(seconds: 20) { try world.status().selected == ["ftth"] }
        #expect(try world.switches().isEmpty)
        let loss = try #require(try world.uplink(.ftth).loss)
        #expect((0.1...0.5).contains(loss), "the line shows its loss")
    }

    @Test("a silence of 150 ms switches nothing and breaks no connection")
    func shortSilence() throws {
        let world = try World.running()
        let connection = try ClientConnection.start(in: world.lab)
        let client = try ClientProber.start(in: world.lab)
        for round in 1...5 {
            let before = try client.snapshot().sent
            try world.lab.setFault(.ftth, .silence(.milliseconds(150)))
            try world.wait("the client goes on, round \(round)") {
                try client.isAnswered(within: .milliseconds(20)) && client.snapshot().sent > before + 200
            }
        }
        #expect(try world.switches().isEmpty)
        #expect(try world.status().selected == ["ftth"])
        #expect(try connection.stop().brokenBy == nil)
        let report = try client.stop()
        #expect(report.outages.count == 5 && report.longestOutageMilliseconds < 250, "\(report.outages)")
        #expect(report.byUplink.keys.sorted { $0.rawValue < $1.rawValue } == [.ftth])
    }
}
