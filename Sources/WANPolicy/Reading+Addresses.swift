internal import NetworkTypes

extension Reading {
    /// The address of one host somewhere else; never a name.
    mutating func address(_ field: Field?) -> IPAddress? {
        guard let field, let text = text(field, "an address such as 192.0.2.1") else { return nil }
        guard let address = IPAddress(text) else {
            explain(text, at: field)
            return nil
        }
        let why: String? =
            switch address {
            case .v4(let v4) where v4.isUnspecified || v4.bits >> 24 == 0: "means no host"
            case .v4(let v4) where v4.isLoopback: "is the box itself"
            case .v4(let v4) where v4.isMulticast: "is a multicast group"
            case .v4(let v4) where v4.bits >> 28 == 0xf: "is broadcast or reserved"
            case .v6(let v6) where v6.high == 0 && v6.low == 0: "means no host"
            case .v6(let v6) where v6.high == 0 && v6.low == 1: "is the box itself"
            case .v6(let v6) where v6.high >> 56 == 0xff: "is a multicast group"
            default: nil
            }
        if let why {
            fault(field.position, "\(field.name) \(text) \(why)", "write the address of one other host")
            return nil
        }
        if address.family == .v6 { use(.ipv6, at: field.position) }
        return address
    }

    /// A list of addresses, none twice.
    mutating func addresses(_ field: Field?, limit: Int) -> [IPAddress]? {
        guard let elements = elements(field, limit: limit) else { return nil }
        var positions: [IPAddress: SourcePosition] = [:]
        var addresses: [IPAddress] = []
        for element in elements {
            guard let address = address(element) else { continue }
            if let first = positions[address] {
                fault(
                    element.position, "\(address) is in \(element.name) twice",
                    "it was given in line \(first.line) already")
            } else {
                positions[address] = element.position
                addresses.append(address)
            }
        }
        return addresses.isEmpty ? nil : addresses
    }

    /// An address with the length of its network's prefix, such as 192.168.0.254/24.
    mutating func interfaceAddress(_ field: Field?) -> IPPrefix? {
        guard let field, let text = text(field, "an address such as 192.168.0.254/24") else { return nil }
        guard let prefix = IPPrefix(text), text.contains("/") else {
            fault(
                field.position, "\(field.name) \(text.quoted) is no address with its prefix length",
                "write it like 192.168.0.254/24")
            return nil
        }
        if prefix.address.family == .v6 { use(.ipv6, at: field.position) }
        return prefix
    }

    /// Says why a text is no address: most often it is a host name.
    private mutating func explain(_ text: String, at field: Field) {
        let isName =
            text.contains { $0.isLetter } && !text.contains(":")
            && text.utf8.allSatisfy { $0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7a || $0 >= 0x2d && $0 <= 0x39 && $0 != 0x2f }
        if isName {
            fault(
                field.position, "\(field.name) \(text.quoted) is a host name",
                "write its address: the daemon resolves no names, for DNS fails together with the line")
        } else if text.contains("/") {
            fault(field.position, "\(field.name) \(text.quoted) is no address", "leave out the prefix length")
        } else {
            fault(field.position, "\(field.name) \(text.quoted) is no address", "write it like 192.0.2.1")
        }
    }
}

extension IPPrefix {
    /// The prefix with all bits beyond its length cleared.
    var network: IPPrefix? {
        switch address {
        case .v4(let v4):
            let kept = length == 0 ? 0 : v4.bits & (UInt32.max << (32 - UInt32(length)))
            return IPPrefix(.v4(IPv4Address(bits: kept)), length: Int(length))
        case .v6(let v6):
            let bits = UInt64(length)
            let high = bits == 0 ? 0 : v6.high & (UInt64.max << (64 - min(bits, 64)))
            let low = bits <= 64 ? 0 : v6.low & (UInt64.max << (128 - bits))
            return IPPrefix(.v6(IPv6Address(high: high, low: low)), length: Int(length))
        }
    }
}
