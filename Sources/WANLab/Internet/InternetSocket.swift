internal import CLinux
internal import Glibc
internal import LinuxIO
package import NetworkTypes

/// An IPv4 address and port (ip(7)).
package struct Endpoint: Hashable, Sendable, CustomStringConvertible {
    package var address: IPv4Address
    package var port: UInt16

    package init(_ address: IPv4Address, _ port: UInt16) {
        self.address = address
        self.port = port
    }

    package var description: String { "\(address):\(port)" }

    /// Calls the body with the kernel's form.
    func withSocketAddress<Answer>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Answer) -> Answer {
        var form = sockaddr_in()
        form.sin_family = sa_family_t(AF_INET)
        form.sin_port = port.bigEndian
        form.sin_addr.s_addr = address.bits.bigEndian
        return withUnsafeBytes(of: &form) { bytes in
            bytes.withMemoryRebound(to: sockaddr.self) { typed in
                guard let base = typed.baseAddress else { preconditionFailure("a sockaddr_in has bytes") }
                return body(base, socklen_t(bytes.count))
            }
        }
    }

    /// Address and port as they lie in a packet.
    var networkOctets: [UInt8] {
        let bits = address.bits
        return [
            UInt8(truncatingIfNeeded: bits >> 24), UInt8(truncatingIfNeeded: bits >> 16),
            UInt8(truncatingIfNeeded: bits >> 8), UInt8(truncatingIfNeeded: bits),
            UInt8(truncatingIfNeeded: port >> 8), UInt8(truncatingIfNeeded: port),
        ]
    }

    /// From `networkOctets`; `nil` where there are fewer than six.
    init?(networkOctets octets: some Collection<UInt8>) {
        guard octets.count >= 6 else { return nil }
        let parts = octets.prefix(6).map { UInt32($0) }
        address = IPv4Address(bits: parts[0] << 24 | parts[1] << 16 | parts[2] << 8 | parts[3])
        port = UInt16(parts[4] << 8 | parts[5])
    }

    init(_ form: sockaddr_in) {
        address = IPv4Address(bits: UInt32(bigEndian: form.sin_addr.s_addr))
        port = UInt16(bigEndian: form.sin_port)
    }
}

/// Non-blocking IPv4 sockets, made in the namespace of the calling thread.
enum InternetSocket {
    static func udp() throws(SystemCallError) -> OwnedDescriptor { try make(Int32(SOCK_DGRAM.rawValue)) }
    static func tcp() throws(SystemCallError) -> OwnedDescriptor { try make(Int32(SOCK_STREAM.rawValue)) }

    private static func make(_ type: Int32) throws(SystemCallError) -> OwnedDescriptor {
        let flags = Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        return OwnedDescriptor(taking: try checked("socket(2)") { socket(AF_INET, type | flags, 0) })
    }

    static func bind(_ descriptor: borrowing OwnedDescriptor, to endpoint: Endpoint) throws(SystemCallError) {
        let raw = descriptor.raw
        // A port the kernel is to choose must be one nobody has: with SO_REUSEADDR two UDP sockets may get the same (socket(7)).
        if endpoint.port != 0 { set(descriptor, SOL_SOCKET, SO_REUSEADDR, 1) }
        _ = try checked("bind(2)", "\(endpoint)") { endpoint.withSocketAddress { Glibc.bind(raw, $0, $1) } }
    }

    /// A TCP connection is only begun: it is writable when it stands.
    static func connect(_ descriptor: borrowing OwnedDescriptor, to endpoint: Endpoint) throws(SystemCallError) {
        let raw = descriptor.raw
        let result = endpoint.withSocketAddress { Glibc.connect(raw, $0, $1) }
        if result != 0, errno != EINPROGRESS { throw SystemCallError(call: "connect(2)", subject: "\(endpoint)") }
    }

    /// The next datagram, of which the buffer takes so many octets, and where it came from; `nil` where there is none.
    static func receive(_ raw: Int32, into buffer: inout [UInt8], atMost room: Int) -> (count: Int, source: Endpoint)? {
        var from = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let count = withUnsafeMutableBytes(of: &from) { form in
            recvfrom(raw, &buffer, room, 0, form.baseAddress?.assumingMemoryBound(to: sockaddr.self), &length)
        }
        return count < 0 ? nil : (count, Endpoint(from))
    }

    /// Small writes leave at once (tcp(7) TCP_NODELAY).
    static func sendAtOnce(_ descriptor: borrowing OwnedDescriptor) {
        set(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
    }

    /// setsockopt(2) with a number. For what makes a measurement better and cannot be refused to its owner.
    static func set(_ descriptor: borrowing OwnedDescriptor, _ level: Int32, _ option: Int32, _ value: Int32) {
        var value = value
        setsockopt(descriptor.raw, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    /// What went wrong with the connection meanwhile (SO_ERROR); 0 is nothing.
    static func pendingError(_ descriptor: borrowing OwnedDescriptor) -> Int32 {
        var problem: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(descriptor.raw, SOL_SOCKET, SO_ERROR, &problem, &length)
        return problem
    }
}
