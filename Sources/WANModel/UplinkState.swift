package import NetworkTypes

/// What is known of an uplink.
package enum UplinkState: String, Hashable, Sendable, CaseIterable {
    /// No interface, address, carrier or gateway.
    case absent
    /// Present; nothing answered yet.
    case proving
    case up
    /// A loss is being confirmed.
    case suspect
    /// Works, past a quality limit of the policy.
    case degraded
    case down
    /// By the operator.
    case disabled

    /// Whether traffic may be put on it.
    package var isUsable: Bool { self == .up || self == .suspect || self == .degraded }
}

/// What an uplink does for traffic.
package enum UplinkTraffic: String, Hashable, Sendable, CaseIterable {
    case selected
    case standby
    /// Old flows finish here, new ones go elsewhere.
    case draining
}

/// Where an uplink is attached right now, as the kernel tells it. It is usable for packets whenever it exists.
package struct Attachment: Hashable, Sendable {
    package var interfaceIndex: InterfaceIndex
    package var interface: String
    /// Addresses of the interface, the one that packets should carry first.
    package var addresses: [IPAddress]
    /// `nil` on a point-to-point interface, which needs none.
    package var gateway: IPAddress?
    /// An 802.11 device: short silences are normal there.
    package var isWireless: Bool

    package init(
        interfaceIndex: InterfaceIndex, interface: String, addresses: [IPAddress], gateway: IPAddress? = nil,
        isWireless: Bool = false
    ) {
        self.interfaceIndex = interfaceIndex
        self.interface = interface
        self.addresses = addresses
        self.gateway = gateway
        self.isWireless = isWireless
    }
}

/// An interface's counters (IFLA_STATS64), in bytes and packets since it was made.
package struct InterfaceCounters: Hashable, Sendable {
    package var rxBytes: UInt64
    package var txBytes: UInt64
    package var rxPackets: UInt64
    package var txPackets: UInt64

    package init(rxBytes: UInt64 = 0, txBytes: UInt64 = 0, rxPackets: UInt64 = 0, txPackets: UInt64 = 0) {
        self.rxBytes = rxBytes
        self.txBytes = txBytes
        self.rxPackets = rxPackets
        self.txPackets = txPackets
    }
}
