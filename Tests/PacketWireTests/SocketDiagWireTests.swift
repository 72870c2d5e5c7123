import NetworkTypes
import PacketWire
import Testing

@Suite("sock_diag: sockets in bytes")
struct SocketDiagWireTests {
    private func sockets(_ datagram: [UInt8], transport: UInt8) throws(WireError) -> [DiagnosedSocket] {
        try read(datagram) { (_, payload) throws(WireError) in try DiagnosedSocket(payload, transport: transport) }
    }

    private func bytes(_ request: SocketDiagRequest) -> [UInt8] {
        var datagram = NetlinkWriter()
        request.write(into: &datagram, sequence: 7)
        return datagram.bytes
    }

    @Test("a socket is read with addresses, ports and the interface it is bound to")
    func read4() throws {
        let socket = try #require(try sockets(NetlinkDumps.sockets, transport: 6).first)
        #expect(socket.family == .v4 && socket.state == 1 && socket.isConnected)
        #expect(socket.local == IPAddress("192.0.2.2") && socket.localPort == 40001)
        #expect(socket.remote == IPAddress("203.0.113.1") && socket.remotePort == 7777)
        #expect(socket.interface == InterfaceIndex(rawValue: 1) && !socket.isDHCPClient)
        #expect("\(socket)" == "tcp src 192.0.2.2 sport 40001 dst 203.0.113.1 dport 7777 dev #1")
    }

    @Test("an IPv6 socket that talks IPv4 has an IPv4 address; one that does not has none")
    func read6() throws {
        var socket = try #require(try sockets(NetlinkDumps.sockets6, transport: 6).first)
        #expect(socket.family == .v6 && socket.interface == nil)
        #expect(socket.localV4 == IPv4Address(192, 0, 2, 2))
        socket.local = try #require(IPAddress("2001:db8::c000:202"))
        #expect(socket.localV4 == nil)
    }

    @Test("a DHCP client's socket is known by its port")
    func dhcp() throws {
        var socket = try #require(try sockets(NetlinkDumps.datagramSockets, transport: 17).first)
        #expect(socket.isDHCPClient)
        socket.localPort = 69
        #expect(!socket.isDHCPClient)
    }

    @Test("a listener and a socket without a peer are not connected", arguments: [6, 7, 10, 13] as [UInt8])
    func states(state: UInt8) throws {
        var socket = try #require(try sockets(NetlinkDumps.sockets, transport: 6).first)
        socket.state = state
        #expect(!socket.isConnected)
    }

    @Test("asking for sockets and closing one read as ss(8) writes it")
    func requests() throws {
        let ask = SocketDiagRequest.connected(family: .v4, transport: 6, source: IPv4Address(192, 0, 2, 2))
        var ours = try Parts(bytes(ask), fixed: 56)
        let theirs = try Parts(NetlinkDumps.socketsRequest, fixed: 56)
        // ss(8) asks for 0xb37: without NEW_SYN_RECV, and with CLOSE of its own.
        ours.fixed.replaceSubrange(4..<8, with: theirs.fixed[4..<8])
        #expect(ours == theirs)
        let socket = try #require(try sockets(NetlinkDumps.sockets, transport: 6).first)
        #expect(
            try Parts(bytes(.destroy(socket)), fixed: 56) == Parts(NetlinkDumps.killRequest, fixed: 56))
    }
}
