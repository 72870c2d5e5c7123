internal import NetworkTypes

extension RuleMessage {
    /// Reads what follows the netlink header of an RTM_NEWRULE or RTM_DELRULE.
    package init(_ bytes: RawSpan) throws(WireError) {
        try bytes.require(header: 12)
        let familyNumber: UInt8 = try bytes.native(at: 0)
        guard let family = AddressFamily(rawValue: familyNumber) else {
            throw WireError(.badValue(field: "family", value: Int(familyNumber)), at: 0)
        }
        self.family = family
        let destinationLength: UInt8 = try bytes.native(at: 1)
        let sourceLength: UInt8 = try bytes.native(at: 2)
        tos = try bytes.native(at: 3)
        table = RoutingTable(rawValue: UInt32(try bytes.native(at: 4, as: UInt8.self)))
        action = Action(try bytes.native(at: 7))
        isInverted = try bytes.native(at: 8, as: UInt32.self) & 2 != 0  // FIB_RULE_INVERT
        priority = RulePriority(rawValue: 0)
        `protocol` = RouteProtocol(rawValue: 0)
        var mark: UInt32?
        var mask: UInt32?
        try forEachAttribute(in: bytes.extracting(droppingFirst: 12)) { (kind, payload) throws(WireError) in
            switch Kind(rawValue: kind) {
            case .destination: destination = try payload.prefix(length: destinationLength)
            case .source: source = try payload.prefix(length: sourceLength)
            case .input: input = payload.text
            case .priority: priority = RulePriority(rawValue: try payload.native(at: 0))
            case .mark: mark = try payload.native(at: 0)
            case .suppressPrefixLength:
                let length: UInt32 = try payload.native(at: 0)
                suppressPrefixLength = length == .max ? nil : length  // dumped in every rule, −1 where there is none
            case .table:  // 256 and up overflow the header's byte
                table = RoutingTable(rawValue: try payload.native(at: 0))
            case .mask: mask = try payload.native(at: 0)
            case .output: output = payload.text
            case .padding: break
            case .protocol: `protocol` = RouteProtocol(rawValue: try payload.native(at: 0))
            case nil: unread.append(kind)
            }
        }
        if mark != nil || mask != nil { self.mark = FwMark(value: mark ?? 0, mask: mask ?? .max) }
    }

    /// Writes what follows the netlink header of an RTM_NEWRULE or RTM_DELRULE.
    package func write(into message: inout NetlinkWriter) {
        message.append(native: family.rawValue)
        message.append(native: destination?.length ?? 0)
        message.append(native: source?.length ?? 0)
        message.append(native: tos)
        message.append(native: UInt8(exactly: table.rawValue) ?? 0)  // RT_TABLE_UNSPEC: see FRA_TABLE
        message.append(native: 0 as UInt16)
        message.append(native: action.number)
        message.append(native: (isInverted ? 2 : 0) as UInt32)
        message.attribute(Kind.priority.rawValue, native: priority.rawValue)
        message.attribute(Kind.protocol.rawValue, native: self.protocol.rawValue)
        if action == .lookup { message.attribute(Kind.table.rawValue, native: table.rawValue) }
        if let source { message.attribute(Kind.source.rawValue, address: source.address) }
        if let destination { message.attribute(Kind.destination.rawValue, address: destination.address) }
        if let mark {
            message.attribute(Kind.mark.rawValue, native: mark.value)
            message.attribute(Kind.mask.rawValue, native: mark.mask)
        }
        if let input { message.attribute(Kind.input.rawValue, name: input) }
        if let output { message.attribute(Kind.output.rawValue, name: output) }
        if let suppressPrefixLength {
            message.attribute(Kind.suppressPrefixLength.rawValue, native: suppressPrefixLength)
        }
    }

    /// FRA_*, by the kernel's numbers.
    private enum Kind: UInt16 {
        case destination = 1
        case source = 2
        case input = 3
        case priority = 6
        case mark = 10
        case suppressPrefixLength = 14
        case table = 15
        case mask = 16
        case output = 17
        case padding = 18
        case `protocol` = 21
    }
}

extension RuleMessage.Action {
    fileprivate init(_ number: UInt8) {
        switch number {
        case 1: self = .lookup
        case 2: self = .goTo
        case 3: self = .nop
        case 6: self = .blackhole
        case 7: self = .unreachable
        case 8: self = .prohibit
        default: self = .other(number)
        }
    }

    fileprivate var number: UInt8 {
        switch self {
        case .lookup: 1
        case .goTo: 2
        case .nop: 3
        case .blackhole: 6
        case .unreachable: 7
        case .prohibit: 8
        case .other(let number): number
        }
    }
}
