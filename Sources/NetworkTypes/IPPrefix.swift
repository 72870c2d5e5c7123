/// A network: an address and how many of its leading bits count (`192.168.0.0/24`).
package struct IPPrefix: Hashable, Sendable {
    package var address: IPAddress
    package var length: UInt8

    /// `nil` where the length is longer than the address.
    package init?(_ address: IPAddress, length: Int) {
        guard length >= 0, length <= (address.family == .v4 ? 32 : 128) else { return nil }
        self.address = address
        self.length = UInt8(length)
    }

    /// A prefix of full length: one host.
    package init(host address: IPAddress) {
        self.address = address
        length = address.family == .v4 ? 32 : 128
    }

    /// Reads `ADDRESS/LENGTH`, or a bare address as a host.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let address = IPAddress(first) else { return nil }
        if parts.count == 1 {
            self.init(host: address)
        } else {
            guard parts[1].utf8.allSatisfy({ (48...57).contains($0) }), let length = Int(parts[1]) else { return nil }
            self.init(address, length: length)
        }
    }

    /// `0.0.0.0/0` or `::/0`.
    package static func everything(_ family: AddressFamily) -> IPPrefix {
        var prefix = IPPrefix(host: family == .v4 ? .v4(IPv4Address(bits: 0)) : .v6(IPv6Address(high: 0, low: 0)))
        prefix.length = 0
        return prefix
    }

    package var isDefault: Bool { length == 0 }

    package func contains(_ other: IPAddress) -> Bool {
        switch (address, other) {
        case (.v4(let mine), .v4(let theirs)):
            length == 0 || (mine.bits ^ theirs.bits) >> (32 - UInt32(length)) == 0
        case (.v6(let mine), .v6(let theirs)):
            zip(mine.octets, theirs.octets).enumerated().allSatisfy { index, pair in
                let bits = min(8, max(0, Int(length) - index * 8))
                return bits == 0 || (pair.0 ^ pair.1) >> (8 - bits) == 0
            }
        default: false
        }
    }
}

extension IPPrefix: CustomStringConvertible {
    package var description: String { "\(address)/\(length)" }
}
