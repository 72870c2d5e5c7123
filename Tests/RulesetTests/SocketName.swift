import Glibc
import LinuxIO
import NetworkTypes

/// Address and port of one end of a socket.
struct SocketName: Hashable, CustomStringConvertible {
    var address: IPv4Address
    var port: UInt16

    init(_ address: IPv4Address, _ port: UInt16) {
        self.address = address
        self.port = port
    }

    init(_ raw: sockaddr_in) {
        address = IPv4Address(bits: UInt32(bigEndian: raw.sin_addr.s_addr))
        port = UInt16(bigEndian: raw.sin_port)
    }

    var raw: sockaddr_in {
        var raw = sockaddr_in()
        raw.sin_family = sa_family_t(AF_INET)
        raw.sin_port = port.bigEndian
        raw.sin_addr.s_addr = address.bits.bigEndian
        return raw
    }

    var description: String { "\(address):\(port)" }
}

let nameLength = socklen_t(MemoryLayout<sockaddr_in>.size)

/// An IPv4 socket that never blocks; it belongs to the namespace it is opened in.
func openSocket(_ kind: __socket_type, from local: SocketName? = nil) throws(SystemCallError) -> OwnedDescriptor {
    let socket = OwnedDescriptor(
        taking: try checked("socket(2)") {
            Glibc.socket(
                AF_INET, Int32(kind.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        })
    let raw = socket.raw
    var one: Int32 = 1
    _ = try checked("setsockopt(2)") { setsockopt(raw, SOL_SOCKET, SO_REUSEADDR, &one, 4) }
    if let local {
        // A program that another test starts holds our sockets from its fork to its exec, so a listening one of before may
        // have its port for a moment after it was closed.
        let deadline = Clock.boottime() + 2_000_000_000
        while withName(local, { bind(raw, $0, nameLength) }) != 0 {
            guard errno == EADDRINUSE, Clock.boottime() < deadline else {
                throw SystemCallError(call: "bind(2)", errno: errno, subject: "\(local)")
            }
            poll(nil, 0, 5)
        }
    }
    return socket
}

func withName<Answer>(_ name: SocketName, _ body: (UnsafePointer<sockaddr>) -> Answer) -> Answer {
    withUnsafePointer(to: name.raw) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0) }
    }
}

/// What `call` says of a socket's end, such as getpeername(2).
func name(_ call: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32) -> SocketName? {
    var found = sockaddr_in()
    var length = nameLength
    let result = withUnsafeMutablePointer(to: &found) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { call($0, &length) }
    }
    return result < 0 ? nil : SocketName(found)
}

/// Waits until one of the sockets has something to read, an error, or (the writing ones) is connected.
func wait(_ milliseconds: Int32, reading: [Int32], writing: [Int32] = []) {
    var list = reading.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    list += writing.map { pollfd(fd: $0, events: Int16(POLLOUT), revents: 0) }
    poll(&list, nfds_t(list.count), milliseconds)
}

/// The error that waits at a socket (SO_ERROR), or 0.
func pendingError(_ raw: Int32) -> Int32 {
    var error: Int32 = 0
    var length = socklen_t(MemoryLayout<Int32>.size)
    getsockopt(raw, SOL_SOCKET, SO_ERROR, &error, &length)
    return error
}
