package import NetworkTypes

/// The boxes of the lab's site, each with one way out of its own (wanctl-site(7)).
package enum SiteNode: String, Hashable, Sendable, CaseIterable {
    /// Fibre on its `ppp0`, as the classic `main`.
    case main
    /// SORACOM on its `ppp0`, as the classic `sub`.
    case sub
    /// JCOM on its `wlan0`; not in every site.
    case third

    package var address: IPv4Address {
        switch self {
        case .main: IPv4Address(192, 168, 0, 1)
        case .sub: IPv4Address(192, 168, 0, 2)
        case .third: IPv4Address(192, 168, 0, 3)
        }
    }

    package var uplink: LabUplink {
        switch self {
        case .main: .ftth
        case .sub: .soracom
        case .third: .jcom
        }
    }

    /// The interface of its uplink: `ppp0` on two boxes is two uplinks.
    package var interface: String { self == .third ? "wlan0" : "ppp0" }

    /// Its port on the LAN's switch.
    var port: String { rawValue + "0" }

    package var place: SitePlace {
        switch self {
        case .main: .main
        case .sub: .sub
        case .third: .third
        }
    }
}

/// The machines of a site's lab, each a network namespace `wanctl-ID-NAME`.
package enum SitePlace: String, LabMachine, CaseIterable {
    case main
    case sub
    case third
    /// The LAN's switch: a bridge with a port for each machine.
    case lanSwitch = "switch"
    /// A host of the LAN, whose default gateway is the virtual address.
    case lan
    case inet
    /// JCOM's home router; only where a box has that line.
    case jcom
}

extension LabAddress {
    /// What the hosts of a site's LAN have as their gateway.
    package static let virtual = IPv4Address(192, 168, 0, 254)
}

/// What can happen to the cable between a box of the site and the LAN's switch.
package enum SiteCable: Hashable, Sendable {
    case connected
    /// The box's interface has no carrier, as when the plug is pulled or the box has no power.
    case unplugged
    /// Carrier, and not a frame: a switch that fails, or a LAN in two parts.
    case silent
}
