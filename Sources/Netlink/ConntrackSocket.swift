internal import CMnl
internal import Glibc
package import NetworkTypes
package import PacketWire

/// The kernel's table of tracked flows: what conntrack(8) does, without the process.
package struct ConntrackSocket: ~Copyable {
    private var socket: NetlinkSocket

    /// Opens a socket in the calling thread's network namespace; it stays in it.
    package init() throws(NetlinkError) {
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

    /// How many flows have this mark under its mask; as dear as `entries`.
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
