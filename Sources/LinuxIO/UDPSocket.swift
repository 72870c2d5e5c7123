internal import CLinux
internal import Glibc

/// An IPv4 UDP socket (udp(7)) that talks with neighbours; it never blocks.
///
/// It belongs to the network namespace of the thread that opened it. Addresses are in host order.
package struct UDPSocket: ~Copyable, Sendable {
    package let descriptor: OwnedDescriptor

    /// - Parameters:
    ///   - address: One of this machine's own (EADDRNOTAVAIL where it has no such one), with a port that is nobody else's
    ///     (EADDRINUSE).
    ///   - interface: Sends and hears through it only (SO_BINDTODEVICE, socket(7)): not by a default route that stands in for
    ///     a missing one, and nothing that comes in elsewhere with a neighbour's address. The kernel looks the name up once: for
    ///     an interface that was made anew it takes a new socket. ENODEV where there is none.
    ///   - timeToLive: Of what is sent: 1 for what no router may pass on (IP_TTL, ip(7)).
    ///   - peers: The kernel drops what comes from any other address, before it takes room in the socket (SO_ATTACH_FILTER);
    ///     `nil` lets everybody in.
    package init(
        address: UInt32, port: UInt16, interface: String? = nil, timeToLive: UInt8, from peers: [UInt32]? = nil
    ) throws(SystemCallError) {
        let kind = Int32(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let made = OwnedDescriptor(taking: try checked("socket(2)", "UDP") { socket(AF_INET, kind, 0) })
        let raw = made.raw
        if let interface {
            let name = Array(interface.utf8)
            _ = try checked("setsockopt(2) SO_BINDTODEVICE", interface) {
                setsockopt(raw, SOL_SOCKET, SO_BINDTODEVICE, name, socklen_t(name.count))
            }
        }
        var hops = Int32(timeToLive)
        _ = try checked("setsockopt(2)", "IP_TTL") {
            setsockopt(raw, Int32(IPPROTO_IP), IP_TTL, &hops, socklen_t(MemoryLayout<Int32>.size))
        }
        // Before the port is open: nothing is in the socket that the filter has not seen.
        if let peers {
            let known = peers.flatMap { [FilterInstruction.ifEqual($0, skip: 0, else: 1), .accept(.max)] }
            try ([.loadIPv4Source] + known + [.accept(0)]).attach(to: raw)
        }
        let own = SocketAddress(ipv4: address, port: port)
        _ = try checked("bind(2)", "\(own.text) port \(port)") { own.withPointer { bind(raw, $0, $1) } }
        descriptor = made
    }

    /// Sends one datagram. EAGAIN: no room in the socket just now; it is not kept for later.
    package borrowing func send(_ bytes: [UInt8], to address: UInt32, port: UInt16) throws(SystemCallError) {
        let raw = descriptor.raw
        let target = SocketAddress(ipv4: address, port: port)
        _ = try checked("sendto(2)", "\(target.text) port \(port)") {
            target.withPointer { name, length in sendto(raw, bytes, bytes.count, 0, name, length) }
        }
    }

    /// What came, from whom.
    package struct Datagram: Hashable, Sendable {
        package var source: UInt32
        package var sourcePort: UInt16
        package var bytes: [UInt8]
    }

    /// The next datagram, of which at most `limit` bytes are kept; `nil` where none waits.
    package borrowing func receive(atMost limit: Int) throws(SystemCallError) -> Datagram? {
        let raw = descriptor.raw
        var bytes = [UInt8](repeating: 0, count: limit)
        var name = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let got: Int
        do throws(SystemCallError) {
            got = try checked("recvfrom(2)") {
                withUnsafeMutablePointer(to: &name) { pointer in
                    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        recvfrom(raw, &bytes, limit, 0, $0, &length)
                    }
                }
            }
        } catch  where error.errno == EAGAIN {
            return nil
        }
        bytes.removeSubrange(min(got, limit)...)
        return Datagram(
            source: UInt32(bigEndian: name.sin_addr.s_addr), sourcePort: UInt16(bigEndian: name.sin_port), bytes: bytes)
    }
}
