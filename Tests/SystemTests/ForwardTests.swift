import LinuxIO
import NetworkTypes
import TestSupport
import Testing
import WANControl
import WANLab

@Suite("forwarded ports, what must not leave, and the router's own way out", .enabled(if: Needs.root, Needs.advice))
struct ForwardTests {
    private static let forwards = """
        forwards:
          - {uplinks: [ftth, jcom], protocol: tcp, port: 8080, to: 192.168.0.200:80}
          - {uplinks: [ftth], protocol: udp, port: 5000-5009, to: 192.168.0.200}
          - {uplinks: [ftth], protocol: udp, port: 6000-6009, to: 192.168.0.200:7000}
        """

    @Test("replies leave by the uplink the request came in on, wherever the traffic of the LAN goes")
    func replies() throws {
        let world = try World.running(Policies.threeLines(sections: Self.forwards))
        try world.lab.exposeRouterBehindJCOM()
        let server = try LabServer.start(
            in: world.lab, at: .lan,
            [80, 5003, 7004].map { Endpoint(LabAddress.client, $0) })
        let ftth = LabUplink.ftth.address
        let callers = try [
            InboundClient.start(in: world.lab, to: Endpoint(ftth, 8080), .tcp),
            InboundClient.start(in: world.lab, to: Endpoint(LabUplink.jcom.publicAddress, 8080), .tcp),
            InboundClient.start(in: world.lab, to: Endpoint(ftth, 5003), .udp),
            InboundClient.start(in: world.lab, to: Endpoint(ftth, 6004), .udp),
        ]
        for caller in callers { try world.wait("an answer") { try caller.snapshot().answered > 10 } }
        // The LAN's traffic goes elsewhere; the callers notice nothing.
        #expect(try world.wanctl("failover", "soracom").succeeded)
        for caller in callers {
            let answered = try caller.snapshot().answered
            try world.wait("it goes on") { try caller.snapshot().answered > answered + 20 }
            let report = try caller.stop()
            #expect(report.strangers.isEmpty && report.brokenBy == nil, "\(report)")
        }
        #expect(try server.sources().allSatisfy { $0.address == LabAddress.caller }, "who calls is seen as who he is")
        server.stop()
    }

    @Test("from the LAN the public address leads to the same host")
    func hairpin() throws {
        let world = try World.running(Policies.threeLines(sections: Self.forwards))
        let server = try LabServer.start(in: world.lab, port: 80)
        let neighbour = try InboundClient.start(
            in: world.lab, at: .lan, to: Endpoint(LabUplink.ftth.address, 8080), .tcp)
        try world.wait("an answer") { try neighbour.snapshot().answered > 10 }
        #expect(try neighbour.stop().strangers.isEmpty)
        server.stop()
    }

    @Test("a line that gets another address takes its forwards along, hairpin and all")
    func renumbered() throws {
        let world = try World.running(Policies.threeLines(sections: Self.forwards))
        let server = try LabServer.start(in: world.lab, port: 80)
        let address = IPv4Address(198, 51, 100, 77)
        try world.lab.renumber(.ftth, to: address)
        try world.wait("the daemon has seen it") { try world.uplink(.ftth).addresses == [address.description] }
        for place in [LabPlace.inet, .lan] {
            let caller = try InboundClient.start(in: world.lab, at: place, to: Endpoint(address, 8080), .tcp)
            try world.wait("an answer at \(place)") { try caller.snapshot().answered > 5 }
            _ = try caller.stop()
        }
        server.stop()
    }

    @Test("no host of the LAN reaches the SIM's metadata service; the router does")
    func guarded() throws {
        let world = try World.running(Policies.threeLines(soracom: "soracom: {via: [metadata]}"))
        #expect(try world.wanctl("failover", "soracom").succeeded)
        let ping = ["ping", "-c", "3", "-i", "0.05", "-W", "1", LabAddress.soracomMetadata.description]
        #expect(try world.lab.run(in: .router, ping + ["-I", "ppp1"]).output.contains(" 0% packet loss"))
        #expect(try world.lab.run(in: .lan, ping).output.contains("100% packet loss"))
        let others = try ClientProber.start(in: world.lab, flow: .fresh())
        try world.waitTraffic(of: others, on: .soracom)
        _ = try others.stop()
    }

