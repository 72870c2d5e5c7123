import Glibc
import LinuxIO
import NetworkTypes
import TestSupport
import Testing
import WANDataplane
import WANModel

private func forward(
    _ uplinks: [UplinkNumber], _ transport: Forward.Transport, _ ports: ClosedRange<UInt16>, _ host: UInt8,
    _ hostPort: UInt16
) -> DataplaneForward {
    DataplaneForward(
        uplinks: uplinks, transport: transport, ports: ports, host: IPv4Address(192, 168, 0, host), hostPort: hostPort)
}

@Suite("forwards, by packets", .enabled(if: TestNamespace.isAvailable, "\(TestNamespace.advice)"))
struct ForwardTests {
    private let stage: RouterStage

    init() throws {
        stage = try RouterStage()
        try stage.apply(try input())
    }

    private func input() throws -> RulesetInput {
        RulesetInput(
            uplinks: try stage.uplinks(), classes: [to(one)],
            forwards: [
                forward([one, two], .tcp, 80...80, 20, 8080),
                forward([one], .udp, 5000...5010, 21, 5000),
                forward([one], .udp, 6000...6010, 22, 7000),
                forward([two], .tcp, 79...81, 22, 79),
                forward([one], .tcp, 443...443, 23, 443),
            ])
    }

    private func fromOutside(_ address: String, _ port: UInt16, at receivingPort: UInt16) throws -> Fate {
        try stage.udp(
            from: "9.9.9.9", to: address, port, at: receivingPort, sender: stage.internet, receiver: stage.lan)
    }

    @Test("single ports, ranges and shifted ranges of TCP and UDP lead where they say, the client's address intact")
    func ports() throws {
        let client = SocketName(IPv4Address(9, 9, 9, 9), 4000)
        func udp(_ port: UInt16, at receivingPort: UInt16) throws -> Fate {
            try stage.udp(
                from: "9.9.9.9", sourcePort: 4000, to: "198.51.1.1", port, at: receivingPort, sender: stage.internet,
                receiver: stage.lan)
        }
        #expect(try udp(5000, at: 5000) == .arrived(from: client))
        #expect(try udp(5010, at: 5010) == .arrived(from: client))
        #expect(try udp(6000, at: 7000) == .arrived(from: client))
        #expect(try udp(6010, at: 7010) == .arrived(from: client))
        // One beside the range is the router's own port, where nobody is.
        #expect(try udp(5011, at: 5011) == .refused(ECONNREFUSED))
        #expect(try udp(6011, at: 7011) == .refused(ECONNREFUSED))
        let fate = try stage.tcp(
            from: "9.9.9.9", to: "198.51.1.1", 443, sender: stage.internet, receiver: stage.lan)
        #expect("\(fate)".hasPrefix("from 9.9.9.9:"))
        // Of uplink 1 alone.
        #expect(
            try stage.tcp(from: "9.9.9.9", to: "198.51.2.1", 443, sender: stage.internet, receiver: stage.lan)
                == .refused(ECONNREFUSED))
    }

    @Test("replies leave by the uplink the request came in on, though another one is selected")
    func replies() throws {
        for uplink in 1...2 {
            let connection = try stage.connect(
                from: "9.9.9.9", to: "198.51.\(uplink).1", 80, at: 8080, sender: stage.internet, receiver: stage.lan)
            #expect("\(connection.fate)".hasPrefix("from 9.9.9.9:"))
            #expect(connection.echo() == 0)
            #expect(connection.peer == SocketName(IPv4Address(198, 51, UInt8(uplink), 1), 80))
        }
        let flows = try stage.router.run("conntrack", "-L", "-p", "tcp", "--mark", "0x20000/0xff0000")
        #expect(flows.contains("dst=198.51.2.1 ") && !flows.contains("dst=198.51.1.1 "))
    }

    @Test("a port that two forwards claim is the first one's, the rest of its range the second's")
    func claims() throws {
        func tcp(_ port: UInt16, at receivingPort: UInt16) throws -> String {
            let fate = try stage.tcp(
                from: "9.9.9.9", to: "198.51.2.1", port, at: receivingPort, sender: stage.internet,
                receiver: stage.lan)
            return "\(fate)"
        }
        #expect(try tcp(79, at: 79).hasPrefix("from 9.9.9.9:"))
        #expect(try tcp(80, at: 8080).hasPrefix("from 9.9.9.9:"))
        #expect(try tcp(81, at: 81).hasPrefix("from 9.9.9.9:"))
    }

    @Test("from the LAN to an uplink's address: the same forwards, and the answers come back through the router")
    func hairpin() throws {
        let near = try stage.connect(from: "192.168.0.10", to: "198.51.1.1", 80, at: 8080, receiver: stage.lan)
        #expect("\(near.fate)".hasPrefix("from 192.168.0.1:"))
        #expect(near.echo() == 0)
        #expect(near.peer == SocketName(IPv4Address(198, 51, 1, 1), 80))
        let far = try stage.connect(
            from: "192.168.1.10", to: "198.51.2.1", 80, at: 8080, sender: stage.office, receiver: stage.lan)
        #expect("\(far.fate)".hasPrefix("from 192.168.0.1:"))
        #expect(far.echo() == 0)
        // What is no forward is the router's own port.
        #expect(try stage.tcp(to: "198.51.1.1", 22, receiver: stage.lan) == .refused(ECONNREFUSED))
    }

    @Test("an uplink's new address is forwarded at once from outside, and from the LAN with one change of elements")
    func newAddress() throws {
        // The second address takes the place of the first, and the routes stay.
        try stage.router.inside { try Files.write("1", to: "/proc/sys/net/ipv4/conf/up1/promote_secondaries") }
        try stage.router.run("ip", "address", "add", "198.51.1.77/24", "dev", "up1")
        try stage.router.run("ip", "address", "del", "198.51.1.1/24", "dev", "up1")
        #expect("\(try fromOutside("198.51.1.77", 5003, at: 5003))".hasPrefix("from 9.9.9.9:"))
        var next = stage.input
        next.uplinks[0].attachment?.addresses = [.v4(IPv4Address(198, 51, 1, 77))]
        try stage.steer(to: next)
        let near = try stage.connect(from: "192.168.0.10", to: "198.51.1.77", 80, at: 8080, receiver: stage.lan)
        #expect("\(near.fate)".hasPrefix("from 192.168.0.1:"))
        #expect(near.echo() == 0)
    }

    @Test("a forward is not a way through the uplink to somebody else's address")
    func notOurs() throws {
        // Routed through us, not to us.
        try stage.internet.run("ip", "route", "add", "192.168.1.0/24", "via", "198.51.1.1")
        let fate = try stage.udp(
            from: "9.9.9.9", to: "192.168.1.10", 5000, at: 5000, sender: stage.internet, receiver: stage.office)
        #expect("\(fate)".hasPrefix("from 9.9.9.9:"))
    }
}
