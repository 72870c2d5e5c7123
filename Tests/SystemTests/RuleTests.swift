import LinuxIO
import NetworkTypes
import TestSupport
import Testing
import WANControl
import WANLab
import WANModel

@Suite("rules send their traffic their own way", .enabled(if: Needs.root, Needs.advice))
struct RuleTests {
    private static let rules = """
        rules:
          - name: telephone on the cable
            match: {protocol: udp, port: 5060}
            order: [jcom, ftth]
          - name: backup never on LTE
            match: {source: 192.168.0.200, protocol: tcp, port: 1007}
            order: [ftth, jcom]
            otherwise: reject
          - name: cameras stay in
            match: {source: 192.168.0.2-192.168.0.9}
            order: [soracom]
            otherwise: drop
          - name: all of the telephone
            match: {protocol: udp, port: 5060}
            order: [soracom]
        """

    @Test("first match wins, each rule follows its own order, and `status --rules` counts")
    func orders() throws {
        let world = try World.running(Policies.threeLines(sections: Self.rules))
        let call = try ClientProber.start(in: world.lab, flow: .sip, interval: .milliseconds(20))
        let other = try ClientProber.start(in: world.lab, flow: .fresh())
        try world.waitTraffic(of: call, on: .jcom)
        try world.waitTraffic(of: other, on: .ftth)
        let cameras = try world.lab.addClientAddresses(2)
        let crowd = try FlowCrowd.open(20, .udp, in: world.lab, sources: cameras)
        #expect(try crowd.send().byUplink == [.soracom: 20])
        let backup = try InboundClient.start(in: world.lab, at: .lan, to: Endpoint(LabAddress.content, 1007), .tcp)
        try world.wait("the backup is connected over fibre") {
            try backup.snapshot().seenAs.contains { $0.address == LabUplink.ftth.address }
        }
        let report = try world.rules()
        #expect(report.rules.map(\.uplinks) == [["jcom"], ["ftth"], ["soracom"], ["soracom"]])
        #expect(report.rules.map(\.flows) == [1, 1, 20, 0])
        let text = try world.wanctl("status", "--rules").output
        #expect(text.contains("backup never on LTE") && text.contains("Traffic without a rule is on ftth."), "\(text)")
        #expect(try world.uplink(.jcom).rules == ["telephone on the cable"])
        let check = try world.wanctl("check", world.policyPath)
        #expect((check.output + check.errors).contains("all of the telephone"), "the shadowed rule is told of")

        // Its line dies: the telephone moves at once, nothing else does.
        try world.lab.setFault(.jcom, .blackhole())
        try world.waitTraffic(of: call, on: .ftth)
        try world.lab.clearFaults()
        // A second look: counts go on over a reload.
        #expect(try world.wanctl("reload").succeeded)
        #expect(try world.rules().rules[2].flows == 20)
        #expect(try other.stop().lost == 0)
        #expect(try call.stop().longestOutageMilliseconds < 700)
        try crowd.close()
        _ = try backup.stop()
    }

    @Test("where no line of a rule is left: reject says so at once, drop says nothing, and neither leaks")
    func otherwise() throws {
        let world = try World.running(Policies.threeLines(sections: Self.rules))
        for uplink in [LabUplink.ftth, .jcom] { try world.lab.setFault(uplink, .blackhole()) }
        try world.waitSelected(.soracom)
        try world.wait("the rules know") { try world.rules().rules[1].uplinks.isEmpty }
        let start = Date.now
        let refused = try InboundClient.start(in: world.lab, at: .lan, to: Endpoint(LabAddress.content, 1007), .tcp)
        try world.wait("it is told at once", seconds: 1) { try refused.snapshot().brokenBy != nil }
        #expect(try refused.stop().brokenBy == .refused)
        #expect(Date.now - start < 1000)
        #expect(try world.wanctl("status", "--rules").output.contains("rejected"))
        // What has no rule is on LTE.
        let other = try ClientProber.start(in: world.lab, flow: .fresh())
        try world.waitTraffic(of: other, on: .soracom)

        try world.lab.setFault(.soracom, .gone)
        let cameras = try world.lab.addClientAddresses(1)
        try world.lab.clearFaults(.ftth)
        try world.waitSelected(.ftth, seconds: 10)
        let crowd = try FlowCrowd.open(10, .udp, in: world.lab, sources: cameras)
        #expect(try crowd.send(patience: .milliseconds(300)).silent == 10, "dropped")
        try crowd.close()
        _ = try other.stop()
    }

