/// A change to the elements of a set or map of one table; several make a transaction (`NftablesTransaction`).
package enum NftablesChange: Hashable, Sendable {
    /// `nft add element`. What is there with the same data is no error; a key that leads elsewhere is (EBUSY or EEXIST).
    case add(set: String, [NftablesElement])
    /// `nft delete element`. A key that is not there is refused with ENOENT, and the whole transaction with it.
    case remove(set: String, [NftablesKey])
    /// `nft flush set`: all elements, of sets with `flags dynamic` too.
    case flush(set: String)

    /// Gives keys of a map new data, whatever they led to; each must be there. A packet sees the old data or the new.
    package static func replace(set: String, _ elements: [NftablesElement]) -> [NftablesChange] {
        [.remove(set: set, elements.map(\.key)), .add(set: set, elements)]
    }

    package var set: String {
        switch self {
        case .add(let set, _), .remove(let set, _), .flush(let set): set
        }
    }
}

extension NftablesChange: CustomStringConvertible {
    /// In nft(8)'s words, with how many elements in place of them.
    package var description: String {
        switch self {
        case .add(let set, let elements): "add element \(set) { \(elements.count) }"
        case .remove(let set, let keys): "delete element \(set) { \(keys.count) }"
        case .flush(let set): "flush set \(set)"
        }
    }
}

/// Changes to the elements of one table that the kernel carries out together or not at all (linux/netfilter/nfnetlink.h,
/// NFNL_MSG_BATCH_BEGIN … NFNL_MSG_BATCH_END).
package struct NftablesTransaction: Sendable {
    /// The whole batch, as one datagram must carry it.
    package let octets: [UInt8]
    /// For each message between begin and end, by its sequence number less the first, the change it is part of.
    package let changes: [NftablesChange]
    /// The batch's begin has this number; the messages those that follow; the end shares the last one's.
    package let sequence: UInt32

    /// How many numbers a transaction of these changes takes at most.
    package static func sequences(for changes: [NftablesChange]) -> Int {
        changes.reduce(1) { $0 + $1.parts.count }
    }

    /// A change with no elements is left out. The kernel acknowledges the last message only; a refusal it tells in any case.
    package init(_ table: NftablesEvent.Table, _ changes: [NftablesChange], sequence: UInt32) {
        let parts = changes.flatMap { change in change.parts.map { (change, $0) } }
        var datagram = NetlinkWriter(capacity: parts.reduce(64) { $0 + $1.1.reserve + 128 })
        let border = { (type: UInt16, datagram: inout NetlinkWriter, sequence: UInt32) in
            datagram.message(type: type, flags: .request, sequence: sequence) {
                $0.append(octets: [0, 0, 0, 10])  // struct nfgenmsg: res_id is the subsystem, NFNL_SUBSYS_NFTABLES
            }
        }
        border(0x10, &datagram, sequence)  // NFNL_MSG_BATCH_BEGIN
        var number = sequence
        for (index, (change, part)) in parts.enumerated() {
            number &+= 1
            var flags: NetlinkFlags = .request
            if index == parts.count - 1 { flags.insert(.acknowledge) }
            if case .add = change { flags.insert(.create) }
            datagram.message(type: part.type, flags: flags, sequence: number) {
                $0.append(octets: [table.family, 0, 0, 0])
                $0.attribute(1, name: table.name)  // NFTA_SET_ELEM_LIST_TABLE
                $0.attribute(2, name: change.set)  // NFTA_SET_ELEM_LIST_SET
                part.write(into: &$0)
            }
        }
        border(0x11, &datagram, number)  // NFNL_MSG_BATCH_END
        octets = datagram.bytes
        self.changes = parts.map(\.0)
        self.sequence = sequence
    }

    /// Which change a message of this number was part of; `nil` for the borders and for other numbers.
    package func change(numbered number: UInt32) -> NftablesChange? {
        let index = Int(number &- sequence) - 1
        return changes.indices.contains(index) ? changes[index] : nil
    }

    /// Whether this is the number of one of its messages.
    package func knows(_ number: UInt32) -> Bool { change(numbered: number) != nil }

    /// The number whose answer comes last; `nil` where there is nothing to do.
    package var lastSequence: UInt32? { changes.isEmpty ? nil : sequence &+ UInt32(truncatingIfNeeded: changes.count) }
}

