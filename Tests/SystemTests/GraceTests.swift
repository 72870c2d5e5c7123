import NetworkTypes
import TestSupport
import Testing
import WANControl
import WANLab
import WANModel

@Suite(
    "a failover keeps connections that can be kept and ends the others at once", .enabled(if: Needs.root, Needs.advice))
struct GraceTests {
    @Test("an outage of a second costs no TCP connection, while calls and new flows have moved")
    func shortOutage() throws {
        let world = try World.running(Policies.threeLines(hold: "30s"))
        let connection = try ClientConnection.start(in: world.lab)
        let download = try ClientDownload.start(in: world.lab)
        let call = try ClientProber.start(in: world.lab, flow: .sip, interval: .milliseconds(20))
        try world.waitTraffic(of: call, on: .ftth)
        try world.wait("the download runs") { try download.snapshot().octets > 100_000 }
        try world.lab.blackHole(.ftth, for: .seconds(1))
        try world.wait("the call has moved") { try call.snapshot().timeline.last?.uplink == .jcom }
        let (echoed, octets) = (try connection.snapshot().echoed, try download.snapshot().octets)
        try world.wait("both connections go on") {
            try connection.snapshot().echoed > echoed + 50 && download.snapshot().octets > octets + 500_000
        }
        // Past the grace and past both sweeps they are still there, on the line that is held.
        try world.wait("it is known that they were spared") {
            try world.history().contains { $0.kind == "spared" && $0.uplink == "ftth" }
        }
        #expect(try world.status().selected == ["jcom"])
        #expect(try world.uplink(.ftth).traffic == .draining)
        try world.watch(seconds: 1.5) { try connection.snapshot().brokenBy == nil }
        #expect(try download.stop().brokenBy == nil)
        #expect(try connection.stop().brokenBy == nil)
        let report = try call.stop()
        #expect(report.longestOutageMilliseconds < 700, "\(report.outages)")
        #expect(report.timeline.compactMap(\.uplink) == [.ftth, .jcom])
    }

    @Test("after the grace every client is told by a reset, also one that only listens, and is connected again at once")
    func reset() throws {
        let world = try World.running()
        let talker = try ClientReconnector.start(in: world.lab)
        let listener = try ClientDownload.start(in: world.lab, patience: .seconds(30))
        try world.wait("both are connected") {
            try talker.snapshot().isConnected && listener.snapshot().octets > 10_000
        }
        try world.lab.setFault(.ftth, .blackhole())
        try world.waitSelected(.jcom)
        try world.wait("the talker is on the new line", seconds: 6) {
            try talker.snapshot().breaks.first?.recoveredAt != nil
        }
        try world.wait("the listener was told", seconds: 2) { try listener.snapshot().brokenBy != nil }
        let heard = try listener.stop()
        #expect(heard.brokenBy == .reset)
        let report = try talker.stop()
        let ending = try #require(report.breaks.first)
        #expect(report.breaks.count == 1 && ending.by == .reset && ending.to == .jcom)
        #expect(try #require(ending.reconnectMilliseconds) < 150, "\(ending)")
        #expect(try #require(ending.silenceMilliseconds) < 3500, "\(ending)")
        // Both learned of it within moments of each other: the one that was nudged as soon as the one that spoke.
        #expect(abs(Double((heard.brokenAt ?? 0) - ending.at) / 1e6) < 500)
        try world.wait("nothing is left on the old line", seconds: 2) {
            try world.flows(from: LabUplink.ftth.address).isEmpty
        }
    }

    @Test("where the interface is gone nobody waits for the grace")
    func interfaceGone() throws {
        let world = try World.running()
        let talker = try ClientReconnector.start(in: world.lab)
        let tunnel = try ClientProber.start(in: world.lab, flow: .wireGuard, interval: .milliseconds(20))
        try world.wait("it is connected") { try talker.snapshot().isConnected }
        try world.waitTraffic(of: tunnel, on: .ftth)
        try world.lab.setFault(.ftth, .gone)
        try world.wait("the connection is on the new line") { try talker.snapshot().breaks.first?.recoveredAt != nil }
        let ending = try #require(try talker.stop().breaks.first)
        #expect(ending.by == .reset)
        #expect(try #require(ending.silenceMilliseconds) < 500, "\(ending)")
        let report = try tunnel.stop()
        #expect(report.longestOutageMilliseconds < 250 && report.wrongSourceCount == 0, "\(report.outages)")
    }

