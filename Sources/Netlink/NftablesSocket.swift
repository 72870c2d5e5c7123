internal import CMnl
internal import Glibc
package import PacketWire

/// The elements of nftables sets and maps, changed without libnftables: a small transaction takes microseconds and not the
/// tens of them that parsing text takes, which is what a switch of uplinks can afford.
///
/// Tables, chains and rules are made by `NftablesContext`. The kernel tells of a transaction from here as of any other
/// (`NftablesEvent.committed` with this process's name).
package struct NftablesSocket: ~Copyable {
    private var socket: NetlinkSocket

    /// Opens a socket in the calling thread's network namespace; it stays in it.
    package init() throws(NetlinkError) {
        socket = try NetlinkSocket.open(bus: NETLINK_NETFILTER, receiveBuffer: 1 << 20, purpose: "open nf_tables")
    }

    /// Carries out all changes together, in their order, or none of them.
    ///
    /// What refused them is thrown: the change, its set and table, and the kernel's reason. ENOENT: the table, the set, the
    /// chain or an element to remove is not there.
    package mutating func perform(
        _ changes: [NftablesChange], in table: NftablesEvent.Table
    ) throws(NetlinkError) {
        let first = socket.nextSequence()
        for _ in 1..<NftablesTransaction.sequences(for: changes) { _ = socket.nextSequence() }
        let transaction = NftablesTransaction(table, changes, sequence: first)
        guard let last = transaction.lastSequence else { return }
        let operation = { "nft: \(changes.count) changes in table \(table)" }
        socket.makeRoom(forSending: transaction.octets.count)
        try socket.send(transaction.octets, for: operation())
        // The kernel answers before send returns: a verdict about the begin (nothing was done at all, or the commit was
        // refused), then one for each refused message, then the acknowledgement of the last message.
        var fault: NetlinkError?
        var isOver = false
        while !isOver {
            let arrival = try socket.receive(wait: true, for: operation()) { (header, payload) throws(WireError) in
                guard header.port == socket.port, header.sequence == first || transaction.knows(header.sequence),
                    case .answered(let verdict) = try NetlinkControl(header, payload)
                else { return }
                if verdict.errno != 0, fault == nil {
                    let change = transaction.change(numbered: header.sequence)
                    fault = NetlinkError("nft: \(change.map { "\($0) in " } ?? "changes in ")table \(table)", verdict)
                }
                if header.sequence == last || header.sequence == first && verdict.errno != 0 { isOver = true }
            }
            switch arrival {
            case .datagram: break
            case .nothing: throw fault ?? NetlinkError(operation: operation(), errno: ETIMEDOUT)
            case .overrun: throw fault ?? NetlinkError(operation: operation(), errno: ENOBUFS)
            }
        }
        if let fault { throw fault }
    }

    /// The named counters of a table; none where there is no such table.
    package mutating func counters(
        _ table: NftablesEvent.Table
    ) throws(NetlinkError) -> [String: (packets: UInt64, bytes: UInt64)] {
        let query = NftablesQuery.counters(table)
        let found = try socket.dump(for: "\(query)", query.write) { (header, payload) throws(WireError) in
            // The kernel chooses by table and type; what it might say beside is left out.
            try NftablesCounter(header, payload).flatMap { $0.table == table ? $0 : nil }
        }
        return found.reduce(into: [:]) { $0[$1.name] = ($1.packets, $1.bytes) }
    }

    /// The elements of a set, at most so many; none where there is no such set.
    package mutating func elements(
        of set: String, in table: NftablesEvent.Table, limit: Int
    ) throws(NetlinkError) -> [NftablesElement] {
        let query = NftablesQuery.elements(set: set, table)
        do throws(NetlinkError) {
            return Array(
                try socket.dump(for: "\(query)", query.write) { (header, payload) throws(WireError) in
                    try NftablesElement.list(header, payload)
                }.joined().prefix(limit))
        } catch {
            if error.errno == ENOENT { return [] }
            throw error
        }
    }

    /// What a table is made of, as one number that is another when anybody has taken a rule away, put one in, or made the table
    /// anew; elements of sets and maps do not count. Of this process alone.
    package mutating func census(_ table: NftablesEvent.Table) throws(NetlinkError) -> Int {
        let query = NftablesQuery.rules(table)
        let rules = try socket.dump(for: "\(query)", query.write) { (header, payload) throws(WireError) in
            try NftablesRule(header, payload).flatMap { $0.table == table ? $0 : nil }
        }
        return rules.hashValue
    }

    /// The flowtables of all tables; none where the kernel knows of no such thing (before Linux 4.16).
    package mutating func flowtables() throws(NetlinkError) -> [NftablesFlowtable] {
        let query = NftablesQuery.flowtables
        do throws(NetlinkError) {
            return try socket.dump(for: "\(query)", query.write) { (header, payload) throws(WireError) in
                try NftablesFlowtable(header, payload)
            }
        } catch {
            if error.errno == EINVAL || error.errno == EOPNOTSUPP { return [] }
            throw error
        }
    }
}