/// What of a change fits into one message: an attribute's length has 16 bits.
private enum Part {
    case add(ArraySlice<NftablesElement>)
    case remove(ArraySlice<NftablesKey>)
    case flush

    /// NFT_MSG_NEWSETELEM, NFT_MSG_DELSETELEM in NFNL_SUBSYS_NFTABLES.
    var type: UInt16 {
        switch self {
        case .add: 0xa0c
        case .remove, .flush: 0xa0e
        }
    }

    /// How many bytes its elements take at most.
    var reserve: Int {
        switch self {
        case .add(let elements): elements.reduce(0) { $0 + $1.reserve }
        case .remove(let keys): keys.reduce(0) { $0 + $1.reserve }
        case .flush: 0
        }
    }

    /// NFTA_SET_ELEM_LIST_ELEMENTS → NFTA_LIST_ELEM. Without it the kernel takes all elements.
    func write(into message: inout NetlinkWriter) {
        switch self {
        case .add(let elements):
            message.nested(3) { list in
                for element in elements { list.nested(1) { element.write(into: &$0) } }
            }
        case .remove(let keys):
            message.nested(3) { list in
                for key in keys { list.nested(1) { element in element.nested(1) { key.write(into: &$0) } } }
            }
        case .flush: break
        }
    }
}

extension NftablesChange {
    fileprivate var parts: [Part] {
        switch self {
        case .add(_, let elements): Self.split(elements, by: \.reserve).map { .add($0) }
        case .remove(_, let keys): Self.split(keys, by: \.reserve).map { .remove($0) }
        case .flush: [.flush]
        }
    }

    private static func split<Value>(_ values: [Value], by size: (Value) -> Int) -> [ArraySlice<Value>] {
        var parts: [ArraySlice<Value>] = []
        var start = 0
        var total = 0
        for (index, value) in values.enumerated() {
            let more = size(value)
            if index > start, total + more > 60_000 {
                parts.append(values[start..<index])
                (start, total) = (index, 0)
            }
            total += more
        }
        if start < values.count { parts.append(values[start...]) }
        return parts
    }
}

extension NftablesKey {
    /// Its own bytes, three attribute headers and padding.
    fileprivate var reserve: Int { octets.count + 16 }

    /// NFTA_DATA_VALUE.
    fileprivate func write(into message: inout NetlinkWriter) {
        message.attribute(1) { $0.append(octets: octets) }
    }
}

extension NftablesElement {
    fileprivate var reserve: Int {
        let data =
            switch data {
            case nil: 0
            case .value(let value): value.reserve
            case .verdict(let verdict): 24 + (verdict.chain?.utf8.count ?? 0)
            }
        return key.reserve + data + 24
    }

    fileprivate func write(into message: inout NetlinkWriter) {
        if let timeoutMilliseconds { message.attribute(4, big: timeoutMilliseconds) }  // NFTA_SET_ELEM_TIMEOUT
        if let leftMilliseconds { message.attribute(5, big: leftMilliseconds) }  // NFTA_SET_ELEM_EXPIRATION
        message.nested(1, key.write)  // NFTA_SET_ELEM_KEY
        switch data {
        case nil: break
        case .value(let value): message.nested(2, value.write)  // NFTA_SET_ELEM_DATA
        case .verdict(let verdict):
            message.nested(2) { data in
                data.nested(2) {  // NFTA_DATA_VERDICT
                    $0.attribute(1, big: verdict.number)  // NFTA_VERDICT_CODE
                    if let chain = verdict.chain { $0.attribute(2, name: chain) }  // NFTA_VERDICT_CHAIN
                }
            }
        }
    }
}
