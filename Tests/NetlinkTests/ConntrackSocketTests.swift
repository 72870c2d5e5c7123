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

    /// A flow of this protocol, answered or not, that differs from others in its port or identifier.
    private func tracked(_ number: Int, transport: UInt8, mark: UInt32, isAnswered: Bool = false) -> ConntrackEntry {
        var entry = flow(number, mark: mark)
        for side in [\ConntrackEntry.original, \.reply] {
            entry[keyPath: side].transport = transport
            switch transport {
            case 1:
                entry[keyPath: side].echo = .init(
                    type: side == \.original ? 8 : 0, code: 0, identifier: UInt16(number))
                (entry[keyPath: side].sourcePort, entry[keyPath: side].destinationPort) = (0, 0)
            case 50, 51:
                // The kernel tells such flows apart by their addresses only.
                let inside = IPAddress.v4(IPv4Address(10, 1, 0, UInt8(number & 255)))
                if side == \.original { entry.original.source = inside } else { entry.reply.destination = inside }
                (entry[keyPath: side].sourcePort, entry[keyPath: side].destinationPort) = (0, 0)
            default: break
            }
        }
        if transport == 6 { entry.tcpState = isAnswered ? 3 : 1 }  // ESTABLISHED, SYN_SENT
        if isAnswered { entry.status = [.seenReply, .assured] }
        return entry
    }

    /// Whether the running kernel is this one or a later one.
    private func kernelIs(atLeast wanted: (Int, Int)) throws -> Bool {
        let release = try namespace.run("uname", "-r").split(whereSeparator: { !$0.isNumber }).compactMap { Int($0) }
        try #require(release.count >= 2)
        return (release[0], release[1]) >= wanted
    }

    @Test(
        "what may move is deleted, connections that stand and other marks are not, with the kernel's filter and without",
        arguments: [true, false])
    func deleteMovable(filter: Bool) throws {
        var conntrack = try namespace.inside { try ConntrackSocket(filtersDeletions: filter) }
        let left = FwMark(value: 0x1_0000, mask: mask)
        var goes: Set<ConntrackEntry.Tuple> = []
        var stays: Set<ConntrackEntry.Tuple> = []
        var number = 0
        func add(_ transport: UInt8, mark: UInt32, isAnswered: Bool, moves: Bool) throws {
            number += 1
            let entry = tracked(number, transport: transport, mark: mark, isAnswered: isAnswered)
            try conntrack.create(entry, timeoutSeconds: 300)
            if moves { goes.insert(entry.original) } else { stays.insert(entry.original) }
        }
        for transport in ConntrackSocket.movableTransports {
            for isAnswered in [true, false] {
                try add(transport, mark: 0x1_0000, isAnswered: isAnswered, moves: true)
                try add(transport, mark: 0x2_0000, isAnswered: isAnswered, moves: false)
            }
            // Bits outside our mask are another program's.
            try add(transport, mark: 0x4100_0007 | 0x1_0000, isAnswered: true, moves: true)
            try add(transport, mark: 0x4100_0007, isAnswered: true, moves: false)
        }
        for _ in 0..<3 {
            try add(6, mark: 0x1_0000, isAnswered: false, moves: true)
            try add(6, mark: 0x1_0000, isAnswered: true, moves: false)
            try add(6, mark: 0x2_0000, isAnswered: false, moves: false)
            try add(6, mark: 0x41_0000, isAnswered: false, moves: false)
        }
        let total = try conntrack.total()
        #expect(total == goes.count + stays.count)
        let deleted = try conntrack.deleteMovable(mark: left)
        #expect(deleted == goes.count)
        if filter, try kernelIs(atLeast: (6, 11)) {
            let isFiltering = conntrack.filtersDeletions
            #expect(isFiltering, "the kernel refused the filter")
        }
        let remaining = try conntrack.entries(mark: FwMark(value: 0, mask: 0))
        #expect(Set(remaining.map(\.original)) == stays)
        // What conntrack(8) sees is the same.
        let listed = try namespace.run("conntrack", "-L")
        #expect(listed.split(separator: "\n").count == stays.count)
        let again = try conntrack.deleteMovable(mark: left)
        #expect(again == 0)
        #expect(throws: NetlinkError.self) { try conntrack.deleteMovable(mark: FwMark(value: 0, mask: 0)) }
        let after = try conntrack.total()
        #expect(after == stays.count)
    }

    @Test("flows are deleted one by one, many to a datagram; gone ones and ones that came after are left out")
    func deleteEntries() throws {
        var conntrack = try namespace.inside { try ConntrackSocket() }
        for number in 1...700 {
            let transports: [UInt8] = [17, 6, 1, 47]
            try conntrack.create(
                tracked(number, transport: transports[number % 4], mark: 0x1_0000), timeoutSeconds: 300)
        }
        try conntrack.create(tracked(701, transport: 50, mark: 0x1_0000), timeoutSeconds: 300)
        try conntrack.create(flow(702, mark: 0x1_0000, family: .v6), timeoutSeconds: 300)
        let flows = try conntrack.entries(mark: FwMark(value: 0x1_0000, mask: mask))
        #expect(flows.count == 702)
        #expect(flows.allSatisfy { $0.id != nil && $0.timeout.map { (295...300).contains($0) } == true })
        #expect(flows.allSatisfy { $0.status.contains(.confirmed) && !$0.status.contains(.offloaded) })
        let first = try #require(flows.first)
        var another = first
        another.id = first.id.map { $0 &+ 1 }
        let misses = try conntrack.delete([another])
        #expect(misses == 0)
        let deleted = try conntrack.delete(flows + [first])
        #expect(deleted == 702)
        let left = try conntrack.total()
        #expect(left == 0)
    }

    @Test("a flow of a zone is deleted in its zone")
    func deleteInZone() throws {
        var conntrack = try namespace.inside { try ConntrackSocket() }
        var inZone = flow(1, mark: 0x1_0000)
        inZone.zone = 7
        try conntrack.create(inZone, timeoutSeconds: 300)
        try conntrack.create(flow(1, mark: 0x2_0000), timeoutSeconds: 300)
        let found = try conntrack.entries(mark: FwMark(value: 0x1_0000, mask: mask))
        #expect(found.map(\.zone) == [7])
        let deleted = try conntrack.delete(found)
        #expect(deleted == 1)
        let others = try conntrack.count(mark: FwMark(value: 0x2_0000, mask: mask))
        #expect(others == 1)
    }

    @Test("a listing stops at its limit and says that there is more", arguments: [0, 1, 19, 20, 21, Int.max])
    func limited(limit: Int) throws {
        var conntrack = try namespace.inside { try ConntrackSocket() }
        for number in 0..<20 { try conntrack.create(flow(number, mark: 0x1_0000), timeoutSeconds: 300) }
        let found = try conntrack.entries(mark: FwMark(value: 0x1_0000, mask: mask), limit: limit)
        #expect(found.entries.count == min(limit, 20) && found.hasMore == (limit < 20))
        let total = try conntrack.total()
        #expect(total == 20)
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
