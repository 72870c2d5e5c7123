/// A change to the nftables rulesets of this namespace: `nft monitor` (linux/netfilter/nf_tables.h, group NFNLGRP_NFTABLES).
///
/// A transaction is told as its parts, then one `committed`; all of them carry the port of the socket that sent it.
package struct NftablesEvent: Hashable, Sendable {
    package var what: What

    package enum What: Hashable, Sendable {
        case tableMade(Table)
        case tableGone(Table)
        /// Something in the table was made, changed or taken away; `message` is its NFT_MSG_* number.
        case changed(Table, message: UInt8)
        /// The transaction is in force. The process is the one that asked, by its id in the first PID namespace.
        case committed(generation: UInt32, processID: UInt32?, processName: String?)
        /// Events were lost (ENOBUFS, NLMSG_OVERRUN) or could not be read: look at the table again.
        case lost(reason: String)
    }

    /// A table's name together with its family; neither alone says which.
    package struct Table: Hashable, Sendable {
        /// NFPROTO_*: 1 inet, 2 ip, 10 ip6, 7 bridge, 5 netdev, 3 arp (linux/netfilter.h).
        package var family: UInt8
        package var name: String

        package init(family: UInt8, name: String) {
            self.family = family
            self.name = name
        }
        package static func inet(_ name: String) -> Table { Table(family: 1, name: name) }
    }

    package init(_ what: What) { self.what = what }

    /// `nil` for what is no event of nftables.
    package init?(_ header: NetlinkHeader, _ payload: RawSpan) throws(WireError) {
        if header.type < 16 {
            guard try NetlinkControl(header, payload) == .overrun else { return nil }
            what = .lost(reason: "NLMSG_OVERRUN")
            return
        }
        guard header.type >> 8 == 10 else { return nil }  // NFNL_SUBSYS_NFTABLES
        try payload.require(header: 4)
        let message = UInt8(header.type & 0xff)
        let family: UInt8 = try payload.native(at: 0)
        let attributes = payload.extracting(droppingFirst: 4)
        if Kind(rawValue: message) == .newGeneration {
            what = try Self.committed(attributes)
            return
        }
        // Attribute 1 is the table's name in every other message: NFTA_TABLE_NAME, NFTA_CHAIN_TABLE, NFTA_RULE_TABLE, …
        var name: String?
        try forEachAttribute(in: attributes) { (kind, payload) throws(WireError) in
            if kind == 1 { name = payload.text }
        }
        guard let name else { return nil }
        let table = Table(family: family, name: name)
        switch Kind(rawValue: message) {
        case .newTable: what = .tableMade(table)
        case .deleteTable: what = .tableGone(table)
        default: what = .changed(table, message: message)
        }
    }

    private static func committed(_ attributes: RawSpan) throws(WireError) -> What {
        var generation: UInt32 = 0
        var processID: UInt32?
        var processName: String?
        try forEachAttribute(in: attributes) { (kind, payload) throws(WireError) in
            switch kind {
            case 1: generation = try payload.big(at: 0)  // NFTA_GEN_ID
            case 2: processID = try payload.big(at: 0)  // NFTA_GEN_PROC_PID
            case 3: processName = payload.text  // NFTA_GEN_PROC_NAME
            default: break
            }
        }
        return .committed(generation: generation, processID: processID, processName: processName)
    }

    /// NFT_MSG_*, by the kernel's numbers; the others are changes within a table.
    private enum Kind: UInt8 {
        case newTable = 0
        case deleteTable = 2
        case newGeneration = 15
    }
}
