package import NetworkTypes

/// An element of an nftables set or map, in bytes as the kernel holds it: `nft add element` (linux/netfilter/nf_tables.h,
/// NFTA_SET_ELEM_*).
package struct NftablesElement: Hashable, Sendable {
    package var key: NftablesKey
    /// What the key leads to; `nil` in a set.
    package var data: NftablesData?
    /// How long the element lives, in milliseconds; `nil` takes the set's own timeout. Only sets with `flags timeout` take one.
    package var timeoutMilliseconds: UInt64?
    /// How much of that is left (Linux 5.3); at most the timeout itself, else the kernel refuses it (ERANGE).
    package var leftMilliseconds: UInt64?

    package init(
        _ key: NftablesKey, _ data: NftablesData? = nil, timeoutMilliseconds: UInt64? = nil,
        leftMilliseconds: UInt64? = nil
    ) {
        self.key = key
        self.data = data
        self.timeoutMilliseconds = timeoutMilliseconds
        self.leftMilliseconds = leftMilliseconds
    }

    /// Those of a set that one message of a dump tells, without what a map's keys lead to; `nil` for other messages.
    package static func list(_ header: NetlinkHeader, _ payload: RawSpan) throws(WireError) -> [NftablesElement]? {
        guard header.type == 0xa0c else { return nil }  // NFT_MSG_NEWSETELEM
        try payload.require(header: 4)
        var elements: [NftablesElement] = []
        try forEachAttribute(in: payload.extracting(droppingFirst: 4)) { (kind, payload) throws(WireError) in
            guard kind == 3 else { return }  // NFTA_SET_ELEM_LIST_ELEMENTS
            try forEachAttribute(in: payload) { (_, payload) throws(WireError) in
                if let element = try NftablesElement(payload) { elements.append(element) }
            }
        }
        return elements
    }

    private init?(_ attributes: RawSpan) throws(WireError) {
        var octets: [UInt8]?
        var (timeout, left): (UInt64?, UInt64?)
        try forEachAttribute(in: attributes) { (kind, payload) throws(WireError) in
            switch kind {
            case 1:  // NFTA_SET_ELEM_KEY
                try forEachAttribute(in: payload) { if $0 == 1 { octets = $1.octets } }  // NFTA_DATA_VALUE
            case 4: timeout = try payload.big(at: 0)  // NFTA_SET_ELEM_TIMEOUT
            case 5: left = try payload.big(at: 0)  // NFTA_SET_ELEM_EXPIRATION
            default: break
            }
        }
        guard let octets else { return nil }
        self.init(NftablesKey(octets: octets), timeoutMilliseconds: timeout, leftMilliseconds: left)
    }
}

/// A key, of one field or a concatenation of several (nft(8): `ipv4_addr . inet_service`).
package struct NftablesKey: Hashable, Sendable {
    package let octets: [UInt8]

    init(octets: [UInt8]) { self.octets = octets }

    /// One field stands alone as long as its type is; in a concatenation each is filled up to whole 32-bit registers.
    package init(_ fields: NftablesField...) {
        octets =
            fields.count == 1
            ? fields[0].octets
            : fields.flatMap { field in
                field.octets + [UInt8](repeating: 0, count: -field.octets.count & 3)
            }
    }
}

/// One value as an nftables register holds it; named by nft(8)'s data types.
package enum NftablesField: Hashable, Sendable {
    /// `ipv4_addr`, network order.
    case address(IPv4Address)
    /// `inet_service`, network order.
    case port(UInt16)
    /// `inet_proto`: 6 TCP, 17 UDP.
    case transport(UInt8)
    /// `nf_proto`: what `meta nfproto` says.
    case family(AddressFamily)
    /// `integer` of 32 bits, `mark` and the answers of `numgen` and `jhash`: the host's order.
    case integer(UInt32)

    package var octets: [UInt8] {
        switch self {
        case .address(let address): address.octets
        case .port(let port): [UInt8(port >> 8), UInt8(port & 0xff)]
        case .transport(let number): [number]
        case .family(let family): [family.rawValue]  // NFPROTO_IPV4, NFPROTO_IPV6: the same numbers as AF_*
        case .integer(let number):
            (0..<4).map { UInt8(truncatingIfNeeded: number.littleEndian >> (8 * UInt32($0))) }
        }
    }
}

/// What a map's key leads to.
package enum NftablesData: Hashable, Sendable {
    case verdict(NftablesVerdict)
    case value(NftablesKey)
}

/// What becomes of a packet (NF_* of linux/netfilter.h, NFT_* of linux/netfilter/nf_tables.h).
package enum NftablesVerdict: Hashable, Sendable {
    case accept, drop, `return`
    /// To a chain of the same table, and back at its end; without a way back for `goTo`.
    case jump(String)
    case goTo(String)

    /// As the kernel counts them: negative ones are nftables' own.
    var number: Int32 {
        switch self {
        case .drop: 0
        case .accept: 1
        case .jump: -3
        case .goTo: -4
        case .return: -5
        }
    }

    var chain: String? {
        switch self {
        case .accept, .drop, .return: nil
        case .jump(let chain), .goTo(let chain): chain
        }
    }
}

extension NftablesVerdict: CustomStringConvertible {
    /// In nft(8)'s words.
    package var description: String {
        switch self {
        case .accept: "accept"
        case .drop: "drop"
        case .return: "return"
        case .jump(let chain): "jump \(chain)"
        case .goTo(let chain): "goto \(chain)"
        }
    }
}