    @Test("traffic between networks behind the router never leaves by an uplink, whatever rules say")
    func betweenNetworks() throws {
        let world = try World.running(
            Policies.threeLines(
                lan: "interfaces: [eth0, eth1]",
                sections: """
                    rules:
                      - {name: all, match: {source: 192.168.0.0/16}, order: [soracom], otherwise: reject}
                    """))
        try world.lab.setFault(.soracom, .gone)
        try world.wait("the rule goes nowhere") { try world.rules().rules[0].uplinks.isEmpty }
        let server = try LabServer.start(in: world.lab, at: .guest, [Endpoint(LabAddress.guest, 9000)])
        let host = try InboundClient.start(in: world.lab, at: .lan, to: Endpoint(LabAddress.guest, 9000), .tcp)
        try world.wait("the hosts talk") { try host.snapshot().answered > 20 }
        let report = try host.stop()
        #expect(report.seenAs.map(\.address) == [LabAddress.client], "untranslated")
        #expect(report.brokenBy == nil)
        #expect(try world.rules().rules[0].flows == 0, "it is no flow of a rule either")
        server.stop()
    }

    @Test("in the moments in which a line is gone and no daemon lives, a rule's traffic goes nowhere else")
    func noLeak() throws {
        let world = try World.running(Policies.threeLines(sections: Self.rules))
        try world.daemon.kill()
        for uplink in [LabUplink.ftth, .jcom] { try world.lab.setFault(uplink, .gone) }
        let other = try ClientProber.start(in: world.lab, flow: .fresh())
        try world.waitTraffic(of: other, on: .soracom)
        let backup = try InboundClient.start(in: world.lab, at: .lan, to: Endpoint(LabAddress.content, 1007), .tcp)
        try world.wait("it is refused") { try backup.snapshot().brokenBy != nil }
        #expect(try backup.stop().seenAs.isEmpty)
        _ = try other.stop()
    }

    @Test("what a rule leaves drains for the rule's own time, while others' flows on that line go on")
    func ownDrain() throws {
        let world = try World.running(
            Policies.threeLines(
                drain: "{default: 10m}",
                sections: """
                    rules:
                      - {name: talkers, match: {protocol: tcp, port: 1007}, order: [ftth, jcom], drain: 2s}
                      - {name: cameras, match: {source: 192.168.0.2-192.168.0.9}, order: [jcom]}
                    """))
        let cameras = try FlowCrowd.open(10, .udp, in: world.lab, sources: try world.lab.addClientAddresses(2))
        #expect(try cameras.send().byUplink == [.jcom: 10])
        try world.lab.setFault(.ftth, .blackhole())
        try world.waitSelected(.jcom)
        let talker = try ClientReconnector.start(in: world.lab)
        let shell = try ClientConnection.start(in: world.lab)
        try world.wait("both are on the cable") { try talker.snapshot().uplink == .jcom }
        try world.lab.clearFaults()
        try world.waitSelected(.ftth)
        try world.wait("the rule's connection was told and is on the fibre", seconds: 6) {
            try talker.snapshot().breaks.first?.to == .ftth
        }
        #expect(try talker.stop().breaks.first?.by == .reset)
        #expect(try shell.snapshot().brokenBy == nil, "what follows failover has ten minutes")
        #expect(try cameras.send().movedCount == 0)
        #expect(try world.uplink(.jcom).traffic == .draining)
        _ = try shell.stop()
        try cameras.close()
    }

    @Test("a restart of the daemon moves no rule's flow and loses no packet")
    func restart() throws {
        let world = try World.running(Policies.threeLines(sections: Self.rules))
        let call = try ClientProber.start(in: world.lab, flow: .sip)
        let calls = try FlowCrowd.open(5, .udp, in: world.lab, sources: try world.lab.addClientAddresses(1))
        try world.waitTraffic(of: call, on: .jcom)
        try world.startDaemon()
        try world.settle()
        #expect(try calls.send().byUplink == [.soracom: 5])
        let report = try call.stop()
        #expect(report.lost == 0 && report.timeline.compactMap(\.uplink) == [.jcom])
        try calls.close()
    }
}

/// Milliseconds by the clock that never jumps.
private enum Date {
    static var now: Int64 { Clock.boottime() / 1_000_000 }
}
