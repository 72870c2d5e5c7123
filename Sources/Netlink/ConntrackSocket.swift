internal import CMnl
internal import Glibc
package import NetworkTypes
package import PacketWire

/// The kernel's table of tracked flows: what conntrack(8) does, without the process.
package struct ConntrackSocket: ~Copyable {
    private var socket: NetlinkSocket
    /// Whether the kernel chooses flows to delete by protocol (CTA_FILTER in a deletion, Linux 6.11).
    package private(set) var filtersDeletions: Bool

    /// Opens a socket in the calling thread's network namespace; it stays in it.
    ///
    /// - Parameter filtersDeletions: whether to try what only Linux 6.11 and later can; false takes the way of older kernels.
    package init(filtersDeletions: Bool = true) throws(NetlinkError) {
        self.filtersDeletions = filtersDeletions
        socket = try NetlinkSocket.open(bus: NETLINK_NETFILTER, receiveBuffer: 4 << 20, purpose: "open ctnetlink")
    }

    /// Deletes the flows of both families with this mark under its mask, and no others: one message, one walk of the
    /// kernel's table (0.8 ms at 1000 flows in 262144 buckets).
    ///
    /// The kernel does not say how many it deleted. Returned is by how many its total fell, which is short of the truth by
    /// the flows that began in that millisecond. A mask of 0 would match every flow on the machine and is refused with EINVAL.
    @discardableResult
    package mutating func delete(mark: FwMark) throws(NetlinkError) -> Int {
        guard mark.mask != 0 else {
            throw NetlinkError(
                operation: "conntrack -D --mark \(mark)", errno: EINVAL, sentence: "a mask of 0 matches every flow")
        }
        let before = try total()
        try perform(.delete(mark))
        return max(0, before - (try total()))
    }

    /// The protocols, besides TCP that never had an answer, whose flows may move at any moment: none has a connection that
    /// breaks with its address. UDP comes first: it is what calls and tunnels use.
    package static let movableTransports: [UInt8] = [
        17,  // UDP
        1,  // ICMP
        50, 51,  // ESP, AH
        47,  // GRE
        136,  // UDP-Lite
    ]

    /// Deletes the IPv4 flows with this mark that need no connection: all of the `movableTransports`, and TCP that never had
    /// an answer. Connections that stand stay, and so do other marks.
    ///
    /// Where the kernel can choose, it is one message for each protocol, carried out in order (each walks the kernel's table
    /// once); before Linux 6.11 the flows are dumped and deleted one by one, and the socket remembers that. Returned is by
    /// how many the kernel's total fell. A mask of 0 is refused with EINVAL, as in `delete(mark:)`.
    @discardableResult
    package mutating func deleteMovable(mark: FwMark) throws(NetlinkError) -> Int {
        let operation = "conntrack -D --mark \(mark), all but connections"
        guard mark.mask != 0 else {
            throw NetlinkError(operation: operation, errno: EINVAL, sentence: "a mask of 0 matches every flow")
        }
        let before = try total()
        let isDone = filtersDeletions ? try deleteMovableByFilter(mark, operation) : false
        if !isDone {
            try delete(
                entries(mark: mark).filter { flow in
                    flow.original.source.family == .v4
                        && (Self.movableTransports.contains(flow.original.transport)
                            || flow.original.transport == 6 && !flow.status.contains(.seenReply))
                })
        }
        return max(0, before - (try total()))
    }

    /// False where the kernel does not know the filter; it has deleted nothing then.
    private mutating func deleteMovableByFilter(
        _ mark: FwMark, _ operation: String
    ) throws(NetlinkError) -> Bool {
        let requests: [ConntrackRequest] =
            Self.movableTransports.map { .deleteTransport(mark, transport: $0) }
            + [.deleteUnanswered(mark, transport: 6)]
        let verdicts = try socket.exchange(requests, for: operation) { $0.write(into: &$1, sequence: $2) }
        // EINVAL: the tuple of the filter has no addresses, and an older kernel wants a whole one. EOPNOTSUPP: 5.8 to 6.10
        // know the filter for dumps only. Kernels of both kinds refuse every message alike.
        if verdicts.allSatisfy({ $0.errno == EINVAL || $0.errno == EOPNOTSUPP }) {
            filtersDeletions = false
            return false
        }
        for (request, verdict) in zip(requests, verdicts) where verdict.errno != 0 {
            throw NetlinkError("\(request)", verdict)
        }
        return true
    }

    /// Deletes these flows, many to a datagram, and returns how many were still there.
    @discardableResult
    package mutating func delete(_ entries: [ConntrackEntry]) throws(NetlinkError) -> Int {
        var deleted = 0
        for part in entries.slices(of: Self.batch) {
            let verdicts = try socket.exchange(part, for: "\(part.count) × conntrack -D") {
                ConntrackRequest.deleteEntry($0).write(into: &$1, sequence: $2)
            }
            for (entry, verdict) in zip(part, verdicts) {
                switch verdict.errno {
                case 0: deleted += 1
                case ENOENT: break  // gone already, or another flow has its place
                default: throw NetlinkError("\(ConntrackRequest.deleteEntry(entry))", verdict)
                }
            }
        }
        return deleted
    }

    /// How many deletions share a datagram: their answers fit the receive buffer many times over.
    private static var batch: Int { 512 }

    /// How many flows this namespace tracks, whatever their mark; costs microseconds.
    package mutating func total() throws(NetlinkError) -> Int {
        let request = ConntrackRequest.total
        var total: UInt32 = 0
        let verdict = try socket.ask(isDump: false, for: "\(request)", request.write) {
            (_, payload) throws(WireError) in
            total = try ConntrackRequest.total(in: payload)
        }
        if let verdict, verdict.errno != 0 { throw NetlinkError("\(request)", verdict) }
        return Int(total)
    }

    /// The flows of both families with this mark under its mask.
    ///
    /// A dump visits every bucket of the kernel's table: some 10 ms with 262144 of them, however few flows there are. It
    /// has no place on the way to a switch.
    package mutating func entries(mark: FwMark) throws(NetlinkError) -> [ConntrackEntry] {
        let request = ConntrackRequest.dump(mark)
        return try socket.dump(for: "\(request)", request.write) { (header, payload) throws(WireError) in
            header.type == ConntrackRequest.entryType ? try ConntrackEntry(payload) : nil
        }
    }

    /// Some of the flows with this mark, at most `limit`, and whether there are more. It takes as long as `entries`, but no
    /// more memory than the limit allows.
    package mutating func entries(
        mark: FwMark, limit: Int
    ) throws(NetlinkError) -> (entries: [ConntrackEntry], hasMore: Bool) {
        let request = ConntrackRequest.dump(mark)
        let wanted = max(0, limit)
        var found = try socket.dump(for: "\(request)", limit: wanted < .max ? wanted + 1 : wanted, request.write) {
            (header, payload) throws(WireError) in
            header.type == ConntrackRequest.entryType ? try ConntrackEntry(payload) : nil
        }
        let hasMore = found.count > wanted
        if hasMore { found.removeLast() }
        return (found, hasMore)
    }

    /// The flows of both families, whatever their mark, for which this holds. It takes as long as `entries`, and no more memory than
    /// what is found.
    package mutating func entries(
        where isWanted: (ConntrackEntry) -> Bool
    ) throws(NetlinkError) -> [ConntrackEntry] {
        let request = ConntrackRequest.dump(FwMark(value: 0, mask: 0))
        return try socket.dump(for: "\(request)", request.write) { (header, payload) throws(WireError) in
            guard header.type == ConntrackRequest.entryType else { return nil }
            let entry = try ConntrackEntry(payload)
            return isWanted(entry) ? entry : nil
        }
    }

    /// How many flows have this mark under its mask; as expensive as `entries`.
    package mutating func count(mark: FwMark) throws(NetlinkError) -> Int {
        let request = ConntrackRequest.dump(mark)
        return try socket.dump(for: "\(request)", request.write) { (header, _) throws(WireError) in
            header.type == ConntrackRequest.entryType ? () : nil
        }.count
    }

    /// Puts a flow into the table; a flow that is there already is refused with EEXIST. For tests and measurements.
    package mutating func create(_ entry: ConntrackEntry, timeoutSeconds: UInt32) throws(NetlinkError) {
        try perform(.create(entry, timeoutSeconds: timeoutSeconds))
    }

    private mutating func perform(_ request: ConntrackRequest) throws(NetlinkError) {
        let verdict = try socket.ask(isDump: false, expectsMessage: false, for: "\(request)", request.write) {
            (_, _) throws(WireError) in
        }
        if let verdict, verdict.errno != 0 { throw NetlinkError("\(request)", verdict) }
    }
}
