internal import LinuxIO
internal import Netlink
internal import NetworkTypes
internal import PacketWire

/// Deleting the flows of an uplink, and no others.
extension Bench {
    func conntrack() throws {
        try sheet.heading("Deleting the tracked flows of one uplink by mark, beside conntrack(8)")
        let lab = try stage.build(.perfect)
        let buckets = try lab.mustRun(in: .router, ["cat", "/proc/sys/net/netfilter/nf_conntrack_buckets"])
        try sheet.note(
            "\(Self.others) flows of another uplink lie beside them and stay; \(buckets.dropLast()) buckets.")
        for count in [1_000, 10_000, 100_000] {
            try deletions(of: count, in: lab)
        }
        let empty = try (0..<max(2, runs / 2)).map { _ in
            try Self.milliseconds { try lab.mustRun(in: .router, ["true"]) }
        }
        try sheet.row("to start any program there, in that", empty, unit: "ms")
    }

    private static let others = 1000
    private static let left = FwMark(value: 0x1_0000, mask: 0xff_0000)
    private static let kept = FwMark(value: 0x2_0000, mask: 0xff_0000)

    private func deletions(of count: Int, in lab: Lab) throws {
        let rounds = max(2, runs / (count > 10_000 ? 4 : 2))
        var socket = try doing("open ctnetlink") { try lab.namespace(.router).inside { try ConntrackSocket() } }
        try socket.delete(mark: Self.left)
        try socket.delete(mark: Self.kept)
        try Self.fill(&socket, Self.others, mark: Self.kept)
        var ours: [Double] = []
        var theirs: [Double] = []
        for _ in 0..<rounds {
            try stage.check()
            try Self.fill(&socket, count, mark: Self.left)
            ours.append(try Self.milliseconds { _ = try socket.delete(mark: Self.left) })
            try Self.check(&socket)
            try Self.fill(&socket, count, mark: Self.left)
            let words = ["conntrack", "-D", "--mark", "\(Self.left)"]
            theirs.append(try Self.milliseconds { try lab.mustRun(in: .router, words, atMost: .seconds(120)) })
            try Self.check(&socket)
        }
        try sheet.row("\(count) flows, one message", ours, unit: "ms")
        try sheet.row("\(count) flows, conntrack -D --mark", theirs, unit: "ms")
    }

    /// Real entries, each with a tuple of its own: UDP from hosts of 10.0.0.0/8.
    private static func fill(_ socket: inout ConntrackSocket, _ count: Int, mark: FwMark) throws {
        let server = IPAddress.v4(LabAddress.content)
        for place in 0..<count {
            // The mark's byte in the address keeps the tuples of two marks apart.
            let host = IPAddress.v4(IPv4Address(bits: 10 << 24 | (mark.value & 0xff_0000) | UInt32(place / 50_000 + 1)))
            let port = UInt16(1024 + place % 50_000)
            var entry = ConntrackEntry(
                original: ConntrackEntry.Tuple(
                    source: host, destination: server, transport: 17, sourcePort: port, destinationPort: 7),
                reply: ConntrackEntry.Tuple(
                    source: server, destination: host, transport: 17, sourcePort: 7, destinationPort: port))
            entry.mark = mark.value
            try socket.create(entry, timeoutSeconds: 600)
        }
    }

    private static func check(_ socket: inout ConntrackSocket) throws {
        let (gone, stay) = (try socket.count(mark: left), try socket.count(mark: kept))
        guard gone == 0, stay == others else {
            throw LabError("delete by mark", "\(gone) of these flows are left, and of \(others) others \(stay)")
        }
    }
}
