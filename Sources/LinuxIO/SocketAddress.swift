internal import CLinux
internal import Glibc

/// A sockaddr_in or sockaddr_in6 (ip(7), ipv6(7)) as the calls want it.
struct SocketAddress {
    private var storage = sockaddr_storage()
    private var length: socklen_t

    init(address: String, port: UInt16) throws(SystemCallError) {
        var v4 = sockaddr_in()
        var v6 = sockaddr_in6()
        if inet_pton(AF_INET, address, &v4.sin_addr) == 1 {
            v4.sin_family = sa_family_t(AF_INET)
            v4.sin_port = port.bigEndian
            length = socklen_t(MemoryLayout<sockaddr_in>.size)
            withUnsafeMutableBytes(of: &storage) { $0.storeBytes(of: v4, as: sockaddr_in.self) }
        } else if inet_pton(AF_INET6, address, &v6.sin6_addr) == 1 {
            v6.sin6_family = sa_family_t(AF_INET6)
            v6.sin6_port = port.bigEndian
            length = socklen_t(MemoryLayout<sockaddr_in6>.size)
            withUnsafeMutableBytes(of: &storage) { $0.storeBytes(of: v6, as: sockaddr_in6.self) }
        } else {
            throw SystemCallError(call: "inet_pton(3)", errno: EINVAL, subject: address)
        }
    }

    /// An IPv4 address in host order.
    init(ipv4 address: UInt32, port: UInt16) {
        var v4 = sockaddr_in()
        v4.sin_family = sa_family_t(AF_INET)
        v4.sin_port = port.bigEndian
        v4.sin_addr.s_addr = address.bigEndian
        length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutableBytes(of: &storage) { $0.storeBytes(of: v4, as: sockaddr_in.self) }
    }

    private init(_ call: String, _ read: (UnsafeMutablePointer<sockaddr>, inout socklen_t) -> Int32)
        throws(SystemCallError)
    {
        var found = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        _ = try checked(call) {
            withUnsafeMutablePointer(to: &found) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { read($0, &size) }
            }
        }
        storage = found
        length = size
    }

    /// Where a socket is bound (getsockname(2)).
    static func ofSocket(_ raw: Int32) throws(SystemCallError) -> SocketAddress {
        try SocketAddress("getsockname(2)") { getsockname(raw, $0, &$1) }
    }

    /// Who is at the other end (getpeername(2)).
    static func ofPeer(_ raw: Int32) throws(SystemCallError) -> SocketAddress {
        try SocketAddress("getpeername(2)") { getpeername(raw, $0, &$1) }
    }

    var family: Int32 { Int32(storage.ss_family) }

    var port: UInt16 {
        withUnsafeBytes(of: storage) {
            // sin_port and sin6_port are at the same offset.
            UInt16(bigEndian: $0.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
        }
    }

    /// Numeric, without port.
    var text: String {
        withUnsafeBytes(of: storage) { bytes in
            withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) { text in
                let offset = family == AF_INET6 ? 8 : 4
                guard let base = bytes.baseAddress, let out = text.baseAddress,
                    inet_ntop(family, base + offset, out, socklen_t(INET6_ADDRSTRLEN)) != nil
                else { return "" }
                return String(cString: out)
            }
        }
    }

    func withPointer<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        withUnsafePointer(to: storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, length) }
        }
    }
}
