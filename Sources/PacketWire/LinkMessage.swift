package import NetworkTypes

/// A network interface as the kernel describes it: `ip -details -statistics link show` (rtnetlink(7) RTM_NEWLINK).
package struct LinkMessage: Hashable, Sendable {
    package var index: InterfaceIndex
    package var name: String
    package var flags: Flags
    package var operState: OperState
    /// Whether the medium answers (IFLA_CARRIER); `nil` where the message does not tell.
    package var hasCarrier: Bool?
    package var counters: Counters?
    /// AF_UNSPEC 0, or AF_BRIDGE 7 where the message is about a bridge's port and not about the interface.
    package var addressFamily: UInt8
    /// Part of a message stream of the wireless extensions (IFLA_WIRELESS): it has no attributes of the interface.
    package var isWirelessEvent = false

    /// Whether this describes the interface itself, whole.
    package var isWhole: Bool { addressFamily == 0 && !isWirelessEvent }

    /// IFF_* (netdevice(7)).
    package struct Flags: OptionSet, Hashable, Sendable {
        package let rawValue: UInt32
        package init(rawValue: UInt32) { self.rawValue = rawValue }
        /// Set up by its owner.
        package static let up = Flags(rawValue: 0x1)
        package static let loopback = Flags(rawValue: 0x8)
        package static let pointToPoint = Flags(rawValue: 0x10)
        /// Operational as RFC 2863 has it.
        package static let running = Flags(rawValue: 0x40)
        package static let noARP = Flags(rawValue: 0x80)
        /// The medium is there.
        package static let lowerUp = Flags(rawValue: 0x1_0000)
    }

    /// RFC 2863 ifOperStatus by Linux' numbers (linux/if.h IF_OPER_*). PPP and tun devices say `unknown` when all is well.
    package enum OperState: UInt8, Hashable, Sendable {
        case unknown = 0
        case notPresent, down, lowerLayerDown, testing, dormant, up
    }

    /// Since the interface was made (linux/if_link.h `struct rtnl_link_stats64`).
    package struct Counters: Hashable, Sendable {
        package var receivedPackets: UInt64
        package var sentPackets: UInt64
        package var receivedBytes: UInt64
        package var sentBytes: UInt64
    }

    /// Reads what follows the netlink header of an RTM_NEWLINK or RTM_DELLINK.
    package init(_ bytes: RawSpan) throws(WireError) {
        try bytes.require(header: 16)
        addressFamily = try bytes.native(at: 0)
        index = InterfaceIndex(rawValue: try bytes.native(at: 4))
        flags = Flags(rawValue: try bytes.native(at: 8))
        name = ""
        operState = .unknown
        try forEachAttribute(in: bytes.extracting(droppingFirst: 16)) { (kind, payload) throws(WireError) in
            switch Kind(rawValue: kind) {
            case .name: name = payload.text
            case .wireless: isWirelessEvent = true
            case .operState: operState = OperState(rawValue: try payload.native(at: 0)) ?? .unknown
            case .stats64:
                counters = Counters(
                    receivedPackets: try payload.native(at: 0), sentPackets: try payload.native(at: 8),
                    receivedBytes: try payload.native(at: 16), sentBytes: try payload.native(at: 24))
            case .carrier: hasCarrier = try payload.native(at: 0, as: UInt8.self) != 0
            case nil: break
            }
        }
    }

    /// IFLA_*, by the kernel's numbers.
    private enum Kind: UInt16 {
        case name = 3
        case wireless = 11
        case operState = 16
        case stats64 = 23
        case carrier = 33
    }
}
