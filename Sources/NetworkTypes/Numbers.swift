/// The kernel's number of a network interface. It changes when an interface is made anew, the name may not (netdevice(7)).
package struct InterfaceIndex: Hashable, Sendable, Comparable, RawRepresentable {
    package var rawValue: Int32
    package init(rawValue: Int32) { self.rawValue = rawValue }
    package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

extension InterfaceIndex: CustomStringConvertible {
    package var description: String { String(rawValue) }
}

/// A firewall mark and the bits of it that are ours.
///
/// The mark is one 32-bit word shared by every program on the router, so a value never travels without its mask:
/// `ip rule … fwmark 0x10000/0xff0000`, nft `meta mark and 0x00ff0000 == 0x00010000`.
package struct FwMark: Hashable, Sendable {
    package var value: UInt32
    package var mask: UInt32

    package init(value: UInt32, mask: UInt32) {
        self.value = value
        self.mask = mask
    }
}

extension FwMark: CustomStringConvertible {
    package var description: String { "0x\(String(value, radix: 16))/0x\(String(mask, radix: 16))" }
}

/// A routing table's number (`ip route … table N`).
package struct RoutingTable: Hashable, Sendable, Comparable, RawRepresentable {
    package var rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }
    package static let main = RoutingTable(rawValue: 254)
    package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

extension RoutingTable: CustomStringConvertible {
    package var description: String { self == .main ? "main" : String(rawValue) }
}

/// A routing rule's rank in the look-up order (`ip rule … priority N`); lower is asked first.
package struct RulePriority: Hashable, Sendable, Comparable, RawRepresentable {
    package var rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }
    package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

extension RulePriority: CustomStringConvertible {
    package var description: String { String(rawValue) }
}

/// Who made a route or rule (rtnetlink(7) `rtm_protocol`; names in /etc/iproute2/rt_protos).
package struct RouteProtocol: Hashable, Sendable, RawRepresentable {
    package var rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }
    /// Ours: wanctld(8), "What is ours".
    package static let wanctl = RouteProtocol(rawValue: 87)
}

extension RouteProtocol: CustomStringConvertible {
    package var description: String { self == .wanctl ? "wanctl" : String(rawValue) }
}