    @Test("another program's flowtable is told of, and flows in it move as all others")
    func offloaded() throws {
        let world = try World.running()
        try world.lab.mustRun(
            in: .router, ["nft", "-f", "-"],
            input: """
                table inet fw4 {
                    flowtable ft {
                        hook ingress priority 0; devices = { eth0, ppp0, wlan0 };
                    }
                    chain forward {
                        type filter hook forward priority 0; policy accept;
                        meta l4proto { tcp, udp } flow add @ft
                    }
                }

                """)
        #expect(try world.status().warnings.contains { $0.contains("flowtable ft") && $0.contains("fw4") })
        let call = try ClientProber.start(in: world.lab, flow: .wireGuard, interval: .milliseconds(20))
        let connection = try ClientReconnector.start(in: world.lab)
        try world.waitTraffic(of: call, on: .ftth)
        try world.wait("flows are offloaded") {
            try world.lab.mustRun(in: .router, ["conntrack", "-L"]).contains("OFFLOAD")
        }
        try world.lab.setFault(.ftth, .blackhole())
        try world.waitTraffic(of: call, on: .jcom)
        try world.wait("the connection is on the new line", seconds: 6) { try connection.snapshot().uplink == .jcom }
        #expect(try call.stop().longestOutageMilliseconds < 700)
        try world.wait("nothing is left on the old line") { try world.flows(from: LabUplink.ftth.address).isEmpty }
        _ = try connection.stop()
    }

    @Test(
        "a provider's name server is reached over its own line only, and the resolver's file follows the selected one")
    func nameServers() throws {
        let world = try World.running(
            Policies.threeLines(ftth: "dns: [192.0.2.10]", jcom: "dns: [192.0.2.30, 192.0.2.20]"))
        let path = "\(world.lab.directory)/resolv.conf"
        func servers() throws -> [String] {
            try Files.text(path).split(separator: "\n").filter { $0.hasPrefix("nameserver") }
                .map { String($0.dropFirst("nameserver ".count)) }
        }
        func way(to server: String) throws -> String {
            try world.lab.mustRun(in: .router, ["ip", "route", "get", server])
        }
        try world.wait("the file is there") { try Files.exists(path) && servers() == ["192.0.2.10"] }
        #expect(try way(to: "192.0.2.10").contains("dev ppp0"))
        #expect(try way(to: "192.0.2.30").contains("via 192.168.3.1 dev wlan0"))
        try world.lab.setFault(.ftth, .gone)
        try world.waitSelected(.jcom)
        try world.wait("the file names the other line's") { try servers() == ["192.0.2.30", "192.0.2.20"] }
        try world.lab.clearFaults()
        try world.waitSelected(.ftth)
        try world.wait("and the first one's again") { try servers() == ["192.0.2.10"] }
        #expect(try way(to: "192.0.2.10").contains("dev ppp0"))
        #expect(try world.daemon.terminate() != nil)
        #expect(try world.lab.run(in: .router, try world.daemonWords("--cleanup")).succeeded)
        #expect(try !world.lab.mustRun(in: .router, ["ip", "-N", "route"]).contains("proto 87"))
    }

    @Test("the router's own traffic leaves by the selected line with that line's address")
    func ownTraffic() throws {
        let world = try World.running()
        for uplink in [LabUplink.jcom, .soracom, .ftth] {
            #expect(try world.wanctl("failover", uplink.rawValue).succeeded)
            let route = try world.lab.mustRun(in: .router, ["ip", "route", "get", "\(LabAddress.content)"])
            #expect(route.contains("dev \(uplink.interface)") && route.contains("src \(uplink.address)"), "\(route)")
            #expect(try world.lab.run(in: .router, ["ping", "-c", "1", "-W", "2", "\(LabAddress.content)"]).succeeded)
        }
    }
}
