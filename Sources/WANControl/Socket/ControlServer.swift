package import LinuxIO

/// Why the control socket cannot be served.
package enum ControlServerError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Another daemon answers at the path.
    case inUse(path: String)
    case system(SystemCallError)

    package var description: String {
        switch self {
        case .inUse(let path): "another daemon answers at \(path); stop it first, or use another --socket"
        case .system(let error): error.description
        }
    }
}

/// The daemon's end of the control socket: answers many clients on the event loop's thread and lets none of them hurt it.
///
/// What a client can use is bounded: slots, the length of a request, the time without a request, what it leaves unread.
package final class ControlServer {
    package struct Limits: Hashable, Sendable {
        package var clients = 32
        /// More that root alone may take: nobody may shut the owner of the router out.
        package var rootClients = 8
        /// Bytes of one request.
        package var line = 64 << 10
        /// Bytes that a client may leave unread.
        package var output = 256 << 10
        /// How long a client may be connected without a full request.
        package var idleNanoseconds: Int64 = 10_000_000_000

        package init() {}
    }

    package let path: String
    private let loop: EventLoop
    private let access: ControlAccess
    private let limits: Limits
    private let handler: (ControlRequest, Peer, ControlReply) -> Void
    private let lock: LockFile
    private let listener: OwnedDescriptor
    private let file: SocketFile?
    private var watch: EventLoop.Watch?
    private var clients: [ObjectIdentifier: ControlConnection] = [:]
    private var isStopped = false

    /// Listens; `handler` is called on the loop's thread for each permitted request.
    package init(
        path: String, loop: EventLoop, access: ControlAccess, mode: UInt32 = 0o660, limits: Limits = Limits(),
        handler: @escaping (ControlRequest, Peer, ControlReply) -> Void
    ) throws(ControlServerError) {
        self.path = path
        self.loop = loop
        self.access = access
        self.limits = limits
        self.handler = handler
        let claimed: LockFile?
        do throws(SystemCallError) { claimed = try Self.claim(path) } catch { throw .system(error) }
        guard let claimed else { throw .inUse(path: path) }
        lock = claimed
        do throws(SystemCallError) {
            listener = try UnixStream.listen(at: path, backlog: 64)
            file = try SocketFile(at: path)
            try SocketFile.open(path, to: access.group, mode: mode)
            watch = try loop.watch(listener.raw) { [weak self] _ in self?.accept() }
        } catch {
            throw .system(error)
        }
    }

    deinit { stop() }

    package var clientCount: Int { clients.count }

    /// Ends every connection and takes the socket away, if it is still ours.
    package func stop() {
        guard !isStopped else { return }
        isStopped = true
        if let watch { loop.remove(watch) }
        for client in clients.values { client.close() }
        if let found = try? SocketFile(at: path), found == file { Files.remove(path) }
        try? lock.remove()  // one that stays is taken by the next
    }

    /// Makes the way free for bind(2) and holds it: the lock, or `nil` where another daemon serves the path.
    ///
    /// A socket that nobody serves is removed, or that we may not try: root's, killed here before. Whoever serves one of ours holds the
    /// lock. Anything else at the path stays where it is (ENOTSOCK).
    private static func claim(_ path: String) throws(SystemCallError) -> LockFile? {
        try UnixStream.checkPath(path)
        if let slash = path.lastIndex(of: "/"), slash > path.startIndex {
            try SocketFile.makeDirectory(String(path[..<slash]))
        }
        // Two daemons that start at once must not take each other's fresh socket for a stale one.
        guard let lock = try LockFile.take(path + ".lock", note: "") else { return nil }
        if try SocketFile(at: path) != nil {
            do throws(SystemCallError) {
                if try UnixStream.isServed(path) { return nil }
            } catch  where error.isNotPermitted {}
            Files.remove(path)
        }
        return lock
    }

    private func accept() {
        for _ in 0..<16 {
            do throws(SystemCallError) {
                guard let socket = try UnixStream.accept(from: listener) else { return }
                try admit(socket)
            } catch {
                pause()
                return
            }
        }
    }

    private func admit(_ socket: consuming OwnedDescriptor) throws(SystemCallError) {
        let peer = Peer(try UnixStream.peer(of: socket))
        guard clients.count < limits.clients + (peer.uid == 0 ? limits.rootClients : 0) else {
            let busy = ControlRefusal(
                .tryAgain, "the daemon talks to \(clients.count) clients already; try again when one has left")
            _ = try? UnixStream.send(ControlAnswer.refused(busy).line[...], to: socket)  // best effort, and gone
            return
        }
        let connection = ControlConnection(
            socket, peer: peer, loop: loop, limits: limits,
            answer: { [weak self] request, peer, reply in
                guard let self else { return }
                if let refusal = access.refusal(of: request, by: peer) {
                    reply.fail(refusal)
                } else {
                    handler(request, peer, reply)
                }
            },
            closed: { [weak self] in self?.clients[ObjectIdentifier($0)] = nil })
        try connection.start()
        clients[ObjectIdentifier(connection)] = connection
    }

    /// Without a free descriptor (EMFILE) the listener stays readable: look again in a second instead of at once.
    private func pause() {
        guard let watch, !isStopped else { return }
        do throws(SystemCallError) {
            try loop.change(watch, to: [])
        } catch {
            return  // then it is asked at every turn, which costs time and nothing else
        }
        loop.schedule(at: Clock.boottime() + 1_000_000_000) { [weak self] in
            guard let self, !isStopped else { return }
            do throws(SystemCallError) { try loop.change(watch, to: .read) } catch { pause() }
        }
    }
}
