internal import WANModel

/// A field of a packet that a rule can ask for in the key of a map, in the order it has there.
enum RuleField: Int, Hashable, Comparable {
    case source, destination, transport, sourcePort, port, interface, dscp

    /// In the type of a map.
    var type: String {
        switch self {
        case .source, .destination: "ipv4_addr"
        case .transport: "inet_proto"
        case .sourcePort, .port: "inet_service"
        case .interface: "ifname"
        case .dscp: "dscp"
        }
    }

    /// As a statement reads it from a packet.
    var selector: String {
        switch self {
        case .source: "ip saddr"
        case .destination: "ip daddr"
        case .transport: "meta l4proto"
        case .sourcePort: "th sport"
        case .port: "th dport"
        case .interface: "iifname"
        case .dscp: "ip dscp"
        }
    }

    static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

/// What a rule asks for, field by field, as nft(8) writes it; a field that it leaves open, or that allows everything, is not
/// among them.
struct RuleShape {
    struct Part {
        var field: RuleField
        /// Any of these, apart from each other.
        var values: [String]
        /// Whether one of them is more than one value.
        var hasRanges: Bool
    }
    var parts: [Part] = []

    init(_ match: PolicyRule.Match) {
        add(.source, match.source)
        add(.destination, match.destination)
        let ports = PortRanges.union(match.ports)
        let sourcePorts = PortRanges.union(match.sourcePorts)
        if let transport = match.transport {
            add(.transport, ["\(transport)"])
        } else if !ports.isEmpty || !sourcePorts.isEmpty {
            // Ports without a protocol are those of any that has some.
            add(.transport, (UInt8.min ... .max).filter(Transport.hasPorts).map { "\($0)" })
        }
        add(.sourcePort, sourcePorts)
        add(.port, ports)
        if let interface = match.interface { add(.interface, [.quoted(interface)]) }
        if let dscp = match.dscp { add(.dscp, ["\(dscp)"]) }
    }

    private mutating func add(_ field: RuleField, _ values: [String]) {
        parts.append(Part(field: field, values: values, hasRanges: false))
    }

    private mutating func add(_ field: RuleField, _ set: AddressSet?) {
        guard let ranges = set?.ranges, ranges != [0 ... .max] else { return }
        parts.append(
            Part(field: field, values: ranges.map(String.addresses), hasRanges: ranges.contains { $0.count > 1 }))
    }

    private mutating func add(_ field: RuleField, _ ranges: [ClosedRange<UInt16>]) {
        guard !ranges.isEmpty, ranges != PortRanges.all else { return }
        parts.append(Part(field: field, values: ranges.map(String.ports), hasRanges: ranges.contains { $0.count > 1 }))
    }

    var fields: [RuleField] { parts.map(\.field) }

    /// How many elements it takes in a map; `nil` past counting.
    var elementCount: Int? {
        var count = 1
        for part in parts {
            let (product, isTooMany) = count.multipliedReportingOverflow(by: part.values.count)
            if isTooMany { return nil }
            count = product
        }
        return count
    }

    /// The keys of these elements: each value of a field with each of the others.
    var keys: [String] {
        parts.reduce([""]) { keys, part in
            keys.flatMap { key in part.values.map { key.isEmpty ? $0 : "\(key) . \($0)" } }
        }
    }
}
