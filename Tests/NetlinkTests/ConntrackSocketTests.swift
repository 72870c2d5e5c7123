import Glibc
import Netlink
import NetworkTypes
import PacketWire
import TestSupport
import Testing

/// A UDP flow of a LAN host to the outside, with this mark.
func flow(_ number: Int, mark: UInt32, family: AddressFamily = .v4) -> ConntrackEntry {
    let inside: IPAddress
    let outside: IPAddress
    switch family {
    case .v4:
        inside = .v4(IPv4Address(bits: 0x0a00_0000 + UInt32(number / 50_000)))
        outside = .v4(IPv4Address(8, 8, 8, 8))
    case .v6:
        inside = .v6(IPv6Address(high: 0x2001_0db8_0000_0000, low: UInt64(number / 50_000)))
        outside = .v6(IPv6Address(high: 0x2001_0db8_ffff_0000, low: 8))
    }
    let port = UInt16(1024 + number % 50_000)
    var entry = ConntrackEntry(
        original: .init(source: inside, destination: outside, transport: 17, sourcePort: port, destinationPort: 53),
        reply: .init(source: outside, destination: inside, transport: 17, sourcePort: 53, destinationPort: port))
    entry.mark = mark
    return entry
}

@Suite("ctnetlink: flows by mark", .enabled(if: TestNamespace.isAvailable, "\(TestNamespace.advice)"))
struct ConntrackSocketTests {
    private let namespace: TestNamespace
    private let mask: UInt32 = 0xff_0000

    init() throws { namespace = try TestNamespace.make() }

    @Test("deleting by mark deletes those flows of both families, and no other")
    func deleteByMark() throws {
        var conntrack = try namespace.inside { try ConntrackSocket() }
        for number in 0..<20 { try conntrack.create(flow(number, mark: 0x1_0000), timeoutSeconds: 300) }
        for number in 20..<30 {
            // A bit outside the mask is somebody else's and changes nothing.
            try conntrack.create(flow(number, mark: 0x1_0007, family: .v6), timeoutSeconds: 300)
        }
        for number in 30..<35 { try conntrack.create(flow(number, mark: 0x2_0000), timeoutSeconds: 300) }
        for number in 35..<38 { try conntrack.create(flow(number, mark: 0), timeoutSeconds: 300) }
        let first = FwMark(value: 0x1_0000, mask: mask)
        let second = FwMark(value: 0x2_0000, mask: mask)
        let before = try conntrack.count(mark: first)
        #expect(before == 30)
        let listed = try namespace.run("conntrack", "-L", "--mark", "0x10000/0xff0000", "-f", "ipv4")
        #expect(listed.split(separator: "\n").count == 20)
        let total = try conntrack.total()
        #expect(total == 38)
        let deleted = try conntrack.delete(mark: first)
        #expect(deleted == 30)
        let after = try conntrack.count(mark: first)
        #expect(after == 0)
        let others = try conntrack.entries(mark: second)
        #expect(Set(others.map(\.original)) == Set((30..<35).map { flow($0, mark: 0).original }))
        let unmarked = try conntrack.count(mark: FwMark(value: 0, mask: mask))
        #expect(unmarked == 3)
    }

    @Test("deleting where there is nothing is no error")
    func deleteNothing() throws {
        var conntrack = try namespace.inside { try ConntrackSocket() }
        try conntrack.delete(mark: FwMark(value: 0x1_0000, mask: mask))
        let count = try conntrack.count(mark: FwMark(value: 0x1_0000, mask: mask))
        #expect(count == 0)
    }

    @Test("a mark without a mask would delete everything and is refused")
    func noMask() throws {
        var conntrack = try namespace.inside { try ConntrackSocket() }
        try conntrack.create(flow(1, mark: 0x1_0000), timeoutSeconds: 300)
        var refused: NetlinkError?
        do throws(NetlinkError) { try conntrack.delete(mark: FwMark(value: 0, mask: 0)) } catch { refused = error }
        #expect(refused?.errno == EINVAL)
        let count = try conntrack.count(mark: FwMark(value: 0, mask: 0))
        #expect(count == 1)
    }

    @Test("a real flow is found with its counters and its translation")
    func realFlow() throws {
        try namespace.run(
            lines: """
                sysctl -qw net.netfilter.nf_conntrack_acct=1
                ip address add 192.0.2.2/32 dev lo
                """)
        try namespace.run(
            "nft", "-f", "-",
            input: """
                table inet t {
                  chain out { type filter hook output priority -150; ct mark set 0x30000; }
                  chain post { type nat hook postrouting priority 100; ip daddr 192.0.2.2 snat ip to 192.0.2.2; }
                }
                """)
        try namespace.inside {
            let udp = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
            defer { close(udp) }
            var to = sockaddr_in()
            to.sin_family = sa_family_t(AF_INET)
            to.sin_port = UInt16(9).bigEndian
            to.sin_addr.s_addr = UInt32(0xc000_0202).bigEndian
            let sent = withUnsafePointer(to: &to) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    sendto(udp, "hello", 5, 0, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            #expect(sent == 5)
        }
        var conntrack = try namespace.inside { try ConntrackSocket() }
        let flows = try conntrack.entries(mark: FwMark(value: 0x3_0000, mask: mask))
        let flow = try #require(flows.first { $0.original.transport == 17 })
        #expect(flow.original.destination == IPAddress("192.0.2.2"))
        #expect(flow.original.destinationPort == 9)
        #expect(flow.reply.destination == IPAddress("192.0.2.2"))
        #expect(flow.originalCounters == .init(packets: 1, bytes: 33))
    }
}
