import Glibc
import LinuxIO
import Netlink
import NetworkTypes
import PacketWire
import TestSupport
import Testing

/// A TCP connection within one namespace: who asked, and who was asked.
private struct Connection: ~Copyable {
    let client: InetSocket
    let server: InetSocket

    init(
        from source: String, port: UInt16 = 0, to listener: borrowing InetSocket, at address: String = "203.0.113.1",
        family: Int32 = AF_INET, boundTo interface: String? = nil
    ) throws {
        let made = try InetSocket(SOCK_STREAM, family: family)
        if let interface { try made.bindToInterface(interface) }
        try made.bind(source, port)
        try made.connect(address, try listener.port())
        server = try listener.accept()
        client = made
    }
}

@Suite("sock_diag: sockets of this machine", .enabled(if: TestNamespace.isAvailable, "\(TestNamespace.advice)"))
struct SocketDiagTests {
    private let namespace: TestNamespace
    private let uplink = IPv4Address(192, 0, 2, 2)

    init() throws {
        namespace = try TestNamespace.make()
        try namespace.run(
            lines: """
                ip address add 192.0.2.2/32 dev lo
                ip address add 198.51.100.2/32 dev lo
                ip address add 203.0.113.1/32 dev lo
                """)
    }

    /// A listener that knows IPv4 and IPv6.
    private func listener() throws -> InetSocket {
        let listener = try InetSocket(SOCK_STREAM, family: AF_INET6)
        try listener.bind("::")
        try listener.listen()
        return listener
    }

    /// A UDP socket with a peer, which need not be there.
    private func datagram(from source: String, port: UInt16 = 0, family: Int32 = AF_INET) throws -> InetSocket {
        let made = try InetSocket(SOCK_DGRAM, family: family)
        try made.bind(source, port)
        try made.connect(family == AF_INET ? "203.0.113.1" : "::ffff:203.0.113.1", 9999)
        return made
    }

    @Test("connections from an address are closed; those of others, listeners, bound ones and DHCP clients live on")
    func close() throws {
        try namespace.inside {
            let listener = try listener()
            let tcp = try Connection(from: "192.0.2.2", to: listener)
            let mapped = try Connection(
                from: "::ffff:192.0.2.2", to: listener, at: "::ffff:203.0.113.1", family: AF_INET6)
            let udp = try datagram(from: "192.0.2.2")
            let udpMapped = try datagram(from: "::ffff:192.0.2.2", family: AF_INET6)

            let other = try Connection(from: "198.51.100.2", to: listener)
            let bound = try Connection(from: "192.0.2.2", to: listener, boundTo: "lo")
            let otherUDP = try datagram(from: "198.51.100.2")
            let dhcp = try datagram(from: "192.0.2.2", port: 68)
            let unconnected = try InetSocket(SOCK_DGRAM)
            try unconnected.bind("192.0.2.2")
            let listenerThere = try InetSocket(SOCK_STREAM)
            try listenerThere.bind("192.0.2.2")
            try listenerThere.listen()

            var diag = try SocketDiag()
            let found = try diag.connected(source: uplink)
            #expect(found.count == 6 && found.allSatisfy { $0.localV4 == uplink })
            #expect(found.filter { $0.transport == 6 }.map(\.state) == [1, 1, 1])
            #expect(found.filter { $0.interface != nil }.map(\.localPort) == [try bound.client.port()])
            #expect(found.filter(\.isDHCPClient).count == 1)

            let closed = try diag.close(source: uplink)
            #expect(closed == 4)
            #expect(tcp.client.readError() == ECONNABORTED && mapped.client.readError() == ECONNABORTED)
            #expect(udp.readError() == ECONNABORTED && udpMapped.readError() == ECONNABORTED)
            // The other end was told.
            #expect(tcp.server.readError() == ECONNRESET)

            #expect(other.client.reaches(other.server) && other.server.reaches(other.client))
            #expect(bound.client.reaches(bound.server) == true)
            #expect(otherUDP.readError() == EAGAIN && dhcp.readError() == EAGAIN)
            #expect(unconnected.readError() == EAGAIN)
            let late = try InetSocket(SOCK_STREAM)
            try late.connect("192.0.2.2", try listenerThere.port())
            let accepted = try listenerThere.accept()
            #expect(late.reaches(accepted) == true)

            // `late` is from 192.0.2.2 too, as is what was accepted: closing one of them resets the other.
            let again = try diag.close(source: uplink, keepingBound: false)
            #expect(again == 2)
            #expect(bound.client.readError() == ECONNABORTED)
            #expect([ECONNABORTED, ECONNRESET].contains(accepted.readError()) == true)
            #expect(dhcp.readError() == EAGAIN && other.client.reaches(other.server))
        }
    }

    @Test("sockets that are gone by the time they are closed are no error")
    func gone() throws {
        try namespace.inside {
            let listener = try listener()
            var diag = try SocketDiag()
            var found: [DiagnosedSocket] = []
            do {
                let tcp = try Connection(from: "192.0.2.2", port: 5000, to: listener)
                found = try diag.connected(source: uplink)
                #expect(found.count == 1 && tcp.client.readError() == EAGAIN)
                let first = try diag.close(found)
                #expect(first == 1)
            }
            // Another one in its place has another cookie.
            let next = try Connection(from: "192.0.2.2", port: 5000, to: listener)
            let second = try diag.close(found)
            #expect(second == 0)
            #expect(next.client.readError() == EAGAIN)
            let none = try diag.close(source: IPv4Address(192, 0, 2, 77))
            #expect(none == 0)
        }
    }

    @Test("a connection that nobody answers is closed too")
    func unanswered() throws {
        try namespace.run("nft", "table inet t { chain in { type filter hook input priority 0; tcp dport 7 drop; }; }")
        try namespace.inside {
            let client = try InetSocket(SOCK_STREAM)
            try client.bind("192.0.2.2")
            let flags = fcntl(client.descriptor.raw, F_GETFL)
            #expect(fcntl(client.descriptor.raw, F_SETFL, flags | O_NONBLOCK) == 0)
            #expect(throws: SystemCallError.self) { try client.connect("203.0.113.1", 7) }
            var diag = try SocketDiag()
            let found = try diag.connected(source: uplink)
            #expect(found.map(\.state) == [2])  // SYN_SENT
            let closed = try diag.close(source: uplink)
            #expect(closed == 1)
            var waiting = pollfd(fd: client.descriptor.raw, events: Int16(POLLOUT), revents: 0)
            #expect(poll(&waiting, 1, 1000) == 1 && client.readError() == ECONNABORTED)
        }
    }
}
