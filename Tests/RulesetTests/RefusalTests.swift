import Glibc
import LinuxIO
import NetworkTypes
import TestSupport
import Testing
import WANDataplane
import WANModel

@Suite("guard and resets, by packets", .enabled(if: TestNamespace.isAvailable, "\(TestNamespace.advice)"))
struct RefusalTests {
    private let stage: RouterStage

    init() throws { stage = try RouterStage() }

    @Test("nobody but the router speaks with the network of the SIM over the SIM")
    func guardOfSIM() throws {
        let input = RulesetInput(
            uplinks: try stage.uplinks(),
            rules: [ClassifyingRule(match { $0.source = addresses("192.168.0.11") }, class: 1)],
            classes: [to(one), to(three)])
        try stage.apply(input)
        #expect(try stage.udp(from: "192.168.0.11", to: "100.127.100.127", 80) == .dropped)
        #expect(try stage.tcp(from: "192.168.0.11", to: "100.127.0.1", 80) == .dropped)
        #expect(try stage.packets("guarded") >= 2)
        #expect(try stage.udp(from: "192.168.0.11", to: "9.9.9.9", 80) == .uplink(3))
        // Over another uplink it is an address like any other.
        #expect(try stage.udp(from: "192.168.0.10", to: "100.127.100.127", 80) == .uplink(1))
        #expect(
            try stage.tcp(from: "198.51.3.1", to: "100.127.100.127", 80, sender: stage.router) == .uplink(3))
    }

    @Test("a torn connection's client gets a reset with its next segment; its neighbours do not")
    func torn() throws {
        try stage.apply(RulesetInput(uplinks: try stage.uplinks(), classes: [to(one)]))
        let left = try stage.connect(from: "192.168.0.10", to: "9.9.9.9", 80)
        let other = try stage.connect(from: "192.168.0.11", to: "9.9.9.9", 80)
        #expect(left.echo() == 0 && other.echo() == 0)
        let local = try #require(left.local)
        try stage.nft("add element inet wanctl torn { \(local.address) . \(local.port) . 9.9.9.9 . 80 timeout 30s }")
        try stage.router.run("conntrack", "-D", "-s", "192.168.0.10", "-p", "tcp")
        let error = left.echo()
        #expect(error == ECONNRESET, "\(String(cString: strerror(error)))")
        #expect(other.echo() == 0)
        #expect(try stage.packets("resets") == 1)
        // A new connection is none of it.
        #expect(try stage.tcp(from: "192.168.0.10", to: "9.9.9.9", 80) == .uplink(1))
    }

    @Test("while strays are expected, a connection that nobody knows here gets a reset; what is known goes on")
    func strays() throws {
        var input = RulesetInput(uplinks: try stage.uplinks(), classes: [to(one)])
        try stage.apply(input)
        let lost = try stage.connect(from: "192.168.0.10", to: "9.9.9.9", 80)
        let known = try stage.connect(from: "192.168.0.11", to: "9.9.9.9", 80)
        #expect(lost.echo() == 0 && known.echo() == 0)
        let forget = { try stage.router.run("conntrack", "-D", "-s", "192.168.0.10", "-p", "tcp") }
        // With the address it had it is taken up again: `conntrack -F` costs nobody a connection.
        _ = try forget()
        #expect(lost.echo() == 0)
        input.resetsStrays = true
        try stage.steer(to: input)
        #expect(lost.echo() == 0 && known.echo() == 0)
        _ = try forget()
        let error = lost.echo()
        #expect(error == ECONNRESET, "\(String(cString: strerror(error)))")
        #expect(known.echo() == 0)
        #expect(try stage.packets("resets") == 1)
        #expect(try stage.tcp(from: "192.168.0.10", to: "9.9.9.9", 80) == .uplink(1))
        input.resetsStrays = false
        try stage.steer(to: input)
        _ = try stage.router.run("conntrack", "-D", "-s", "192.168.0.11", "-p", "tcp")
        #expect(known.echo() == 0)
    }

    @Test("what the daemon forges is not tracked, and reaches the LAN past the strict marks' last rule")
    func untracked() throws {
        try stage.apply(
            RulesetInput(
                uplinks: try stage.uplinks(), rules: [ClassifyingRule(match { $0.dscp = 8 }, class: 1)],
                classes: [to(one), to(two, .drop)]))
        let sender = try stage.router.inside { () throws(SystemCallError) in try openSocket(SOCK_DGRAM) }
        var mark = MarkLayout().mark(.untracked).value
        setsockopt(sender.raw, SOL_SOCKET, SO_MARK, &mark, 4)
        let server = try stage.lan.inside { () throws(SystemCallError) in
            try openSocket(SOCK_DGRAM, from: SocketName(IPv4Address(192, 168, 0, 10), 4444))
        }
        let raw = sender.raw
        #expect(
            withName(SocketName(IPv4Address(192, 168, 0, 10), 4444)) { sendto(raw, "x", 1, 0, $0, nameLength) } == 1)
        wait(2000, reading: [server.raw])
        var byte: UInt8 = 0
        #expect(recv(server.raw, &byte, 1, 0) == 1)
        #expect(try !stage.router.run("conntrack", "-L").contains("dport=4444"))
    }
}
