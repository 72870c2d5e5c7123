import NetworkTypes
import TestSupport
import Testing
import WANControl
import WANLab
import WANModel

@Suite("old flows finish where they are, and not for ever", .enabled(if: Needs.root, Needs.advice))
struct DrainTests {
    @Test("the drain ends with the last flow, long before its time; status counts what is left until then")
    func lastFlow() throws {
        let world = try World.running(Policies.threeLines(drain: "{default: 10m}"))
        #expect(try world.wanctl("failover", "jcom").succeeded)
        let connection = try ClientConnection.start(in: world.lab)
        #expect(try world.wanctl("auto").succeeded)
        try world.waitSelected(.ftth)
        try world.wait("status counts the connection and its octets") {
            let drain = try world.uplink(.jcom).drain
            return drain?.flows == 1 && drain?.bytes ?? 0 > 500
        }
        #expect(try world.wanctl("status").output.contains("1 old flow may finish"))
        #expect(try connection.stop().brokenBy == nil)
        try world.wait("the drain is over", seconds: 5) { try world.uplink(.jcom).traffic == .standby }
        let told = try #require(try world.history().last { $0.kind == "drained" })
        #expect(told.uplink == "jcom" && told.text.contains("no old flow is left"), "\(told.text)")
    }

    @Test("flows that fell silent end it too, the quiet connection of a shell only where the line is metered")
    func idle() throws {
        let world = try World.running(
            Policies.threeLines(drain: "{default: 10m, metered: 10m, idle: 2s}"))
        for (uplink, ends) in [(LabUplink.jcom, false), (.soracom, true)] {
            #expect(try world.wanctl("failover", uplink.rawValue).succeeded)
            let shell = try InboundClient.start(
                in: world.lab, at: .lan, to: Endpoint(LabAddress.content, 1007), .tcp, interval: .seconds(600))
            try world.wait("it is connected") { try !shell.snapshot().seenAs.isEmpty }
            #expect(try world.wanctl("auto").succeeded)
            try world.waitSelected(.ftth)
            if ends {
                try world.wait("the drain is over", seconds: 8) { try world.uplink(uplink).traffic == .standby }
                #expect(try world.history().last { $0.kind == "drained" }?.text.contains("idle") == true)
            } else {
                try world.watch(seconds: 4) { try world.uplink(uplink).traffic == .draining }
            }
            _ = try shell.stop()
        }
    }

    @Test("so many octets, and no more, over a line that costs money")
    func octets() throws {
        let world = try World.running(
            Policies.threeLines(drain: "{metered: 10m, metered-bytes: 500kB}"))
        #expect(try world.wanctl("failover", "soracom").succeeded)
        let download = try ClientDownload.start(in: world.lab, patience: .seconds(20))
        try world.wait("it runs") { try download.snapshot().octets > 10_000 }
        #expect(try world.wanctl("auto").succeeded)
        let before = try download.snapshot().octets
        try world.wait("the drain is over", seconds: 8) { try world.uplink(.soracom).traffic == .standby }
        let report = try download.stop()
        #expect(report.brokenBy == .reset)
        // It is looked at each second, and the download brings a megabyte in that.
        #expect(report.octets - before < 3_500_000)
        #expect(try world.history().last { $0.kind == "drained" }?.text.contains("octets") == true)
    }

    @Test("what came in by a line that works stays when its drain ends: it could go nowhere else")
    func inboundStays() throws {
        let world = try World.running(
            Policies.threeLines(
                drain: "{default: 2s, idle: 0s}",
                sections: "forwards: [{uplinks: [ftth], protocol: tcp, port: 8080, to: 192.168.0.200:80}]"))
        let server = try LabServer.start(in: world.lab, port: 80)
        let caller = try InboundClient.start(in: world.lab, to: Endpoint(LabUplink.ftth.address, 8080), .tcp)
        try world.wait("the caller is answered") { try caller.snapshot().answered > 5 }
        let talker = try ClientReconnector.start(in: world.lab)
        try world.wait("a client is connected") { try talker.snapshot().uplink == .ftth }
        #expect(try world.wanctl("failover", "jcom").succeeded)
        try world.wait("the client was moved", seconds: 6) { try talker.snapshot().breaks.first?.to == .jcom }
        let answered = try caller.snapshot().answered
        try world.wait("the caller goes on") { try caller.snapshot().answered > answered + 50 }
        #expect(try caller.stop().brokenBy == nil)
        #expect(try world.uplink(.ftth).traffic == .standby)
        _ = try talker.stop()
        server.stop()
    }

