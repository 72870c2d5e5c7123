import Glibc
import LinuxIO
import NetworkTypes
import TestSupport
import Testing
import WANControl
import WANLab
import WANModel

@Suite("flows and files in the corners", .enabled(if: Needs.root, Needs.advice))
struct FlowCornerTests {
    @Test("a client that always comes from the same port is connected again at once after its reset")
    func samePort() throws {
        let world = try World.running(Policies.threeLines(failover: ["grace: 200ms"]))
        let source = Endpoint(LabAddress.client, 40_001)
        let server = Endpoint(LabAddress.content, 1007)
        let first = try InboundClient.start(in: world.lab, at: .lan, from: source, to: server, .tcp)
        try world.wait("it is connected") { try first.snapshot().answered > 5 }
        try world.lab.setFault(.ftth, .blackhole())
        try world.wait("it is told") { try first.snapshot().brokenBy == .reset }
        _ = try first.stop()
        let again = try InboundClient.start(in: world.lab, at: .lan, from: source, to: server, .tcp)
        try world.wait("it is served over the other line") {
            let report = try again.snapshot()
            return report.answered > 20 || report.brokenBy != nil
        }
        let report = try again.stop()
        #expect(report.brokenBy == nil && report.answered > 20)
    }

    @Test("a line gets another address: the router's own connections with the old one are closed, not left to hang")
    func ownSocketsOfOldAddress() throws {
        let world = try World.running(Policies.threeLines())
        let own = try ClientConnection.start(
            at: ProbeSite(
                namespace: world.lab.namespacePath(.router), server: world.lab.clientSite.server,
                owners: world.lab.sourceOwners))
        // The new one comes before the old one goes, so that the line is there all the time (and stays: as systemd has it).
        try world.lab.writeSettings(["net/ipv4/conf/ppp0/promote_secondaries": "1"], in: .router)
        let (old, peer) = (LabUplink.ftth.address, LabUplink.ftth.gateway)
        try world.lab.mustRun(in: .router, ["ip", "addr", "add", "198.51.100.78", "peer", "\(peer)", "dev", "ppp0"])
        try world.wait("it is seen") { try world.uplink(.ftth).addresses.count == 2 }
        try world.lab.mustRun(in: .router, ["ip", "addr", "del", "\(old)", "peer", "\(peer)", "dev", "ppp0"])
        try world.wait("it is over, and its program knows") { try own.snapshot().brokenBy != nil }
        #expect(try own.stop().brokenBy == "Software caused connection abort")
    }

    @Test("a drain that a restart comes between still ends with its last flow")
    func drainOverRestart() throws {
        let world = try World.running(Policies.threeLines(drain: "{default: 10m}"))
        #expect(try world.wanctl("failover", "jcom").succeeded)
        let connection = try ClientConnection.start(in: world.lab)
        #expect(try world.wanctl("auto").succeeded)
        try world.waitSelected(.ftth)
        try world.startDaemon()
        try world.wait("status counts the connection") { try world.uplink(.jcom).drain?.flows == 1 }
        #expect(try connection.stop().brokenBy == nil)
        try world.wait("the drain is over", seconds: 5) { try world.uplink(.jcom).traffic == .standby }
    }

    @Test("what a reload leaves to drain ends with its last flow, too")
    func drainOverReload() throws {
        let rules = "rules: [{name: mail, match: {protocol: tcp}, order: [jcom, ftth]}]\n"
        let world = try World.running(Policies.threeLines(drain: "{default: 10m}", sections: rules))
        let connection = try ClientConnection.start(in: world.lab)
        try world.write(policy: Policies.threeLines(drain: "{default: 10m}"))
        #expect(try world.wanctl("reload").succeeded)
        try world.wait("status counts the connection") { try world.uplink(.jcom).drain?.flows == 1 }
        #expect(try connection.stop().brokenBy == nil)
        try world.wait("the drain is over", seconds: 5) { try world.uplink(.jcom).traffic == .standby }
    }

    @Test("addresses that cannot be a provider's name servers are passed over, and are not tried each second for ever")
    func senselessServers() throws {
        let world = try World()
        let path = "\(world.lab.directory)/ppp-resolv.conf"
        let lines = ["0.0.0.0", "127.0.0.53", "224.0.0.1", "255.255.255.255", "192.0.2.10"].map { "nameserver \($0)\n" }
        try Files.replace(path, with: Array(lines.joined().utf8))
        world.policy = Policies.threeLines(ftth: "dns: \(path)")
        try world.startDaemon()
        try world.settle()
        let routes = try world.lab.mustRun(in: .router, ["ip", "-N", "route", "show", "proto", "87"])
        #expect(routes.split(separator: "\n").filter { !$0.hasPrefix("default") }.count == 1, "\(routes)")
        let resolver = try Files.text("\(world.lab.directory)/resolv.conf")
        #expect(resolver.split(separator: "\n").filter { $0.hasPrefix("nameserver") } == ["nameserver 192.0.2.10"])
        let warnings = try world.status().warnings
        #expect(warnings.isEmpty, "\(warnings)")
    }

