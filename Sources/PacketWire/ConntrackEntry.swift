package import NetworkTypes

/// A flow the kernel tracks: `conntrack -L` (linux/netfilter/nfnetlink_conntrack.h).
package struct ConntrackEntry: Hashable, Sendable {
    /// As the first packet had it.
    package var original: Tuple
    /// What an answer looks like; it differs from the reverse of `original` where the flow is translated.
    package var reply: Tuple
    package var mark: UInt32 = 0
    package var status: Status = []
    /// Since the flow began; `nil` unless `net.netfilter.nf_conntrack_acct` is 1.
    package var originalCounters: Counters?
    package var replyCounters: Counters?

    /// TCP_CONNTRACK_* (linux/netfilter/nf_conntrack_tcp.h); `nil` for what is no TCP.
    package var tcpState: UInt8?
    /// Seconds until the kernel forgets the flow if it stays silent; `nil` for an offloaded one, whose clock stands.
    package var timeout: UInt32?
    /// Tells this flow from a later one of the same tuple; the kernel's own number (CTA_ID).
    package var id: UInt32?
    /// The conntrack zone; 0 unless somebody's ruleset sets zones (`ct zone set`).
    package var zone: UInt16 = 0

    /// Whether somebody would miss it: not an echo that has its answer, nor a TCP connection that both sides have closed and
    /// that only lingers (FIN_WAIT 4 to CLOSE 8).
    package var isAlive: Bool {
        if original.transport == 1 || original.transport == 58 { return false }
        return tcpState.map { !(4...8).contains($0) } ?? true
    }

    package struct Tuple: Hashable, Sendable {
        package var source: IPAddress
        package var destination: IPAddress
        /// As in the IP header: 6 TCP, 17 UDP, 1 ICMP.
        package var transport: UInt8
        /// 0 for protocols without ports.
        package var sourcePort: UInt16
        package var destinationPort: UInt16
        /// What tells echoes apart, in place of ports; `nil` for what is neither ICMP nor ICMPv6.
        package var echo: Echo?

        /// Type, code and identifier of an ICMP or ICMPv6 question (RFC 792, RFC 4443).
        package struct Echo: Hashable, Sendable {
            package var type: UInt8
            package var code: UInt8
            package var identifier: UInt16

            package init(type: UInt8, code: UInt8, identifier: UInt16) {
                self.type = type
                self.code = code
                self.identifier = identifier
            }
        }

        package init(
            source: IPAddress, destination: IPAddress, transport: UInt8, sourcePort: UInt16, destinationPort: UInt16
        ) {
            self.source = source
            self.destination = destination
            self.transport = transport
            self.sourcePort = sourcePort
            self.destinationPort = destinationPort
        }
    }

    /// IPS_* (linux/netfilter/nf_conntrack_common.h).
    package struct Status: OptionSet, Hashable, Sendable {
        package let rawValue: UInt32
        package init(rawValue: UInt32) { self.rawValue = rawValue }
        /// An answer was seen.
        package static let seenReply = Status(rawValue: 0x2)
        package static let assured = Status(rawValue: 0x4)
        /// In the table: its first packet left the machine.
        package static let confirmed = Status(rawValue: 0x8)
        package static let sourceTranslated = Status(rawValue: 0x10)
        package static let destinationTranslated = Status(rawValue: 0x20)
        /// In a flowtable: its packets pass the ruleset by (Linux 4.16).
        package static let offloaded = Status(rawValue: 0x4000)
    }

    package struct Counters: Hashable, Sendable {
        package var packets: UInt64
        package var bytes: UInt64

        package init(packets: UInt64, bytes: UInt64) {
            self.packets = packets
            self.bytes = bytes
        }
    }

    package init(original: Tuple, reply: Tuple) {
        self.original = original
        self.reply = reply
    }

    /// Reads what follows the netlink header of an IPCTNL_MSG_CT_NEW.
    package init(_ bytes: RawSpan) throws(WireError) {
        try bytes.require(header: 4)
        var original: Tuple?
        var reply: Tuple?
        self.init(original: .unread, reply: .unread)
        try forEachAttribute(in: bytes.extracting(droppingFirst: 4)) { (kind, payload) throws(WireError) in
            switch Kind(rawValue: kind) {
            case .original: original = try Tuple(payload)
            case .reply: reply = try Tuple(payload)
            case .status: status = Status(rawValue: try payload.big(at: 0))
            case .protocolInfo: tcpState = try Self.tcpState(payload)
            case .timeout: timeout = try payload.big(at: 0)
            case .mark: mark = try payload.big(at: 0)
            case .originalCounters: originalCounters = try Counters(payload)
            case .replyCounters: replyCounters = try Counters(payload)
            case .id: id = try payload.big(at: 0)
            case .zone: zone = try payload.big(at: 0)
            case nil: break
            }
        }
        guard let original, let reply else {
            throw WireError(.badValue(field: "CTA_TUPLE_ORIG, CTA_TUPLE_REPLY", value: 0), at: 4)
        }
        self.original = original
        self.reply = reply
    }

    /// CTA_PROTOINFO → CTA_PROTOINFO_TCP → CTA_PROTOINFO_TCP_STATE.
    private static func tcpState(_ bytes: RawSpan) throws(WireError) -> UInt8? {
        var state: UInt8?
        try forEachAttribute(in: bytes) { (kind, tcp) throws(WireError) in
            guard kind == 1 else { return }
            try forEachAttribute(in: tcp) { (kind, value) throws(WireError) in
                if kind == 1 { state = try value.native(at: 0) }
            }
        }
        return state
    }

    /// CTA_*, by the kernel's numbers.
    private enum Kind: UInt16 {
        case original = 1
        case reply = 2
        case status = 3
        case protocolInfo = 4
        case timeout = 7
        case mark = 8
        case originalCounters = 9
        case replyCounters = 10
        case id = 12
        case zone = 18
    }
}

