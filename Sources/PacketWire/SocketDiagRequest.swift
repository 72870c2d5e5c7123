package import NetworkTypes

/// A question or command to sock_diag(7) (linux/sock_diag.h, linux/inet_diag.h).
package enum SocketDiagRequest: Hashable, Sendable {
    /// `ss -H state connected src ADDRESS`: sockets of this family and transport with a peer whose local IPv4 address is this
    /// one; the kernel does the choosing. IPv6 sockets that talk IPv4 are found in family `v6`.
    case connected(family: AddressFamily, transport: UInt8, source: IPv4Address)
    /// `ss -K`: the program's next call on it fails with ECONNABORTED, and a TCP peer gets a reset (Linux 4.5 with
    /// CONFIG_INET_DIAG_DESTROY, 4.9 for UDP; EOPNOTSUPP without).
    case destroy(DiagnosedSocket)

    /// The message type of a socket in the answer: SOCK_DIAG_BY_FAMILY.
    package static let socketType: UInt16 = 20

    /// 1 << TCP_ESTABLISHED and so on (net/tcp_states.h): all but TIME_WAIT (6), CLOSE (7), LISTEN (10) and
    /// BOUND_INACTIVE (13).
    static let connectedStates: UInt32 = 0x3fff & ~(1 << 0 | 1 << 6 | 1 << 7 | 1 << 10 | 1 << 13)

    /// The whole message, header included.
    package func write(into datagram: inout NetlinkWriter, sequence: UInt32) {
        switch self {
        case .connected(let family, let transport, let source):
            datagram.message(type: 20, flags: [.request, .dump], sequence: sequence) {
                $0.append(octets: [family.rawValue, transport, 0, 0])  // struct inet_diag_req_v2
                $0.append(native: Self.connectedStates)
                $0.append(octets: [UInt8](repeating: 0, count: 48))  // no one socket in particular
                // INET_DIAG_REQ_BYTECODE: one comparison; where it fails the jump leads past the end, which means no.
                $0.attribute(1) {
                    $0.append(octets: [7, 16])  // INET_DIAG_BC_S_COND, and where to go on if it holds: the end
                    $0.append(native: 20 as UInt16)
                    // struct inet_diag_hostcond: family (AF_INET matches ::ffff:a.b.c.d too), prefix length, any port
                    $0.append(octets: [AddressFamily.v4.rawValue, 32, 0, 0])
                    $0.append(native: -1 as Int32)
                    $0.append(octets: source.octets)
                }
            }
        case .destroy(let socket):
            // SOCK_DESTROY
            datagram.message(type: 21, flags: [.request, .acknowledge], sequence: sequence) {
                $0.append(octets: [socket.family.rawValue, socket.transport, 0, 0])
                $0.append(native: 0 as UInt32)  // idiag_states is for dumps
                $0.append(native: socket.localPort.bigEndian)  // struct inet_diag_sockid
                $0.append(native: socket.remotePort.bigEndian)
                $0.append(wide: socket.local)
                $0.append(wide: socket.remote)
                $0.append(native: socket.interface?.rawValue ?? 0)
                $0.append(native: socket.cookie.first)
                $0.append(native: socket.cookie.second)
            }
        }
    }
}

extension SocketDiagRequest: CustomStringConvertible {
    /// In ss(8)'s words.
    package var description: String {
        switch self {
        case .connected(let family, let transport, let source):
            "ss -\(family == .v4 ? 4 : 6) -\(transport == 6 ? "t" : "u") state connected src \(source)"
        case .destroy(let socket): "ss -K \(socket)"
        }
    }
}

extension NetlinkWriter {
    /// An address in the sixteen octets that every one gets there.
    fileprivate mutating func append(wide address: IPAddress) {
        append(address: address)
        if address.family == .v4 { append(octets: [UInt8](repeating: 0, count: 12)) }
    }
}
