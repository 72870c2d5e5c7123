package import NetworkTypes

/// The three ways out of the lab's router, by the names a policy gives them.
package enum LabUplink: String, Hashable, Sendable, CaseIterable {
    case ftth
    case jcom
    case soracom

    /// Its interface in the router.
    package var interface: String {
        switch self {
        case .ftth: "ppp0"
        case .jcom: "wlan0"
        case .soracom: "ppp1"
        }
    }

    /// The router's address on it when the lab starts.
    package var address: IPv4Address {
        switch self {
        case .ftth: IPv4Address(198, 51, 100, 10)
        case .jcom: IPv4Address(192, 168, 3, 7)
        case .soracom: IPv4Address(10, 1, 2, 3)
        }
    }

    /// The other end of it: the PPP peer, or JCOM's home router.
    package var gateway: IPv4Address {
        switch self {
        case .ftth: IPv4Address(198, 51, 100, 1)
        case .jcom: IPv4Address(192, 168, 3, 1)
        case .soracom: IPv4Address(10, 64, 64, 64)
        }
    }

    /// The source address the lab's internet sees; JCOM's home router translates.
    package var publicAddress: IPv4Address { self == .jcom ? IPv4Address(203, 0, 113, 20) : address }

    /// Where the router's packets come out of its wire: an interface of `farPlace`.
    var farInterface: String { self == .jcom ? "lan0" : rawValue + "0" }
    var farPlace: LabPlace { self == .jcom ? .jcom : .inet }
    var isPointToPoint: Bool { self != .jcom }

    /// PPPoE at NTT's flet's leaves 1454; SORACOM's PPP and JCOM's Wi-Fi 1500.
    var mtu: Int { self == .ftth ? 1454 : 1500 }
}

/// The lab's machines, each a network namespace `wanctl-ID-NAME` (ip-netns(8)).
package enum LabPlace: String, LabMachine, CaseIterable {
    /// The one under test: `eth0` to the LAN, `eth1` to the guest network and one interface for each uplink.
    case router
    /// The internet: the targets, the content server, SORACOM's services, and the provider's end of each line.
    case inet
    /// JCOM's home router, which translates 192.168.3.0/24 to its public address.
    case jcom
    /// A client of the LAN.
    case lan
    /// A host of another network behind the router, `eth1`: a guest network, or the servers.
    case guest
}

/// The addresses of the lab that belong to no uplink.
package enum LabAddress {
    package static let router = IPv4Address(192, 168, 0, 1)
    package static let client = IPv4Address(192, 168, 0, 200)
    /// The router on the guest network, 192.168.10.0/24, and the host there.
    package static let guestRouter = IPv4Address(192, 168, 10, 1)
    package static let guest = IPv4Address(192, 168, 10, 200)
    /// What policies probe.
    package static let targets = [IPv4Address(8, 8, 8, 8), IPv4Address(1, 1, 1, 1), IPv4Address(9, 9, 9, 9)]
    /// The content server: see `ContentServer`.
    package static let content = IPv4Address(192, 0, 2, 10)
    /// A host of the internet from which somebody calls in.
    package static let caller = IPv4Address(192, 0, 2, 30)
    /// For a SORACOM API server of the lab; nothing listens unless somebody starts one.
    package static let soracomAPI = IPv4Address(192, 0, 2, 20)
    /// pong.soracom.io, which is the metadata service too; only the SORACOM line reaches it.
    package static let soracomMetadata = IPv4Address(100, 127, 100, 127)
    /// JCOM's side of `inet`.
    static let jcomPublicGateway = IPv4Address(203, 0, 113, 1)
}
