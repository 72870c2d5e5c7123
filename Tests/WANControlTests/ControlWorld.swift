import Glibc
import JSONText
import LinuxIO
import Testing
import WANControl

/// A control server with real sockets on the test's own thread; the engine behind it is what the test says.
final class ControlWorld {
    let directory: String
    let loop: EventLoop
    private(set) var server: ControlServer?
    var path: String { directory + "/wanctl.sock" }
    var handler: (ControlRequest, Peer, ControlReply) -> Void = { request, _, reply in reply.finish(request.json) }

    init() throws {
        var template = Array("/tmp/wanctl-control.XXXXXX\0".utf8CString)
        guard let made = mkdtemp(&template) else { throw SystemCallError(call: "mkdtemp(3)") }
        directory = String(cString: made)
        loop = try EventLoop()
    }

    deinit {
        server?.stop()
        for name in ["wanctl.sock", "wanctl.sock.lock", "policy.yaml", "group"] { unlink("\(directory)/\(name)") }
        rmdir(directory)
    }

    func serve(
        access: ControlAccess = ControlAccess(daemonUser: 0, group: nil), mode: UInt32 = 0o660,
        _ adjust: (inout ControlServer.Limits) -> Void = { _ in }
    ) throws {
        var limits = ControlServer.Limits()
        adjust(&limits)
        server = try ControlServer(path: path, loop: loop, access: access, mode: mode, limits: limits) {
            [unowned self] request, peer, reply in handler(request, peer, reply)
        }
    }

    /// Turns the loop until something is so; a failure, and false, when it is not within the deadline.
    @discardableResult
    func wait(_ what: String, seconds: Int64 = 10, until isSo: () throws -> Bool) throws -> Bool {
        let deadline = Clock.boottime() + seconds * 1_000_000_000
        while try !isSo() {
            guard Clock.boottime() < deadline else {
                Issue.record("did not happen within \(seconds) s: \(what)")
                return false
            }
            try loop.turn(timeout: 5)
        }
        return true
    }

    func client() throws -> RawClient { try RawClient(path: path) }
}

/// A client without manners: sends any bytes, reads when told.
final class RawClient {
    private let socket: OwnedDescriptor
    private(set) var received: [UInt8] = []
    private(set) var isClosed = false

    init(path: String) throws {
        socket = try UnixStream.connect(to: path)
        try socket.setNonBlocking()
    }

    func send(_ text: String) throws { try send(Array(text.utf8)) }

    /// As much as the socket takes now; how much that was.
    @discardableResult
    func send(_ bytes: [UInt8]) throws -> Int {
        var done = 0
        while done < bytes.count, !isClosed,
            let count = try quietly({ () throws(SystemCallError) in try UnixStream.send(bytes[done...], to: socket) })
        {
            done += count
        }
        return done
    }

    /// A server that has hung up is an outcome, not an error.
    private func quietly<Value>(_ body: () throws(SystemCallError) -> Value?) throws(SystemCallError) -> Value? {
        do throws(SystemCallError) {
            return try body()
        } catch  where error.isClosedByPeer {
            isClosed = true
            return nil
        }
    }

    func finishSending() { shutdown(socket.raw, Int32(SHUT_WR)) }

    /// Takes in what is there.
    func read() throws {
        while !isClosed,
            let bytes = try quietly({ () throws(SystemCallError) in try UnixStream.receive(from: socket, limit: 65536) }
            )
        {
            if bytes.isEmpty { isClosed = true } else { received += bytes }
        }
    }

    /// The complete lines received.
    var lines: [String] {
        let complete = received.prefix((received.lastIndex(of: 10) ?? -1) + 1)
        return String(decoding: complete, as: UTF8.self).split(separator: "\n").map { String($0) }
    }

    var answers: [ControlAnswer] {
        get throws { try lines.map { try ControlAnswer(line: Array($0.utf8)) } }
    }

    /// The code of the only refusal received; `nil` where something else came.
    var refusalCode: ControlRefusal.Code? {
        get throws {
            guard case .refused(let refusal) = try answers.last else { return nil }
            return refusal.code
        }
    }
}
