package import NetworkTypes

/// A TCP or UDP socket of this machine: a line of `ss -tua` (sock_diag(7), linux/inet_diag.h `struct inet_diag_msg`).
package struct DiagnosedSocket: Hashable, Sendable {
    /// Of the socket, not of what it carries: an IPv6 socket may talk IPv4, with addresses `::ffff:a.b.c.d`.
    package var family: AddressFamily
    /// As in the IP header: 6 TCP, 17 UDP.
    package var transport: UInt8
    /// TCP_ESTABLISHED (1) and so on (net/tcp_states.h); a UDP socket that is connected is established, else closed (7).
    package var state: UInt8
    package var local: IPAddress
    package var localPort: UInt16
    package var remote: IPAddress
    package var remotePort: UInt16
    /// The interface the program bound it to (SO_BINDTODEVICE); `nil` where the routes choose.
    package var interface: InterfaceIndex?
    /// Tells this socket from a later one of the same addresses and ports.
    package var cookie: Cookie

    package struct Cookie: Hashable, Sendable {
        package var first: UInt32
        package var second: UInt32
    }

    /// Reads what follows the netlink header of a SOCK_DIAG_BY_FAMILY answer. It does not say the transport: the question did.
    package init(_ bytes: RawSpan, transport: UInt8) throws(WireError) {
        try bytes.require(header: 72)
        let number: UInt8 = try bytes.native(at: 0)
        guard let family = AddressFamily(rawValue: number) else {
            throw WireError(.badValue(field: "idiag_family", value: Int(number)), at: 0)
        }
        self.family = family
        self.transport = transport
        state = try bytes.native(at: 1)
        localPort = try bytes.big(at: 4)
        remotePort = try bytes.big(at: 6)
        let size = family == .v4 ? 4 : 16  // of the sixteen octets an IPv4 address takes the first four
        local = try bytes.extracting(8..<(8 + size)).address()
        remote = try bytes.extracting(24..<(24 + size)).address()
        let index: Int32 = try bytes.native(at: 40)
        interface = index == 0 ? nil : InterfaceIndex(rawValue: index)
        cookie = Cookie(first: try bytes.native(at: 44), second: try bytes.native(at: 48))
    }

    /// The IPv4 address it sends from, of an IPv6 socket too where that one talks IPv4 (RFC 4291 section 2.5.5.2).
    package var localV4: IPv4Address? {
        switch local {
        case .v4(let address): address
        case .v6(let address):
            address.high == 0 && address.low >> 32 == 0xffff
                ? IPv4Address(bits: UInt32(truncatingIfNeeded: address.low)) : nil
        }
    }

    /// Connected, or on the way to it or from it: neither a listener nor without a peer.
    package var isConnected: Bool { SocketDiagRequest.connectedStates & 1 << UInt32(state & 31) != 0 }

    /// What a DHCP client renews its lease with (RFC 2131 section 4.1): it follows the address by itself.
    package var isDHCPClient: Bool { transport == 17 && localPort == 68 }
}

extension DiagnosedSocket: CustomStringConvertible {
    /// As in ss(8)'s filters.
    package var description: String {
        let name = transport == 6 ? "tcp" : transport == 17 ? "udp" : "protocol \(transport)"
        return "\(name) src \(local) sport \(localPort) dst \(remote) dport \(remotePort)"
            + (interface.map { " dev #\($0)" } ?? "")
    }
}
