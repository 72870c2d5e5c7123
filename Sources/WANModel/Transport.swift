/// Protocols over IP, by IANA's numbers, with the names that nft(8) and /etc/protocols have for them.
package enum Transport: String, Hashable, Sendable, CaseIterable {
    case tcp, udp, udplite, sctp, dccp, icmp, esp, ah, gre, ipip, igmp

    package var number: UInt8 {
        switch self {
        case .tcp: 6
        case .udp: 17
        case .udplite: 136
        case .sctp: 132
        case .dccp: 33
        case .icmp: 1
        case .esp: 50
        case .ah: 51
        case .gre: 47
        case .ipip: 4
        case .igmp: 2
        }
    }

    package init?(number: UInt8) {
        guard let transport = Self.allCases.first(where: { $0.number == number }) else { return nil }
        self = transport
    }

    /// Whether packets of the protocol begin with a source and a destination port, which nft calls `th sport` and `th dport`.
    package static func hasPorts(_ number: UInt8) -> Bool {
        switch number {
        case 6, 17, 33, 132, 136: true
        default: false
        }
    }
}
