internal import CLinux
internal import Glibc

/// A name that one process in a network namespace can have at a time: an abstract socket (unix(7)), which the kernel takes
/// away with its owner, however that ends.
package struct NamespaceLock: ~Copyable, Sendable {
    private let socket: OwnedDescriptor

    /// Says that the lock is needed up to here.
    package func keep() {}

    /// `nil` where another process has the name.
    package static func take(_ name: String) throws(SystemCallError) -> NamespaceLock? {
        let raw = try checked("socket(2)") {
            Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        }
        let socket = OwnedDescriptor(taking: raw)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = [0] + Array(name.utf8)  // a name that begins with NUL is in no file system
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes.prefix(107)) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + min(bytes.count, 107))
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(socket.raw, $0, length) }
        }
        if result == 0 { return NamespaceLock(socket: socket) }
        if Glibc.errno == EADDRINUSE { return nil }
        throw SystemCallError(call: "bind(2)", subject: "@\(name)")
    }
}