    @Test("a provider who names hosts of the LAN, or thousands of servers, moves nobody's traffic and is told of once")
    func hostileServers() throws {
        let world = try World()
        let path = "\(world.lab.directory)/ppp-resolv.conf"
        let hostile =
            ["192.168.0.102", "192.168.3.1", "8.8.8.8"] + (1...3000).map { "10.7.\($0 / 250).\($0 % 250 + 1)" }
        try Files.replace(path, with: Array(hostile.map { "nameserver \($0)\n" }.joined().utf8))
        // A home router that hands itself out.
        world.policy = Policies.threeLines(ftth: "dns: \(path)", jcom: "dns: [192.168.3.1]")
        try world.startDaemon()
        try world.settle()
        func hostRoutes() throws -> [Substring] {
            try world.lab.mustRun(in: .router, ["ip", "-N", "route", "show", "proto", "87"])
                .split(separator: "\n").filter { !$0.hasPrefix("default") }
        }
        func way(to address: String) throws -> String {
            try world.lab.mustRun(in: .router, ["ip", "route", "get", address])
        }
        func servers() throws -> [Substring] {
            try Files.text("\(world.lab.directory)/resolv.conf").split(separator: "\n")
                .filter { $0.hasPrefix("nameserver") }
        }
        let told =
            "name servers of ftth: 192.168.0.102 is in the network of eth0 and is left out; "
            + "192.168.3.1 is in the network of wlan0 and is left out; "
            + "only the first 3 count, 3000 more are left out"
        #expect(try world.status().warnings == [told])
        #expect(try hostRoutes() == [])
        #expect(try way(to: "192.168.0.102").contains("dev eth0"))
        #expect(try servers() == ["nameserver 8.8.8.8"])
        // The file is read again meanwhile.
        try world.watch(seconds: 6) { try world.status().warnings == [told] }
        #expect(try world.log.split(separator: "\n").filter { $0.contains("192.168.0.102") }.count == 1)
        #expect(try world.wanctl("failover", "jcom").succeeded)
        try world.wait("the home router is named") { try servers() == ["nameserver 192.168.3.1"] }
        #expect(try hostRoutes() == [])
        #expect(try way(to: "192.168.3.1").contains("dev wlan0"))
        try Files.replace(path, with: Array("nameserver 192.0.2.10\n".utf8))
        try world.wait("the mended file is read", seconds: 8) {
            try hostRoutes().count == 1 && world.status().warnings.isEmpty
        }
        // Who comes into the network of a server has it.
        try world.lab.mustRun(in: .router, ["ip", "address", "add", "192.0.2.77/24", "dev", "eth0"])
        try world.wait("the LAN's own host is the LAN's") {
            try hostRoutes() == []
                && world.status().warnings.contains { $0.contains("192.0.2.10 is in the network of eth0") }
        }
    }

    @Test("a file of name servers that is none does not hold the daemon up", arguments: ["FIFO", "directory"])
    func noFile(kind: String) throws {
        let world = try World()
        let path = "\(world.lab.directory)/ppp-resolv.conf"
        #expect((kind == "FIFO" ? mkfifo(path, 0o600) : mkdir(path, 0o700)) == 0)
        world.policy = Policies.threeLines(ftth: "dns: \(path)")
        try world.startDaemon()
        try world.settle()
        #expect(try world.status().warnings.contains { $0.contains("name servers") })
    }

    @Test("uplinks that change places in a reload: no moment without a route")
    func exchange() throws {
        let world = try World.running()
        let monitor = try world.lab.spawn(in: .router, ["ip", "-o", "monitor", "route"])
        // Once it says this it says everything.
        var metric = 0
        try world.wait("the monitor hears") {
            metric += 1
            try world.lab.mustRun(
                in: .router, ["ip", "route", "add", "192.0.2.200", "dev", "eth0", "metric", "\(metric)"])
            return try Files.text(monitor.logPath).contains("192.0.2.200")
        }
        try world.write(
            policy: Policies.threeLines().replacing("interface: ppp0", with: "interface: pppX")
                .replacing("interface: ppp1", with: "interface: ppp0").replacing(
                    "interface: pppX", with: "interface: ppp1"))
        #expect(try world.wanctl("reload").succeeded)
        try world.wait("both are proven where they are now") {
            try world.status().uplinks.allSatisfy { $0.state == .up } && world.uplink(.ftth).interface == "ppp1"
        }
        let gone = try Files.text(monitor.logPath).split(separator: "\n").filter {
            // Lower rungs of the ladder go with the lines that are proved anew.
            $0.contains("Deleted default") && ($0.contains("table 8701") || $0.contains("metric 1 "))
        }
        #expect(gone.isEmpty, "\(gone)")
    }
}
