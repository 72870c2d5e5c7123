internal import CLinux
internal import Glibc

/// The socket at which a small service of ours is asked (unix(7), SOCK_STREAM): handed over by systemd, or made here.
///
/// Root and one user may ask. File permissions keep everybody else out; who comes past them is told apart by SO_PEERCRED.
package struct ServiceSocket: ~Copyable {
    /// Listens and does not block: readable when somebody waits.
    package let descriptor: OwnedDescriptor
    private let user: UInt32
    private let onRefusal: (String) -> Void

    private init(_ descriptor: consuming OwnedDescriptor, _ user: UInt32, _ onRefusal: @escaping (String) -> Void) {
        self.descriptor = descriptor
        self.user = user
        self.onRefusal = onRefusal
    }

    /// Listens at a path, in a directory that is made where it is missing. The file is for `user` alone, mode 0600.
    ///
    /// A socket that nobody serves any more is replaced. EADDRINUSE: another process serves it. ENOTSOCK: the file is something else.
    ///
    /// - Parameter onRefusal: Is told, in a sentence, who was turned away.
    package static func listen(
        at path: String, for user: UInt32, onRefusal: @escaping (String) -> Void
    ) throws(SystemCallError) -> ServiceSocket {
        try UnixStream.checkPath(path)
        if let slash = path.lastIndex(of: "/"), slash > path.startIndex {
            try SocketFile.makeDirectory(String(path[..<slash]))
        }
        if try SocketFile(at: path) != nil {
            if try UnixStream.isServed(path) {
                throw SystemCallError(call: "bind(2)", errno: EADDRINUSE, subject: path)
            }
            Files.remove(path)
        }
        let listener = try UnixStream.listen(at: path, backlog: 16)
        if user != geteuid() { _ = try checked("chown(2)", path) { lchown(path, user, gid_t.max) } }
        return ServiceSocket(listener, user, onRefusal)
    }

    /// The socket that systemd listens at for this service (`Accept=no`, sd_listen_fds(3)); `nil` where it handed nothing over.
    ///
    /// ENOTSOCK, EAFNOSUPPORT, EINVAL: what it handed over is no socket, none of this machine's, or none that listens.
    ///
    /// - Parameter first: SD_LISTEN_FDS_START.
    package static func handedOver(
        _ environment: [String: String], first: Int32 = 3, for user: UInt32, onRefusal: @escaping (String) -> Void
    ) throws(SystemCallError) -> ServiceSocket? {
        guard environment["LISTEN_PID"].flatMap({ Int32($0) }) == getpid(),
            let count = environment["LISTEN_FDS"].flatMap({ Int($0) }), count > 0
        else { return nil }
        let call = "sd_listen_fds(3)"
        guard count == 1 else { throw SystemCallError(call: call, errno: EINVAL, subject: "\(count) sockets") }
        var name = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        _ = try checked(call, "getsockname(2)") {
            withUnsafeMutablePointer(to: &name) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(first, $0, &length) }
            }
        }
        guard name.ss_family == sa_family_t(AF_UNIX) else {
            throw SystemCallError(call: call, errno: EAFNOSUPPORT, subject: "descriptor \(first)")
        }
        var listens: Int32 = 0
        length = socklen_t(MemoryLayout<Int32>.size)
        _ = try checked(call, "getsockopt(2) SO_ACCEPTCONN") {
            getsockopt(first, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length)
        }
        guard listens != 0 else {
            throw SystemCallError(call: call, errno: EINVAL, subject: "a socket that does not listen")
        }
        _ = try checked("fcntl(2) F_SETFD") { fcntl(first, F_SETFD, FD_CLOEXEC) }
        let listener = OwnedDescriptor(taking: first)
        try listener.setNonBlocking()
        return ServiceSocket(listener, user, onRefusal)
    }

    /// The next connection of somebody who may ask, non-blocking; `nil` where none waits. Others are hung up on.
    package func accept() throws(SystemCallError) -> OwnedDescriptor? {
        while let connection = try UnixStream.accept(from: descriptor) {
            guard let refusal = try Self.refusal(of: connection, for: user) else { return connection }
            onRefusal(refusal)
        }
        return nil
    }

    /// Waits for the next connection of somebody who may ask; `nil` when `Clock.boottime` reaches the deadline: the service is idle, and
    /// may leave where systemd listens for it.
    package func next(until deadline: Int64) throws(SystemCallError) -> OwnedDescriptor? {
        while true {
            if let connection = try accept() { return connection }
            let left = deadline - Clock.boottime()
            if left <= 0 { return nil }
            _ = try UnixStream.waitReadable(
                descriptor, milliseconds: Int32(min((left + 999_999) / 1_000_000, 1_000_000)))
        }
    }

    /// `nil` where whoever holds the other end of a connection is root or `user`; otherwise a sentence for the log.
    package static func refusal(
        of connection: borrowing OwnedDescriptor, for user: UInt32
    ) throws(SystemCallError) -> String? {
        let peer = try UnixStream.peer(of: connection)
        if peer.uid == 0 || peer.uid == user { return nil }
        return "refused uid \(peer.uid), pid \(peer.pid): only root and uid \(user) may ask"
    }
}
