import Glibc
import LinuxIO
import Netlink
import NetworkTypes
import PacketWire
import TestSupport
import Testing

/// A router and a LAN client in two namespaces; the server's address is the router's, which serves as the world.
@Suite("a nudge: an idle TCP client speaks", .enabled(if: TestNamespace.isAvailable, "\(TestNamespace.advice)"))
struct TCPNudgeTests {
    private let router: TestNamespace
    private let client: TestNamespace
    private let mark: UInt32 = 0xff_0000

    init() throws {
        router = try TestNamespace.make()
        client = try TestNamespace.make()
        let other = "/proc/\(getpid())/fd/\(client.namespace.descriptor.raw)"
        // Numbers that differ: a veth with its peer's number gets its carrier a second later (linkwatch_urgent_event).
        try router.run(
            lines: """
                ip link add lan0 index 101 type veth peer name eth0 netns \(other)
                ip address add 10.0.0.1/24 dev lan0
                ip address add 203.0.113.9/32 dev lo
                ip link set lan0 up
                """)
        try client.run(
            lines: """
                ip address add 10.0.0.2/24 dev eth0
                ip link set eth0 up
                ip route add default via 10.0.0.1
                """)
        try router.run(
            "nft", "-f", "-",
            input: """
                table inet watch {
                    counter acknowledged { }
                    counter torn { }
                    counter nudged { }
                    chain in {
                        type filter hook input priority 0
                        iifname lan0 tcp flags & (ack | syn | rst | fin) == ack tcp dport 443 counter name acknowledged
                        iifname lan0 tcp flags & rst == rst counter name torn
                    }
                    chain out {
                        type filter hook output priority 0
                        oifname lan0 meta mark 0xff0000 counter name nudged
                    }
                }
                """)
    }

    private func count(_ name: String, _ nft: inout NftablesSocket) throws -> UInt64 {
        try #require(try nft.counters(.inet("watch"))[name]).packets
    }

    @Test("an idle client answers at once with an acknowledgement, and its connection goes on", .timeLimit(.minutes(1)))
    func answers() throws {
        let listener = try router.inside {
            let listener = try InetSocket(SOCK_STREAM)
            try listener.bind("203.0.113.9", 443)
            try listener.listen()
            return listener
        }
        let speaker = try client.inside {
            let speaker = try InetSocket(SOCK_STREAM)
            try speaker.connect("203.0.113.9", 443)
            return speaker
        }
        let server = try listener.accept()
        #expect(speaker.reaches(server) && server.reaches(speaker))
        var nft = try router.inside { try NftablesSocket() }
        let raw = try router.inside { try RawIPv4Socket(mark: mark) }
        let nudge = TCPNudge(
            source: IPv4Address(203, 0, 113, 9), sourcePort: 443, destination: IPv4Address(10, 0, 0, 2),
            destinationPort: try speaker.port())

        // A delayed ACK of the last byte may still be under way: wait until the line is quiet for 200 ms.
        var before = try count("acknowledged", &nft)
        var quiet = Clock.boottime()
        while Clock.boottime() - quiet < 200_000_000 {
            let now = try count("acknowledged", &nft)
            if now != before { (before, quiet) = (now, Clock.boottime()) }
            poll(nil, 0, 5)
        }
        let outcome = raw.send([nudge], to: \.destination.bits) { $0.write(into: &$1) }
        #expect(outcome == .init(sent: 1))
        let deadline = Clock.boottime() + 2_000_000_000
        var after = before
        while after == before, Clock.boottime() < deadline {
            after = try count("acknowledged", &nft)
            poll(nil, 0, 1)
        }
        #expect(after == before + 1)
        #expect(try count("nudged", &nft) == 1)
        // Not harmed: both ways work, nobody reset.
        #expect(speaker.reaches(server) && server.reaches(speaker))
        #expect(speaker.readError() == EAGAIN)
        #expect(try count("torn", &nft) == 0)
    }

    @Test("a batch larger than one call goes out whole; what has no route is counted")
    func batch() throws {
        let raw = try router.inside { try RawIPv4Socket(mark: mark) }
        var nft = try router.inside { try NftablesSocket() }
        let nudges = (1...150 as ClosedRange<UInt16>).map { number in
            TCPNudge(
                source: IPv4Address(203, 0, 113, 9), sourcePort: 443,
                destination: number % 50 == 0 ? IPv4Address(192, 0, 2, 1) : IPv4Address(10, 0, 0, 2),
                destinationPort: number)
        }
        let outcome = raw.send(nudges, to: \.destination.bits) { $0.write(into: &$1) }
        #expect(outcome.sent == 147 && outcome.refused == 3 && outcome.reason?.errno == ENETUNREACH)
        #expect(try count("nudged", &nft) == 147)
        #expect(raw.send([TCPNudge](), to: \.destination.bits) { $0.write(into: &$1) } == .init())
    }
}
