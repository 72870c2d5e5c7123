/// A question about what stands in the nftables rulesets (linux/netfilter/nf_tables.h); a dump answers it.
package enum NftablesQuery: Hashable, Sendable {
    /// `nft list counters table …`: the named ones. A table that is not there has none.
    case counters(NftablesEvent.Table)
    /// `nft list set TABLE SET`, of a map too.
    case elements(set: String, NftablesEvent.Table)
    /// The rules of a table, of which the kernel's numbers alone are read.
    case rules(NftablesEvent.Table)
    /// `nft list flowtables`, of all tables of all families.
    case flowtables

    package func write(into datagram: inout NetlinkWriter, sequence: UInt32) {
        switch self {
        case .counters(let table):
            // NFT_MSG_GETOBJ
            datagram.message(type: 0xa13, flags: [.request, .dump], sequence: sequence) {
                $0.append(octets: [table.family, 0, 0, 0])
                $0.attribute(1, name: table.name)  // NFTA_OBJ_TABLE
                $0.attribute(3, big: NftablesCounter.type)  // NFTA_OBJ_TYPE
            }
        case .elements(let set, let table):
            // NFT_MSG_GETSETELEM
            datagram.message(type: 0xa0d, flags: [.request, .dump], sequence: sequence) {
                $0.append(octets: [table.family, 0, 0, 0])
                $0.attribute(1, name: table.name)  // NFTA_SET_ELEM_LIST_TABLE
                $0.attribute(2, name: set)  // NFTA_SET_ELEM_LIST_SET
            }
        case .rules(let table):
            // NFT_MSG_GETRULE
            datagram.message(type: 0xa07, flags: [.request, .dump], sequence: sequence) {
                $0.append(octets: [table.family, 0, 0, 0])
                $0.attribute(1, name: table.name)  // NFTA_RULE_TABLE
            }
        case .flowtables:
            // NFT_MSG_GETFLOWTABLE
            datagram.message(type: 0xa17, flags: [.request, .dump], sequence: sequence) {
                $0.append(octets: [0, 0, 0, 0])
            }
        }
    }
}

extension NftablesQuery: CustomStringConvertible {
    /// In nft(8)'s words.
    package var description: String {
        switch self {
        case .counters(let table): "nft list counters table \(table)"
        case .elements(let set, let table): "nft list set \(table) \(set)"
        case .rules(let table): "nft list table \(table)"
        case .flowtables: "nft list flowtables"
        }
    }
}

extension NftablesEvent.Table: CustomStringConvertible {
    /// As nft(8) names it: `inet wanctl`.
    package var description: String {
        let word =
            switch family {
            case 1: "inet"
            case 2: "ip"
            case 3: "arp"
            case 5: "netdev"
            case 7: "bridge"
            case 10: "ip6"
            default: "family \(family)"
            }
        return "\(word) \(name)"
    }
}

/// A rule, by its place and the kernel's number, which no other rule of its table ever has.
package struct NftablesRule: Hashable, Sendable {
    package var table: NftablesEvent.Table
    package var chain: String
    package var handle: UInt64

    /// `nil` for other messages.
    package init?(_ header: NetlinkHeader, _ payload: RawSpan) throws(WireError) {
        guard header.type == 0xa06 else { return nil }  // NFT_MSG_NEWRULE
        try payload.require(header: 4)
        table = NftablesEvent.Table(family: try payload.native(at: 0), name: "")
        chain = ""
        handle = 0
        try forEachAttribute(in: payload.extracting(droppingFirst: 4)) { (kind, payload) throws(WireError) in
            switch kind {
            case 1: table.name = payload.text  // NFTA_RULE_TABLE
            case 2: chain = payload.text  // NFTA_RULE_CHAIN
            case 3: handle = try payload.big(at: 0)  // NFTA_RULE_HANDLE
            default: break
            }
        }
    }
}

/// A named counter: `counter NAME { packets … bytes … }`.
package struct NftablesCounter: Hashable, Sendable {
    package var table: NftablesEvent.Table
    package var name: String
    package var packets: UInt64
    package var bytes: UInt64

    /// NFT_OBJECT_COUNTER.
    static let type: UInt32 = 1

    /// `nil` for what is no named counter (other objects, other messages).
    package init?(_ header: NetlinkHeader, _ payload: RawSpan) throws(WireError) {
        guard header.type == 0xa12 else { return nil }  // NFT_MSG_NEWOBJ
        try payload.require(header: 4)
        var table = NftablesEvent.Table(family: try payload.native(at: 0), name: "")
        var name: String?
        var type: UInt32?
        var packets: UInt64 = 0
        var octets: UInt64 = 0
        try forEachAttribute(in: payload.extracting(droppingFirst: 4)) { (kind, payload) throws(WireError) in
            switch kind {
            case 1: table.name = payload.text  // NFTA_OBJ_TABLE
            case 2: name = payload.text  // NFTA_OBJ_NAME
            case 3: type = try payload.big(at: 0)  // NFTA_OBJ_TYPE
            case 4:  // NFTA_OBJ_DATA, which is read as a counter's: type and name come before it
                guard type == Self.type else { return }
                try forEachAttribute(in: payload) { (kind, payload) throws(WireError) in
                    switch kind {
                    case 1: octets = try payload.big(at: 0)  // NFTA_COUNTER_BYTES
                    case 2: packets = try payload.big(at: 0)  // NFTA_COUNTER_PACKETS
                    default: break
                    }
                }
            default: break
            }
        }
        guard type == Self.type, let name else { return nil }
        self.table = table
        self.name = name
        self.packets = packets
        self.bytes = octets
    }
}

/// A flowtable: flows put into it pass these interfaces without the ruleset (nft(8), "FLOWTABLES"; Linux 4.16).
package struct NftablesFlowtable: Hashable, Sendable {
    package var table: NftablesEvent.Table
    package var name: String
    /// By name, in the kernel's order; a name that ends in `*` stands for all that begin so (Linux 6.16).
    package var devices: [String]

    package init(table: NftablesEvent.Table, name: String, devices: [String]) {
        self.table = table
        self.name = name
        self.devices = devices
    }

    /// `nil` for other messages.
    package init?(_ header: NetlinkHeader, _ payload: RawSpan) throws(WireError) {
        guard header.type == 0xa16 else { return nil }  // NFT_MSG_NEWFLOWTABLE
        try payload.require(header: 4)
        var table = NftablesEvent.Table(family: try payload.native(at: 0), name: "")
        var name = ""
        var devices: [String] = []
        try forEachAttribute(in: payload.extracting(droppingFirst: 4)) { (kind, payload) throws(WireError) in
            switch kind {
            case 1: table.name = payload.text  // NFTA_FLOWTABLE_TABLE
            case 2: name = payload.text  // NFTA_FLOWTABLE_NAME
            case 3:  // NFTA_FLOWTABLE_HOOK
                try forEachAttribute(in: payload) { (kind, payload) throws(WireError) in
                    if kind == 3 { devices += try Self.devices(payload) }  // NFTA_FLOWTABLE_HOOK_DEVS
                }
            default: break
            }
        }
        self.table = table
        self.name = name
        self.devices = devices
    }

    private static func devices(_ bytes: RawSpan) throws(WireError) -> [String] {
        var devices: [String] = []
        try forEachAttribute(in: bytes) { (kind, payload) throws(WireError) in
            switch kind {
            case 1: devices.append(payload.text)  // NFTA_DEVICE_NAME
            case 2: devices.append(payload.text + "*")  // NFTA_DEVICE_PREFIX
            default: break
            }
        }
        return devices
    }
}