    @Test("nor where the servers ignore strangers: the kernel has forgotten the connection, we tell its client")
    func interfaceGoneSilentServers() throws {
        let world = try World.running()
        try world.lab.mustRun(in: .inet, ["nft", "-f", "-"], input: silentServers)
        let talker = try ClientReconnector.start(in: world.lab)
        try world.wait("it is connected") { try talker.snapshot().isConnected }
        try world.lab.setFault(.ftth, .gone)
        try world.wait("the connection is on the new line") { try talker.snapshot().breaks.first?.recoveredAt != nil }
        let ending = try #require(try talker.stop().breaks.first)
        #expect(ending.by == .reset)
        #expect(try #require(ending.silenceMilliseconds) < 500, "\(ending)")
    }

    @Test("nothing is left with the old source three seconds after the switch, while all kinds of traffic flow")
    func nothingLeft() throws {
        let world = try World.running()
        // What goes by no uplink at all: another network behind the router, as a VPN's interface is one, and the router itself.
        let server = try LabServer.start(in: world.lab, at: .guest, [Endpoint(LabAddress.guest, 9000)])
        let tunnelled = try InboundClient.start(in: world.lab, at: .lan, to: Endpoint(LabAddress.guest, 9000), .tcp)
        try world.wait("the hosts talk") { try tunnelled.snapshot().answered > 5 }
        let flows = try [
            ClientProber.start(in: world.lab, flow: .wireGuard, interval: .milliseconds(20)),
            ClientProber.start(in: world.lab, flow: .sip, interval: .milliseconds(20)),
            ClientProber.start(in: world.lab, flow: .fresh()),
        ]
        let talker = try ClientReconnector.start(in: world.lab)
        let crowd = try FlowCrowd.open(200, .udp, in: world.lab)
        #expect(try crowd.send().answered == 200)
        for flow in flows { try world.waitTraffic(of: flow, on: .ftth) }
        try world.wait("it is connected") { try talker.snapshot().isConnected }
        try world.lab.setFault(.ftth, .blackhole())
        try world.waitSelected(.jcom)
        for flow in flows { try world.waitTraffic(of: flow, on: .jcom) }
        try world.wait("no entry has the old source", seconds: 3.5) {
            try world.flows(from: LabUplink.ftth.address).isEmpty
        }
        try world.watch(seconds: 1) { try world.flows(from: LabUplink.ftth.address).isEmpty }
        for flow in flows {
            let report = try flow.stop()
            #expect(report.wrongSourceCount == 0 && report.longestOutageMilliseconds < 700, "\(report.outages)")
        }
        #expect(try crowd.send().byUplink == [.jcom: 200])
        try crowd.close()
        let untouched = try tunnelled.stop()
        #expect(untouched.brokenBy == nil && untouched.longestStall < 300, "\(untouched)")
        server.stop()
        _ = try talker.stop()
    }

    @Test("a tunnel's keepalive each 25 s finds the new line with its first packet")
    func rareKeepalive() throws {
        let world = try World.running()
        let tunnel = try ClientProber.start(in: world.lab, flow: .wireGuard, interval: .seconds(25))
        try world.wait("its first packet is answered") { try tunnel.isAnswered(within: .seconds(20)) }
        try world.lab.setFault(.ftth, .blackhole())
        try world.waitSelected(.jcom)
        try tunnel.sendNow()
        try world.wait("the next packet is answered by the new line") {
            try tunnel.snapshot(undecided: .zero).byUplink[.jcom] == 1
        }
        _ = try tunnel.stop()
    }

    @Test(
        "the router's own connections over the lost line are closed, unless the policy leaves them",
        arguments: [true, false])
    func ownSockets(closes: Bool) throws {
        let world = try World.running(
            Policies.threeLines(failover: ["grace: 500ms", "own-sockets: \(closes ? "close" : "leave")"]))
        let own = try ClientConnection.start(
            at: ProbeSite(
                namespace: world.lab.namespacePath(.router), server: world.lab.clientSite.server,
                owners: world.lab.sourceOwners))
        let sockets = try world.lab.mustRun(in: .router, ["ss", "-Htn", "state", "established"])
        #expect(sockets.contains("\(LabUplink.ftth.address):"), "it has the address of the selected line")
        try world.lab.setFault(.ftth, .blackhole())
        try world.waitSelected(.jcom)
        // Closed by the daemon, or by the server, which does not know the connection that comes out of the new line.
        try world.wait("it is over, and its program knows") { try own.snapshot().brokenBy != nil }
        let end = try own.stop().brokenBy
        #expect(end == (closes ? "Software caused connection abort" : "Connection reset by peer"))
    }
}
