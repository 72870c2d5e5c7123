internal import CMnl
internal import Glibc
package import NetworkTypes
package import PacketWire

/// The sockets of this machine's own programs, and closing them under their feet: what `ss -K` does, without the process.
///
/// A connection from an address that lost its line would hang until its program's patience ends; closed, the program learns
/// at once and connects again over the line that works.
package struct SocketDiag: ~Copyable {
    private var socket: NetlinkSocket

    /// Opens a socket in the calling thread's network namespace; it stays in it.
    package init() throws(NetlinkError) {
        socket = try NetlinkSocket.open(bus: NETLINK_SOCK_DIAG, receiveBuffer: 1 << 20, purpose: "open sock_diag")
    }

    /// The connected TCP and UDP sockets that send IPv4 packets from this address, IPv6 sockets among them.
    ///
    /// Listeners, sockets without a peer and those in TIME_WAIT are not. ENOENT: the kernel cannot list this kind.
    package mutating func connected(source: IPv4Address) throws(NetlinkError) -> [DiagnosedSocket] {
        try connected(source: source, transport: 6) + connected(source: source, transport: 17)
    }

    private mutating func connected(
        source: IPv4Address, transport: UInt8
    ) throws(NetlinkError) -> [DiagnosedSocket] {
        var found: [DiagnosedSocket] = []
        for family in AddressFamily.allCases {
            let request = SocketDiagRequest.connected(family: family, transport: transport, source: source)
            do throws(NetlinkError) {
                found += try socket.dump(for: "\(request)", request.write) { (header, payload) throws(WireError) in
                    guard header.type == SocketDiagRequest.socketType else { return nil }
                    let socket = try DiagnosedSocket(payload, transport: transport)
                    return socket.localV4 == source && socket.isConnected ? socket : nil
                }
            } catch {
                if error.errno == ENOENT, family == .v6 { continue }  // a kernel without IPv6
                throw error.errno == ENOENT ? error.saying(Self.noListing(transport)) : error
            }
        }
        return found
    }

    /// Closes the connected sockets of this machine that send from this address, and returns how many.
    ///
    /// A socket that its program bound to an interface is left alone (the program chose its line itself), unless
    /// `keepingBound` is false: where the interface or its address is gone, it waits for nothing. DHCP clients are always left
    /// alone. Sockets that are gone by now are no error. TCP is done before UDP, so it is done where UDP cannot be.
    ///
    /// EOPNOTSUPP: a kernel without CONFIG_INET_DIAG_DESTROY.
    @discardableResult
    package mutating func close(source: IPv4Address, keepingBound: Bool = true) throws(NetlinkError) -> Int {
        var closed = 0
        for transport: UInt8 in [6, 17] {
            closed += try close(
                connected(source: source, transport: transport).filter {
                    !$0.isDHCPClient && ($0.interface == nil || !keepingBound)
                })
        }
        return closed
    }

    /// Closes these sockets, many to a datagram, and returns how many were still there.
    @discardableResult
    package mutating func close(_ sockets: [DiagnosedSocket]) throws(NetlinkError) -> Int {
        var closed = 0
        var fault: NetlinkError?
        for part in sockets.slices(of: Self.batch) {
            let verdicts = try socket.exchange(part, for: "\(part.count) × ss -K") {
                SocketDiagRequest.destroy($0).write(into: &$1, sequence: $2)
            }
            for (socket, verdict) in zip(part, verdicts) {
                switch verdict.errno {
                case 0: closed += 1
                case ENOENT: break  // gone already
                case EOPNOTSUPP where socket.state == 5: break  // FIN_WAIT2 and no program's: it times out by itself
                case EOPNOTSUPP: fault = fault ?? refusal(socket, verdict).saying(Self.noDestroying)
                default: fault = fault ?? refusal(socket, verdict)
                }
            }
        }
        if let fault { throw fault }
        return closed
    }

    private func refusal(_ socket: DiagnosedSocket, _ verdict: NetlinkVerdict) -> NetlinkError {
        NetlinkError("\(SocketDiagRequest.destroy(socket))", verdict)
    }

    /// How many commands share a datagram: their answers fit the receive buffer many times over.
    private static var batch: Int { 256 }

    private static func noListing(_ transport: UInt8) -> String {
        "this kernel has no CONFIG_INET_\(transport == 6 ? "TCP" : "UDP")_DIAG; programs notice a dead line by themselves"
    }

    private static let noDestroying =
        "this kernel has no CONFIG_INET_DIAG_DESTROY; programs notice a dead line by themselves"
}

extension NetlinkError {
    /// The same with a sentence of ours where the kernel gave none.
    fileprivate func saying(_ sentence: String) -> NetlinkError {
        NetlinkError(operation: operation, errno: errno, sentence: self.sentence ?? sentence)
    }
}
