internal import NetworkTypes
internal import WANModel

// Fields of a rule's match that are more than a word, a number or an address.

extension Reading {
    /// A port, or the first and last of a range: `80`, `8000-8010`.
    mutating func ports(_ field: Field?) -> ClosedRange<UInt16>? {
        guard let field, let text = text(field, "a port such as 80 or a range such as 8000-8010") else { return nil }
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        let numbers = parts.compactMap { $0.utf8.allSatisfy { (0x30...0x39).contains($0) } ? UInt16($0) : nil }
        guard numbers.count == parts.count, let low = numbers.first, let high = numbers.last, numbers.count <= 2,
            low > 0, low <= high
        else {
            fault(field.position, "\(field.name) \(text.quoted) is no port", "write 80, or 8000-8010; 1 to 65535")
            return nil
        }
        return low...high
    }

    /// A port, a range, or a list of both, as ranges in order and apart from each other.
    mutating func portList(_ field: Field?) -> [ClosedRange<UInt16>] {
        guard let field, field.node.elements != nil else { return ports(field).map { [$0] } ?? [] }
        return PortRanges.union((elements(field, limit: 256) ?? []).compactMap { ports($0) })
    }

    /// A number or a name such as `ef`.
    mutating func dscp(_ field: Field?) -> UInt8? {
        guard let field, let text = text(field, "a DSCP such as ef or 46") else { return nil }
        if text.utf8.first.map({ (0x30...0x39).contains($0) }) ?? false {
            return integer(field, in: 0...63).map { UInt8($0) }  // six bits, RFC 2474
        }
        if let number = DSCP.number(named: text) { return number }
        let nearest = NearestName.of(text, among: DSCP.names.map(\.name)).map { "did you mean \($0.quoted)?" }
        fault(
            field.position, "\(field.name) \(text.quoted) is no DSCP",
            nearest ?? "write 0 to 63, or a name such as ef, af41 or cs1")
        return nil
    }

    /// `0x100/0xff00`, a value and the bits that count; or `0x100`, for which all bits count that are not ours.
    mutating func foreignMark(_ field: Field?) -> FwMark? {
        guard let field, let text = text(field, "a mark such as 0x100/0xff00") else { return nil }
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        let numbers = parts.compactMap(Self.markNumber)
        guard numbers.count == parts.count, let value = numbers.first, let last = numbers.last, numbers.count <= 2
        else {
            fault(field.position, "\(field.name) \(text.quoted) is no mark", "write it like 0x100, or 0x100/0xff00")
            return nil
        }
        let mark = FwMark(value: value, mask: parts.count == 2 ? last : ~ourMask)
        let touched = parts.count == 2 ? mark.mask : mark.value
        if touched & ourMask != 0 {
            fault(
                field.position, "\(field.name) \(text) touches our own bits, 0x\(String(ourMask, radix: 16))",
                "match bits of others, or move ours by marks: {mask: …}")
            return nil
        }
        if mark.mask == 0 {
            fault(field.position, "\(field.name) \(text) says nothing", "its mask has no bit; remove it")
            return nil
        }
        if mark.value & ~mark.mask != 0 {
            let within = FwMark(value: mark.value & mark.mask, mask: mark.mask)
            fault(field.position, "\(field.name) \(text) has bits beyond its mask", "did you mean \(within)?")
            return nil
        }
        return mark
    }

    /// Decimal, or hexadecimal behind `0x`, as ip(8) takes them; no sign.
    private static func markNumber(_ text: Substring) -> UInt32? {
        let isHex = text.hasPrefix("0x")
        let digits = isHex ? text.dropFirst(2) : text
        guard digits.allSatisfy({ $0.isASCII && $0.isHexDigit }) else { return nil }
        return UInt32(digits, radix: isHex ? 16 : 10)
    }
}