    @Test("drains go on over a restart of the daemon and end as was said")
    func restart() throws {
        let world = try World.running(Policies.threeLines(drain: "{default: 4s, idle: 0s}"))
        #expect(try world.wanctl("failover", "jcom").succeeded)
        let connection = try ClientReconnector.start(in: world.lab)
        try world.wait("it is connected") { try connection.snapshot().uplink == .jcom }
        #expect(try world.wanctl("auto").succeeded)
        try world.startDaemon()
        #expect(try world.uplink(.jcom).traffic == .draining)
        try world.wait("the drain is over", seconds: 6) { try world.uplink(.jcom).traffic == .standby }
        try world.wait("the connection was told and is on the new line") { try connection.snapshot().uplink == .ftth }
        #expect(try connection.stop().breaks.first?.by == .reset)
    }

    @Test("`wanctl drain` empties a line for maintenance and says when it is empty, also of what came in by it")
    func maintenance() throws {
        let world = try World.running(
            Policies.threeLines(
                drain: "{default: 2s}",
                sections: "forwards: [{uplinks: [ftth, jcom], protocol: tcp, port: 8080, to: 192.168.0.200:80}]"))
        let server = try LabServer.start(in: world.lab, port: 80)
        let caller = try InboundClient.start(in: world.lab, to: Endpoint(LabUplink.ftth.address, 8080), .tcp)
        try world.wait("the caller is answered") { try caller.snapshot().answered > 5 }
        let outgoing = try ClientConnection.start(in: world.lab)
        let drain = try world.wanctl("drain", "ftth", atMost: .seconds(15))
        #expect(drain.succeeded && drain.output.contains("2 flows left"), "\(drain.output)")
        // A segment that the caller sends once more is answered by its server's reset, and conntrack knows of that for 10 s.
        try world.wait("nothing is left on it", seconds: 12) {
            try world.flows(from: LabUplink.ftth.address).isEmpty
        }
        #expect(try world.status().selected == ["jcom"])
        #expect(try world.wanctl("enable", "ftth").succeeded)
        _ = try? outgoing.stop()
        _ = try caller.stop()
        server.stop()
    }

    @Test("two switches within a second, and a third: no flow is lost on the way, each ends up where it belongs")
    func inARow() throws {
        let world = try World.running(Policies.threeLines(drain: "{default: 1m, metered: 1m}"))
        let first = try ClientConnection.start(in: world.lab)
        #expect(try world.wanctl("failover", "jcom").succeeded)
        let second = try ClientConnection.start(in: world.lab)
        #expect(try world.wanctl("failover", "soracom").succeeded)
        let third = try ClientConnection.start(in: world.lab)
        let fresh = try ClientProber.start(in: world.lab, flow: .fresh())
        try world.waitTraffic(of: fresh, on: .soracom)
        #expect(try world.wanctl("failover", "ftth").succeeded)
        try world.waitTraffic(of: fresh, on: .ftth)
        #expect(try world.uplink(.jcom).traffic == .draining && world.uplink(.soracom).traffic == .draining)
        for connection in [first, second, third] {
            let echoed = try connection.snapshot().echoed
            try world.wait("it goes on") { try connection.snapshot().echoed > echoed + 30 }
            #expect(try connection.stop().brokenBy == nil)
        }
        let report = try fresh.stop()
        #expect(report.lost == 0 && report.wrongSourceCount == 0, "\(report.outages)")
    }
}
