/// An IPv4 address (RFC 791), as a number in host order.
package struct IPv4Address: Hashable, Sendable, Comparable {
    package var bits: UInt32

    package init(bits: UInt32) { self.bits = bits }

    package init(_ a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8) {
        bits = UInt32(a) << 24 | UInt32(b) << 16 | UInt32(c) << 8 | UInt32(d)
    }

    /// Reads dotted decimal with four parts and no leading zeros (inet_pton(3)'s form); `nil` for everything else.
    package init?(_ text: some StringProtocol) {
        var bits: UInt32 = 0
        var parts = 0
        for part in text.split(separator: ".", omittingEmptySubsequences: false) {
            guard parts < 4, (1...3).contains(part.utf8.count), part.utf8.allSatisfy({ (48...57).contains($0) }),
                part.utf8.count == 1 || part.utf8.first != 48, let value = UInt8(part)
            else { return nil }
            bits = bits << 8 | UInt32(value)
            parts += 1
        }
        guard parts == 4 else { return nil }
        self.bits = bits
    }

    /// The four octets in network order.
    package var octets: [UInt8] {
        [UInt8(bits >> 24), UInt8(bits >> 16 & 0xff), UInt8(bits >> 8 & 0xff), UInt8(bits & 0xff)]
    }

    package var isLoopback: Bool { bits >> 24 == 127 }
    package var isMulticast: Bool { bits >> 28 == 0xe }
    package var isUnspecified: Bool { bits == 0 }

    package static func < (a: IPv4Address, b: IPv4Address) -> Bool { a.bits < b.bits }
}

extension IPv4Address: CustomStringConvertible {
    package var description: String { "\(bits >> 24).\(bits >> 16 & 0xff).\(bits >> 8 & 0xff).\(bits & 0xff)" }
}

/// An IPv6 address (RFC 4291), as two numbers in host order.
package struct IPv6Address: Hashable, Sendable, Comparable {
    package var high: UInt64
    package var low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Reads the text forms of RFC 4291 section 2.2, without zone; `nil` for everything else.
    package init?(_ text: some StringProtocol) {
        let text = String(text)
        let halves = text.firstRange(of: "::").map { (String(text[..<$0.lowerBound]), String(text[$0.upperBound...])) }
        guard let head = Self.groups(of: halves?.0 ?? text), let tail = Self.groups(of: halves?.1 ?? "") else {
            return nil
        }
        let count = head.count + tail.count
        guard halves == nil ? count == 8 : count <= 7 else { return nil }
        if halves?.1.contains("::") == true { return nil }
        let groups = head + [UInt16](repeating: 0, count: 8 - count) + tail
        high = groups[..<4].reduce(0) { $0 << 16 | UInt64($1) }
        low = groups[4...].reduce(0) { $0 << 16 | UInt64($1) }
    }

    private static func groups(of text: String) -> [UInt16]? {
        if text.isEmpty { return [] }
        var groups: [UInt16] = []
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        for (position, part) in parts.enumerated() {
            if position == parts.count - 1, part.contains(".") {
                guard let v4 = IPv4Address(part) else { return nil }
                groups += [UInt16(v4.bits >> 16), UInt16(v4.bits & 0xffff)]
            } else {
                guard (1...4).contains(part.utf8.count), part.allSatisfy(\.isHexDigit),
                    let group = UInt16(part, radix: 16)
                else { return nil }
                groups.append(group)
            }
        }
        return groups
    }

    /// The sixteen octets in network order.
    package var octets: [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: high >> (56 - 8 * $0)) }
            + (0..<8).map { UInt8(truncatingIfNeeded: low >> (56 - 8 * $0)) }
    }

    package var isMulticast: Bool { high >> 56 == 0xff }

    package static func < (a: IPv6Address, b: IPv6Address) -> Bool { (a.high, a.low) < (b.high, b.low) }
}

extension IPv6Address: CustomStringConvertible {
    /// The canonical text of RFC 5952.
    package var description: String {
        let groups =
            (0..<4).map { UInt16(truncatingIfNeeded: high >> (48 - 16 * $0)) }
            + (0..<4).map { UInt16(truncatingIfNeeded: low >> (48 - 16 * $0)) }
        var best = 0..<0
        var start = 0
        while start < 8 {
            var end = start
            while end < 8, groups[end] == 0 { end += 1 }
            if end - start > best.count, end - start > 1 { best = start..<end }
            start = max(end, start + 1)
        }
        let hex = { (part: ArraySlice<UInt16>) in part.map { String($0, radix: 16) }.joined(separator: ":") }
        if best.isEmpty { return hex(groups[...]) }
        return hex(groups[..<best.lowerBound]) + "::" + hex(groups[best.upperBound...])
    }
}

/// An address of either family.
package enum IPAddress: Hashable, Sendable, Comparable {
    case v4(IPv4Address)
    case v6(IPv6Address)

    package init?(_ text: some StringProtocol) {
        if let v4 = IPv4Address(text) {
            self = .v4(v4)
        } else if let v6 = IPv6Address(text) {
            self = .v6(v6)
        } else {
            return nil
        }
    }

    package var family: AddressFamily {
        switch self {
        case .v4: .v4
        case .v6: .v6
        }
    }

    package var v4: IPv4Address? { if case .v4(let address) = self { address } else { nil } }
}

extension IPAddress: CustomStringConvertible {
    package var description: String {
        switch self {
        case .v4(let address): address.description
        case .v6(let address): address.description
        }
    }
}

/// IPv4 or IPv6, by Linux' numbers (AF_INET 2, AF_INET6 10; socket.h).
package enum AddressFamily: UInt8, Hashable, Sendable, CaseIterable {
    case v4 = 2
    case v6 = 10
}
