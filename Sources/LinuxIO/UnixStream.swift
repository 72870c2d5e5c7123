internal import CLinux
internal import Glibc

/// Stream sockets with a path for a name (unix(7)), and who is at the other end.
package enum UnixStream {
    /// Who holds the other end, as the kernel noted it when they connected.
    package struct PeerCredentials: Hashable, Sendable {
        package var pid: Int32
        package var uid: UInt32
        package var gid: UInt32
        /// Supplementary groups (SO_PEERGROUPS, Linux 4.13).
        package var groups: [UInt32]
    }

    /// Connects. ENOENT and ECONNREFUSED mean that nobody listens, EAGAIN that the queue is full: at once on a socket that is not to
    /// block.
    package static func connect(
        to path: String, timeoutSeconds: Int = 2, isBlocking: Bool = true
    ) throws(SystemCallError) -> OwnedDescriptor {
        let socket = try make(flags: isBlocking ? 0 : Int32(SOCK_NONBLOCK.rawValue))
        var limit = timeval(tv_sec: timeoutSeconds, tv_usec: 0)
        let raw = socket.raw
        _ = try checked("setsockopt(2) SO_SNDTIMEO") {
            setsockopt(raw, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        }
        _ = try withAddress(path) { (address, length) throws(SystemCallError) in
            try checked("connect(2)", path) { Glibc.connect(raw, address, length) }
        }
        return socket
    }

    /// The same for who may not wait: a non-blocking socket, and EAGAIN where the queue is full now.
    package static func connectAtOnce(to path: String) throws(SystemCallError) -> OwnedDescriptor {
        let socket = try make(flags: Int32(SOCK_NONBLOCK.rawValue))
        let raw = socket.raw
        _ = try withAddress(path) { (address, length) throws(SystemCallError) in
            try checked("connect(2)", path) { Glibc.connect(raw, address, length) }
        }
        return socket
    }

    /// Whether a program answers at a path, is too busy to, or has left its file behind.
    package static func isServed(_ path: String) throws(SystemCallError) -> Bool {
        do throws(SystemCallError) {
            _ = try connect(to: path, timeoutSeconds: 1)
            return true
        } catch  where error.isNobodyThere {
            return false
        } catch  where error.isTryAgain {
            return true
        }
    }

    /// A listening, non-blocking socket. The file it makes is for its owner alone until `chmod` says otherwise.
    package static func listen(at path: String, backlog: Int32) throws(SystemCallError) -> OwnedDescriptor {
        let socket = try make(flags: Int32(SOCK_NONBLOCK.rawValue))
        let raw = socket.raw
        // bind(2) makes the file with the mode of the socket's own inode: nobody gets in between bind and chmod.
        _ = try checked("fchmod(2)", path) { fchmod(raw, 0o600) }
        _ = try withAddress(path) { (address, length) throws(SystemCallError) in
            try checked("bind(2)", path) { bind(raw, address, length) }
        }
        _ = try checked("listen(2)", path) { Glibc.listen(raw, backlog) }
        return socket
    }

    /// The next connection, non-blocking; `nil` when none waits.
    package static func accept(from listener: borrowing OwnedDescriptor) throws(SystemCallError) -> OwnedDescriptor? {
        while true {
            let raw = wan_accept4(
                listener.raw, nil, nil, Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue))
            if raw >= 0 { return OwnedDescriptor(taking: raw) }
            switch Glibc.errno {
            case EAGAIN: return nil
            case EINTR, ECONNABORTED: continue
            default: throw SystemCallError(call: "accept4(2)")
            }
        }
    }

    /// Writes what the kernel takes; `nil` where it takes nothing now. A vanished reader is EPIPE, never a signal.
    package static func send(
        _ bytes: ArraySlice<UInt8>, to socket: borrowing OwnedDescriptor
    ) throws(SystemCallError) -> Int? {
        let raw = socket.raw
        do throws(SystemCallError) {
            return try checked("send(2)") {
                bytes.withUnsafeBytes { Glibc.send(raw, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            }
        } catch  where error.errno == EAGAIN {
            return nil
        }
    }

    /// Reads at most `limit` bytes; empty at the end of the stream, `nil` where nothing waits.
    package static func receive(
        from socket: borrowing OwnedDescriptor, limit: Int
    ) throws(SystemCallError) -> [UInt8]? {
        let raw = socket.raw
        var bytes = [UInt8](repeating: 0, count: limit)
        do throws(SystemCallError) {
            let count = try checked("recv(2)") { recv(raw, &bytes, limit, 0) }
            return Array(bytes[..<count])
        } catch  where error.errno == EAGAIN {
            return nil
        }
    }

    /// Waits until there is something to read, or the stream has ended; false when the time is over first (poll(2)).
    package static func waitReadable(
        _ socket: borrowing OwnedDescriptor, milliseconds: Int32
    ) throws(SystemCallError) -> Bool {
        try wait(socket, for: POLLIN, milliseconds)
    }

    /// Waits until the kernel takes more, or nobody reads any more; false when the time is over first.
    package static func waitWritable(
        _ socket: borrowing OwnedDescriptor, milliseconds: Int32
    ) throws(SystemCallError) -> Bool {
        try wait(socket, for: POLLOUT, milliseconds)
    }

    private static func wait(
        _ socket: borrowing OwnedDescriptor, for events: Int32, _ milliseconds: Int32
    ) throws(SystemCallError) -> Bool {
        let raw = socket.raw
        return try checked("poll(2)") {
            var wanted = pollfd(fd: raw, events: Int16(events), revents: 0)
            return poll(&wanted, 1, milliseconds)
        } > 0
    }

    /// Ends this process, with exit code 0 and wherever it is, when the other end of a connection is closed. A thread waits for that: rights
    /// that a thread has of its own must be given up before.
    package static func endWithPeer(of socket: borrowing OwnedDescriptor) throws(SystemCallError) {
        let raw = socket.raw
        _ = try WorkerThread {
            var hangUp = pollfd(fd: raw, events: 0, revents: 0)
            while poll(&hangUp, 1, -1) < 1 {}
            _exit(0)
        }
    }

    package static func peer(of socket: borrowing OwnedDescriptor) throws(SystemCallError) -> PeerCredentials {
        let raw = socket.raw
        var who = wan_ucred()
        var length = socklen_t(MemoryLayout<wan_ucred>.size)
        _ = try checked("getsockopt(2) SO_PEERCRED") {
            getsockopt(raw, SOL_SOCKET, Int32(WAN_SO_PEERCRED), &who, &length)
        }
        // NGROUPS_MAX is 65536; nobody on a router is in more than a few, but the kernel says ERANGE and the right size.
        var groups = [UInt32](repeating: 0, count: 64)
        while true {
            length = socklen_t(groups.count * 4)
            let result = getsockopt(raw, SOL_SOCKET, Int32(WAN_SO_PEERGROUPS), &groups, &length)
            if result == 0 { break }
            guard Glibc.errno == ERANGE, groups.count < 65536 else {
                throw SystemCallError(call: "getsockopt(2) SO_PEERGROUPS")
            }
            groups = [UInt32](repeating: 0, count: min(65536, max(groups.count * 2, Int(length) / 4)))
        }
        return PeerCredentials(pid: who.pid, uid: who.uid, gid: who.gid, groups: Array(groups.prefix(Int(length) / 4)))
    }

    private static func make(flags: Int32) throws(SystemCallError) -> OwnedDescriptor {
        OwnedDescriptor(
            taking: try checked("socket(2)") {
                socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | flags, 0)
            })
    }

    /// Refuses what cannot name a socket: sun_path holds 108 bytes with the closing zero, and a zero inside would name
    /// another file.
    package static func checkPath(_ path: String) throws(SystemCallError) {
        let count = path.utf8.count
        guard count > 0, count < MemoryLayout.size(ofValue: sockaddr_un().sun_path), !path.utf8.contains(0) else {
            throw SystemCallError(call: "unix(7)", errno: count < 108 ? EINVAL : ENAMETOOLONG, subject: path)
        }
    }

    private static func withAddress<Result>(
        _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) throws(SystemCallError) -> Result
    ) throws(SystemCallError) -> Result {
        try checkPath(path)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        var outcome: Swift.Result<Result, SystemCallError>?
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                do throws(SystemCallError) {
                    outcome = .success(try body(generic, socklen_t(MemoryLayout<sockaddr_un>.size)))
                } catch {
                    outcome = .failure(error)
                }
            }
        }
        guard let outcome else { throw SystemCallError(call: "unix(7)", errno: EINVAL, subject: path) }
        return try outcome.get()
    }
}
