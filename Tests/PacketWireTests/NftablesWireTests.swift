import NetworkTypes
import PacketWire
import Testing

@Suite("nftables: elements, counters and flowtables in bytes")
struct NftablesWireTests {
    private let table = NftablesEvent.Table.inet("wanctl")
    private let choice = NftablesElement(.init(.family(.v4)), .verdict(.goTo("to_2")))

    /// The messages of a batch without what nft(8) and we may do differently: the set's number in nft's own batch
    /// (NFTA_SET_ELEM_LIST_SET_ID), who wants an acknowledgement, numbers, and the order of a message's attributes.
    private func messages(_ batch: [UInt8]) throws(WireError) -> [Parts] {
        var found: [Parts] = []
        try forEachMessage(in: batch.span.bytes) { (header, payload) throws(WireError) in
            var parts = try Parts(header, payload, fixed: 4)
            parts.flags &= ~NetlinkFlags.acknowledge.rawValue
            parts.attributes = parts.attributes.filter { $0.first != 4 }
            found.append(parts)
        }
        return found
    }

    @Test("changes of elements read as nft(8) writes them")
    func changes() throws {
        let bucket = NftablesElement(.init(.integer(5)), .verdict(.goTo("to_1")))
        let torn = NftablesElement(
            .init(
                .address(IPv4Address(10, 0, 0, 6)), .port(40000), .address(IPv4Address(192, 0, 2, 9)), .port(443)),
            timeoutMilliseconds: 5000)
        let cases: [(NftablesChange, [UInt8])] = [
            (.add(set: "choice_3", [choice]), NetlinkDumps.addMapElement),
            (.add(set: "buckets_3", [bucket]), NetlinkDumps.addBucket),
            (.add(set: "torn", [torn]), NetlinkDumps.addTimed),
            (.flush(set: "torn"), NetlinkDumps.flushSet),
            (.remove(set: "choice_3", [choice.key]), NetlinkDumps.deleteMapElement),
        ]
        for (change, theirs) in cases {
            let ours = NftablesTransaction(table, [change], sequence: 7).octets
            #expect(try messages(ours) == messages(theirs), "\(change)")
        }
    }

    @Test("messages are numbered, only the last asks for an answer, and each is traced to its change")
    func numbers() throws {
        let changes = NftablesChange.replace(set: "choice_3", [choice]) + [.add(set: "own", []), .flush(set: "torn")]
        #expect(NftablesTransaction.sequences(for: changes) == 4)
        let transaction = NftablesTransaction(table, changes, sequence: .max - 1)
        var headers: [NetlinkHeader] = []
        try forEachMessage(in: transaction.octets.span.bytes) { (header, _) throws(WireError) in
            headers.append(header)
        }
        #expect(headers.map(\.sequence) == [UInt32.max - 1, .max, 0, 1, 1])
        #expect(headers.map { $0.flags.contains(.acknowledge) } == [false, false, false, true, false])
        #expect(transaction.lastSequence == 1)
        #expect(transaction.change(numbered: .max) == changes[0] && transaction.change(numbered: 0) == changes[1])
        #expect(transaction.change(numbered: 1) == changes[3])
        #expect(transaction.change(numbered: .max - 1) == nil && transaction.change(numbered: 2) == nil)
        #expect(NftablesTransaction(table, [], sequence: 1).lastSequence == nil)
    }

    @Test("a long list is split where a message is full, and nothing is lost", arguments: [1, 900, 5000, 70_000])
    func split(count: Int) throws {
        let elements = (0..<count).map { number in
            NftablesElement(.init(.integer(UInt32(number))), .verdict(.goTo("a-chain-with-a-name-of-some-length")))
        }
        let changes: [NftablesChange] = [
            .add(set: "buckets_3", elements), .remove(set: "buckets_3", elements.map(\.key)),
        ]
        let transaction = NftablesTransaction(table, changes, sequence: 1)
        var found: [UInt16: [UInt32]] = [:]
        try forEachMessage(in: transaction.octets.span.bytes) { (header, payload) throws(WireError) in
            guard header.type > 0xff else { return }
            try forEachAttribute(in: payload.extracting(droppingFirst: 4)) { (kind, list) throws(WireError) in
                guard kind == 3 else { return }
                try forEachAttribute(in: list) { (_, element) throws(WireError) in
                    try forEachAttribute(in: element) { (kind, key) throws(WireError) in
                        guard kind == 1 else { return }
                        found[header.type, default: []].append(try key.native(at: 4))
                    }
                }
            }
        }
        let wanted = (0..<count).map { UInt32($0) }
        #expect(found == [0xa0c: wanted, 0xa0e: wanted])
        #expect(transaction.changes.count + 1 == NftablesTransaction.sequences(for: changes))
    }

    @Test("in a concatenation every field fills whole registers; alone it does not")
    func keys() {
        #expect(NftablesKey(.port(443)).octets == [1, 187])
        #expect(NftablesKey(.family(.v6)).octets == [10])
        #expect(
            NftablesKey(.transport(6), .port(443), .address(IPv4Address(192, 0, 2, 9))).octets
                == [6, 0, 0, 0, 1, 187, 0, 0, 192, 0, 2, 9])
    }

    @Test("a counter is read; nothing else is taken for one")
    func counter() throws {
        let read = { (bytes: [UInt8]) throws in
            try PacketWireTests.read(bytes) { (header, payload) throws(WireError) in
                try NftablesCounter(header, payload)
            }
        }
        let counter = try #require(try read(NetlinkDumps.counters).first)
        #expect(counter.table == table && counter.name == "hits" && counter.packets == 3 && counter.bytes == 300)
        var quota = NetlinkDumps.counters
        quota[51] = 2  // NFT_OBJECT_QUOTA, whose attributes mean other things
        #expect(try read(quota).isEmpty)
        #expect(try read(NetlinkDumps.flowtable).isEmpty && read(NetlinkDumps.nftMade).isEmpty)
    }

    @Test("a flowtable is read with its devices")
    func flowtable() throws {
        let read = { (bytes: [UInt8]) throws in
            try PacketWireTests.read(bytes) { (header, payload) throws(WireError) in
                try NftablesFlowtable(header, payload)
            }
        }
        #expect(
            try read(NetlinkDumps.flowtable) == [
                NftablesFlowtable(table: .inet("fw4"), name: "ft", devices: ["eth0", "ppp0"])
            ])
        #expect(try read(NetlinkDumps.counters).isEmpty)
    }

    @Test("what is asked says itself in nft(8)'s words")
    func words() {
        #expect("\(NftablesQuery.counters(table))" == "nft list counters table inet wanctl")
        #expect("\(NftablesChange.add(set: "own", [choice]))" == "add element own { 1 }")
        #expect("\(NftablesVerdict.goTo("to_1"))" == "goto to_1")
        #expect("\(NftablesEvent.Table(family: 99, name: "x"))" == "family 99 x")
    }
}
