internal import NetworkTypes
internal import WANModel

extension Reading {
    mutating func rules(_ section: Section) -> [PolicyRule] {
        guard let field = section["rules"] else { return [] }
        use(.rules, at: section.keyPlace("rules") ?? field.place)
        var names: [String: Place] = [:]
        return (elements(field, limit: 1000) ?? []).enumerated().compactMap { index, element in
            rule(element, path: "rules.\(index)", &names)
        }
    }

    private mutating func rule(_ field: Field, path: String, _ names: inout [String: Place]) -> PolicyRule? {
        let rule = Field(name: "a rule", node: field.node)
        guard let section = section(rule, path: path, keys: ["name", "match", "order", "otherwise"]) else { return nil }
        for key in ["name", "match", "order"] where section[key] == nil {
            fault(section.place, "this rule has no \(key)")
        }
        let name = label(section["name"])
        if let name, let place = section["name"]?.place {
            if let first = names[name] {
                fault(place, "rule \(name.quoted) is there twice", "the first is in line \(first.line)")
            }
            names[name] = place
        }
        let match = match(section["match"], path: "\(path).match")
        let order = order(section["order"])
        let otherwise = word(section["otherwise"], of: PolicyRule.Otherwise.self) ?? .default
        guard let name, let match, let order else { return nil }
        return PolicyRule(name: name, match: match, order: order, otherwise: otherwise)
    }

    private mutating func match(_ field: Field?, path: String) -> PolicyRule.Match? {
        guard
            let section = section(
                field, path: path, keys: ["source", "destination", "protocol", "port", "interface", "dscp"])
        else { return nil }
        var match = PolicyRule.Match()
        match.source = prefix(section["source"]).flatMap { AddressSet($0) }
        match.destination = prefix(section["destination"]).flatMap { AddressSet($0) }
        let named = word(section["protocol"], of: ProtocolWord.self)
        match.transport = named?.number
        match.ports = ports(section["port"]).map { [$0] } ?? []
        match.interface = interface(section["interface"])
        match.dscp = integer(section["dscp"], in: 0...63).map { UInt8($0) }  // six bits, RFC 2474
        if let port = section.keyPlace("port"), !ProtocolWord.withPorts.contains(named?.rawValue ?? "") {
            fault(port, "a port needs its protocol", "add protocol: tcp or udp")
        }
        return match
    }

    /// As nft(8) and /etc/protocols call them.
    private enum ProtocolWord: String, CaseIterable {
        case tcp, udp, udplite, sctp, dccp, icmp, esp, ah, gre, ipip, igmp
        var number: UInt8 {
            switch self {
            case .tcp: 6
            case .udp: 17
            case .udplite: 136
            case .sctp: 132
            case .dccp: 33
            case .icmp: 1
            case .esp: 50
            case .ah: 51
            case .gre: 47
            case .ipip: 4
            case .igmp: 2
            }
        }
        static let withPorts: Set<String> = ["tcp", "udp", "udplite", "sctp", "dccp"]
    }

    /// A port, or the first and last of a range: `80`, `8000-8010`.
    mutating func ports(_ field: Field?) -> ClosedRange<UInt16>? {
        guard let field, let text = text(field, "a port such as 80 or a range such as 8000-8010") else { return nil }
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        let numbers = parts.compactMap { $0.utf8.allSatisfy { (0x30...0x39).contains($0) } ? UInt16($0) : nil }
        guard numbers.count == parts.count, let low = numbers.first, let high = numbers.last, numbers.count <= 2,
            low > 0, low <= high
        else {
            fault(field.place, "\(field.name) \(text.quoted) is no port", "write 80, or 8000-8010; 1 to 65535")
            return nil
        }
        return low...high
    }
}
