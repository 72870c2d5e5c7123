import Glibc
import LinuxIO
import Testing
import WANControl
import WANLab
import WANModel

@Suite("the daemon ends and starts", .enabled(if: Needs.root, Needs.advice))
struct RestartTests {
    @Test("not one packet is lost, and routes, rules and NAT stand in between", arguments: [SIGTERM, SIGKILL])
    func restart(signal: Int32) throws {
        let world = try World.running()
        let connection = try ClientConnection.start(in: world.lab)
        let established = try ClientProber.start(in: world.lab)
        let fresh = try ClientProber.start(in: world.lab, flow: .fresh())
        try world.waitTraffic(of: fresh, on: .ftth)
        let before = try world.ours()
        for line in ["8999: from all lookup 8700", "default dev ppp0 proto 87", "masquerade"] {
            let isThere = before.contains(line)
            #expect(isThere, "\(line) is not in \(before)")
        }
        if signal == SIGTERM {
            #expect(try world.daemon.terminate() == .exited(0))
        } else {
            try world.daemon.kill()
        }
        let sent = try fresh.snapshot().sent
        try world.wait("the client goes on without the daemon") { try fresh.snapshot().sent > sent + 200 }
        #expect(try world.ours() == before)
        try world.startDaemon()
        try world.settle()
        #expect(try world.ours() == before)
        #expect(try world.switches().isEmpty)
        // What an earlier run left is ours, and no other program's doing.
        #expect(try !world.history().contains { $0.kind == "repair" })
        #expect(try connection.stop().brokenBy == nil)
        for report in [try established.stop(), try fresh.stop()] {
            #expect(report.lost == 0, "\(report.outages)")
            #expect(report.byUplink.keys.map(\.rawValue) == ["ftth"])
        }
    }

    @Test("a call that the kernel led to another line while no daemon ran comes back when that line has drained")
    func ledAstray() throws {
        let world = try World.running(Policies.threeLines(drain: "{default: 1s, metered: 1s}"))
        try world.daemon.kill()
        try world.lab.setFault(.ftth, .carrierOff)
        let client = try ClientProber.start(in: world.lab)
        try world.waitTraffic(of: client, on: .jcom)
        try world.lab.clearFaults(.ftth)
        try world.startDaemon()
        try world.waitTraffic(of: client, on: .ftth, seconds: 10)
        #expect(try world.switches().isEmpty)
        #expect(try world.history().last { $0.kind == "drained" }?.uplink == "jcom")
        _ = try client.stop()
    }

    @Test("what a route of the administrator's own leads to a line is there by right, and does not drain")
    func ownRoute() throws {
        let world = try World.running()
        let server = world.lab.clientSite.server.address
        try world.lab.mustRun(in: .router, ["ip", "route", "add", "\(server)", "dev", "ppp1", "proto", "static"])
        let client = try ClientProber.start(in: world.lab)
        try world.waitTraffic(of: client, on: .soracom)
        try world.daemon.kill()
        try world.startDaemon()
        try world.settle()
        try world.watch(seconds: 3) { try world.uplink(.soracom).traffic == .standby }
        #expect(try client.stop().lost == 0)
    }

    @Test("a daemon that starts stays on the line it finds, though another comes first in the order")
    func adopts() throws {
        let world = try World.running()
        try world.lab.setFault(.ftth, .blackhole())
        try world.waitSelected(.jcom)
        try world.daemon.kill()
        try world.lab.clearFaults(.ftth)
        let client = try ClientProber.start(in: world.lab)
        try world.startDaemon()
        #expect(try world.status().selected == ["jcom"])
        try world.waitSelected(.ftth)
        let report = try client.stop()
        #expect(report.lost == 0 && report.unknownSources == 0)
    }

    /// Where in a switch the daemon is killed.
    enum Instant: String, CaseIterable, CustomTestStringConvertible {
        case suspecting, switched, beforeTheSecondSweep
        var testDescription: String { rawValue }
    }

    @Test(
        "killed in the middle of a switch and started again: all traffic ends on a line that works",
        arguments: Instant.allCases)
    func killedInMidSwitch(instant: Instant) throws {
        let world = try World.running()
        let established = try ClientProber.start(in: world.lab)
        let fresh = try ClientProber.start(in: world.lab, flow: .fresh())
        try world.waitTraffic(of: established, on: .ftth)
        try world.lab.setFault(.ftth, .blackhole())
        try world.wait("the daemon is at it") {
            switch instant {
            case .suspecting: try world.log.contains("ftth suspect")
            case .switched: try world.ladder.hasPrefix("default via 192.168.3.1")
            case .beforeTheSecondSweep: try world.log.contains("traffic from ftth to jcom")
            }
        }
        try world.daemon.kill()
        try world.startDaemon()
        try world.waitSelected(.jcom)
        try world.waitTraffic(of: fresh, on: .jcom)
        try world.waitTraffic(of: established, on: .jcom)
        #expect(try fresh.stop().wrongSourceCount == 0)
        #expect(try established.stop().wrongSourceCount == 0)
    }

    @Test("a line dies while no daemon runs: the kernel falls to the next by itself where the interface is gone")
    func ladderWithoutDaemon() throws {
        let world = try World.running()
        let client = try ClientProber.start(in: world.lab, flow: .fresh())
        try world.waitTraffic(of: client, on: .ftth)
        try world.daemon.kill()
        try world.lab.setFault(.ftth, .gone)
        try world.waitTraffic(of: client, on: .jcom)
        try world.startDaemon()
        try world.waitSelected(.jcom)
        let report = try client.stop()
        #expect(report.longestOutageMilliseconds < 100)
        #expect(report.wrongSourceCount == 0)
    }

    @Test("an established flow whose line died while no daemon ran moves when one starts")
    func flowOfADeadLine() throws {
        let world = try World.running()
        let client = try ClientProber.start(in: world.lab)
        try world.waitTraffic(of: client, on: .ftth)
        try world.daemon.kill()
        try world.lab.setFault(.ftth, .blackhole())
        try world.startDaemon()
        try world.waitTraffic(of: client, on: .jcom)
        #expect(try client.stop().wrongSourceCount == 0)
    }

    @Test("a second daemon refuses to start and touches nothing")
    func second() throws {
        let world = try World.running()
        let client = try ClientProber.start(in: world.lab)
        let before = try world.ours()
        let second = try world.lab.run(in: .router, world.daemonWords())
        #expect(second.status == .exited(1))
        #expect(second.errors.contains("another daemon"), "\(second.errors)")
        #expect(try world.ours() == before)
        #expect(try world.status().selected == ["ftth"])
        #expect(try client.stop().lost == 0)
    }
}
