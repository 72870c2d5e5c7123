package import NetworkTypes
internal import WANModel

/// What follows in the kernel when packets find an element of a verdict map.
package enum TableVerdict: Hashable, Sendable {
    case goTo(String)
    case jump(String)
    case `return`
}

extension TableVerdict: CustomStringConvertible {
    /// As nft(8) has it.
    package var description: String {
        switch self {
        case .goTo(let chain): "goto \(chain)"
        case .jump(let chain): "jump \(chain)"
        case .return: "return"
        }
    }
}

/// The key of an element that changes while the table stands.
package enum TableKey: Hashable, Sendable {
    /// `meta nfproto ipv4`: one octet, NFPROTO_IPV4 = 2. The only key of a `choice_…` or `hold_…` map.
    case ipv4
    /// 0…255 as 32 bits in the order of the host, as jhash leaves it in a register.
    case bucket(UInt32)
    /// Four octets in network order.
    case address(IPv4Address)
}

extension TableKey: CustomStringConvertible {
    /// As nft(8) has it.
    package var description: String {
        switch self {
        case .ipv4: "ipv4"
        case .bucket(let number): "\(number)"
        case .address(let address): "\(address)"
        }
    }
}

/// What one set or map of the table must lose and get. Changes belong into one transaction, each in this order: emptied,
/// removed, added; a key in both is replaced.
package struct SteeringChange: Hashable, Sendable {
    package struct Element: Hashable, Sendable {
        package var key: TableKey
        /// `nil` in a set.
        package var verdict: TableVerdict?

        package init(_ key: TableKey, _ verdict: TableVerdict? = nil) {
            self.key = key
            self.verdict = verdict
        }
    }

    /// Of the set or map.
    package var name: String
    /// First of all every element goes (`flush set`), also those that packets put there.
    package var isFlushed: Bool
    package var removed: [TableKey]
    package var added: [Element]

    package init(_ name: String, isFlushed: Bool = false, removed: [TableKey] = [], added: [Element] = []) {
        self.name = name
        self.isFlushed = isFlushed
        self.removed = removed
        self.added = added
    }
}
