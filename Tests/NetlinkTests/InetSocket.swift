import Glibc
import LinuxIO

/// A TCP or UDP socket of a test, in the namespace of the thread that opened it.
struct InetSocket: ~Copyable {
    let descriptor: OwnedDescriptor

    init(_ kind: __socket_type, family: Int32 = AF_INET) throws {
        let made = OwnedDescriptor(
            taking: try checked("socket(2)") { socket(family, Int32(kind.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0) })
        var one: Int32 = 1
        let raw = made.raw
        _ = try checked("setsockopt(2)") { setsockopt(raw, SOL_SOCKET, SO_REUSEADDR, &one, 4) }
        descriptor = made
    }

    private init(taking descriptor: consuming OwnedDescriptor) { self.descriptor = descriptor }

    /// `address` is numeric: `192.0.2.2`, `::ffff:192.0.2.2`.
    func bind(_ address: String, _ port: UInt16 = 0) throws { try call("bind(2)", address, port, Glibc.bind) }
    func connect(_ address: String, _ port: UInt16) throws { try call("connect(2)", address, port, Glibc.connect) }

    func listen() throws {
        let raw = descriptor.raw
        _ = try checked("listen(2)") { Glibc.listen(raw, 16) }
    }

    func accept() throws -> InetSocket {
        let raw = descriptor.raw
        return InetSocket(taking: OwnedDescriptor(taking: try checked("accept(2)") { Glibc.accept(raw, nil, nil) }))
    }

    func bindToInterface(_ name: String) throws {
        let raw = descriptor.raw
        _ = try checked("SO_BINDTODEVICE") {
            setsockopt(raw, SOL_SOCKET, SO_BINDTODEVICE, name, socklen_t(name.utf8.count))
        }
    }

    /// The port it has got.
    func port() throws -> UInt16 {
        var name = sockaddr_in6()
        var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        let raw = descriptor.raw
        _ = try checked("getsockname(2)") {
            withUnsafeMutablePointer(to: &name) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(raw, $0, &length) }
            }
        }
        return UInt16(bigEndian: name.sin6_port)
    }

    /// What reading says without waiting: an errno(3), or 0 for a byte or the end.
    func readError() -> Int32 {
        var byte: UInt8 = 0
        return recv(descriptor.raw, &byte, 1, Int32(MSG_DONTWAIT)) >= 0 ? 0 : errno
    }

    /// Whether a byte sent here arrives there within a second.
    func reaches(_ other: borrowing InetSocket) -> Bool {
        var byte: UInt8 = 42
        guard send(descriptor.raw, &byte, 1, Int32(MSG_NOSIGNAL)) == 1 else { return false }
        var waiting = pollfd(fd: other.descriptor.raw, events: Int16(POLLIN), revents: 0)
        guard poll(&waiting, 1, 1000) == 1 else { return false }
        byte = 0
        return recv(other.descriptor.raw, &byte, 1, Int32(MSG_DONTWAIT)) == 1 && byte == 42
    }

    private func call(
        _ name: String, _ address: String, _ port: UInt16,
        _ body: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) throws {
        let raw = descriptor.raw
        var v4 = sockaddr_in()
        var v6 = sockaddr_in6()
        if inet_pton(AF_INET, address, &v4.sin_addr) == 1 {
            v4.sin_family = sa_family_t(AF_INET)
            v4.sin_port = port.bigEndian
            _ = try checked(name, address) {
                withUnsafePointer(to: &v4) { pointer in
                    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        body(raw, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                    }
                }
            }
        } else {
            v6.sin6_family = sa_family_t(AF_INET6)
            v6.sin6_port = port.bigEndian
            _ = try checked(name, address) {
                inet_pton(AF_INET6, address, &v6.sin6_addr) == 1
                    ? withUnsafePointer(to: &v6) { pointer in
                        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                            body(raw, $0, socklen_t(MemoryLayout<sockaddr_in6>.size))
                        }
                    } : -1
            }
        }
    }
}
