internal import CLinux
internal import Glibc

/// A TCP socket that waits for connections (tcp(7)); it belongs to the network namespace it was opened in.
package struct TCPListener: ~Copyable, Sendable {
    package let descriptor: OwnedDescriptor
    package let port: UInt16

    /// `address` is numeric, IPv4 or IPv6; port 0 takes a free one.
    package init(address: String, port: UInt16 = 0) throws(SystemCallError) {
        let bound = try Self.bound(address, port)
        let chosen = try SocketAddress.ofSocket(bound.raw).port
        // A port that bind(2) chose is given up by `refuse()` (SOCK_BINDPORT_LOCK, inet_connection_sock.c): ask for it by number
        // while the first socket still holds it.
        let listening = port == 0 ? try Self.bound(address, chosen) : consume bound
        let raw = listening.raw
        _ = try checked("listen(2)") { Glibc.listen(raw, 128) }
        self.port = chosen
        descriptor = listening
    }

    private static func bound(_ address: String, _ port: UInt16) throws(SystemCallError) -> OwnedDescriptor {
        let wanted = try SocketAddress(address: address, port: port)
        let flags = Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let made = OwnedDescriptor(
            taking: try checked("socket(2)") { socket(wanted.family, Int32(SOCK_STREAM.rawValue) | flags, 0) })
        let raw = made.raw
        var one: Int32 = 1
        _ = try checked("setsockopt(2) SO_REUSEADDR") {
            setsockopt(raw, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
        }
        _ = try checked("bind(2)", "\(address) port \(port)") { wanted.withPointer { bind(raw, $0, $1) } }
        return made
    }

    /// Takes connections (again).
    package func listen() throws(SystemCallError) {
        _ = try checked("listen(2)") { Glibc.listen(descriptor.raw, 128) }
    }

    /// Stops taking connections but keeps the port: who connects is refused, until `listen()`.
    ///
    /// shutdown(2) takes a listening socket of Linux back to where it was after bind(2) (inet_shutdown() in af_inet.c).
    package func refuse() throws(SystemCallError) {
        _ = try checked("shutdown(2)") { shutdown(descriptor.raw, Int32(SHUT_RD)) }
    }

    /// The next connection and whose address it is from; `nil` when there is none.
    package func accept() throws(SystemCallError) -> TCPConnection? {
        let raw = wan_accept4(
            descriptor.raw, nil, nil, Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue))
        if raw < 0 {
            switch Glibc.errno {
            // ECONNABORTED and the network's own errors belong to a connection that is gone already (accept(2)).
            case EAGAIN, EINTR, ECONNABORTED, EPROTO, ENETDOWN, EHOSTUNREACH, ENETUNREACH, EINVAL: return nil
            default: throw SystemCallError(call: "accept4(2)", errno: Glibc.errno)
            }
        }
        return TCPConnection(taking: OwnedDescriptor(taking: raw))
    }
}

/// A connection that does not block.
package struct TCPConnection: ~Copyable, Sendable {
    package let descriptor: OwnedDescriptor
    /// Numeric; empty where the peer was gone before we looked.
    package let peerAddress: String

    init(taking descriptor: consuming OwnedDescriptor) {
        let raw = descriptor.raw
        peerAddress = (try? SocketAddress.ofPeer(raw).text) ?? ""
        self.descriptor = descriptor
    }

    package enum Received: Hashable, Sendable {
        case bytes([UInt8])
        case nothingYet
        case ended
    }

    package func receive(upTo count: Int = 16384) -> Received {
        var chunk = [UInt8](repeating: 0, count: count)
        let got = recv(descriptor.raw, &chunk, count, 0)
        if got > 0 { return .bytes(Array(chunk[..<got])) }
        return got < 0 && (Glibc.errno == EAGAIN || Glibc.errno == EINTR) ? .nothingYet : .ended
    }

    /// How many of the bytes went; `nil` when the connection is gone.
    package func send(_ bytes: ArraySlice<UInt8>) -> Int? {
        let sent = bytes.withUnsafeBytes { Glibc.send(descriptor.raw, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        if sent >= 0 { return sent }
        return Glibc.errno == EAGAIN || Glibc.errno == EINTR ? 0 : nil
    }

    /// Makes the close that follows a reset instead of an orderly end (SO_LINGER 0, socket(7)).
    package func resetOnClose() {
        var now = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor.raw, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
    }
}