extension ConntrackEntry.Tuple {
    /// What a message is read into.
    fileprivate static let unread = Self(
        source: .v4(IPv4Address(bits: 0)), destination: .v4(IPv4Address(bits: 0)), transport: 0, sourcePort: 0,
        destinationPort: 0)

    fileprivate init(_ bytes: RawSpan) throws(WireError) {
        var source: IPAddress?
        var destination: IPAddress?
        self = .unread
        try forEachAttribute(in: bytes) { (kind, part) throws(WireError) in
            switch kind {
            case 1:  // CTA_TUPLE_IP
                try forEachAttribute(in: part) { (kind, payload) throws(WireError) in
                    switch kind {
                    case 1, 3: source = try payload.address()  // CTA_IP_V4_SRC, CTA_IP_V6_SRC
                    case 2, 4: destination = try payload.address()
                    default: break
                    }
                }
            case 2:  // CTA_TUPLE_PROTO
                try forEachAttribute(in: part) { (kind, payload) throws(WireError) in
                    switch kind {
                    case 1: transport = try payload.native(at: 0)
                    case 2: sourcePort = try payload.big(at: 0)
                    case 3: destinationPort = try payload.big(at: 0)
                    // CTA_PROTO_ICMP_ID, _TYPE, _CODE and the same of ICMPv6: the three come together.
                    case 4, 7: echo = Echo(echo, identifier: try payload.big(at: 0))
                    case 5, 8: echo = Echo(echo, type: try payload.native(at: 0))
                    case 6, 9: echo = Echo(echo, code: try payload.native(at: 0))
                    default: break
                    }
                }
            default: break
            }
        }
        guard let source, let destination else { throw WireError(.badValue(field: "CTA_TUPLE_IP", value: 0), at: 0) }
        self.source = source
        self.destination = destination
    }
}

extension ConntrackEntry.Tuple.Echo {
    /// What is known so far, and one part more.
    fileprivate init(_ known: Self?, type: UInt8? = nil, code: UInt8? = nil, identifier: UInt16? = nil) {
        self.init(
            type: type ?? known?.type ?? 0, code: code ?? known?.code ?? 0,
            identifier: identifier ?? known?.identifier ?? 0)
    }
}

extension ConntrackEntry.Counters {
    fileprivate init(_ bytes: RawSpan) throws(WireError) {
        self.init(packets: 0, bytes: 0)
        try forEachAttribute(in: bytes) { (kind, payload) throws(WireError) in
            switch kind {
            case 1: packets = try payload.big(at: 0)  // CTA_COUNTERS_PACKETS
            case 2: self.bytes = try payload.big(at: 0)
            default: break
            }
        }
    }
}

extension ConntrackEntry: CustomStringConvertible {
    /// In conntrack(8)'s words.
    package var description: String {
        func words(_ tuple: Tuple) -> String {
            "src=\(tuple.source) dst=\(tuple.destination) sport=\(tuple.sourcePort) dport=\(tuple.destinationPort)"
        }
        return "\(original.transport) \(words(original)) \(words(reply)) mark=0x\(String(mark, radix: 16))"
    }
}
