import Glibc
import LinuxIO
import TestSupport
import Testing

@Suite("ServiceSocket")
struct ServiceSocketTests {
    private let directory: TemporaryDirectory
    private var path: String { "\(directory.path)/made/service.sock" }

    init() throws { directory = try TemporaryDirectory() }

    private func listen(onRefusal: @escaping (String) -> Void = { _ in }) throws -> ServiceSocket {
        try ServiceSocket.listen(at: path, for: geteuid(), onRefusal: onRefusal)
    }

    private func soon(_ milliseconds: Int64 = 5000) -> Int64 { Clock.boottime() + milliseconds * 1_000_000 }

    @Test("it makes its directory, its file is for one user, and who may ask is served")
    func served() throws {
        let socket = try listen()
        #expect(FileStamp(path)?.mode == 0o600)
        let nobodyYet = try socket.accept() == nil
        #expect(nobodyYet)
        let client = try UnixStream.connect(to: path)
        guard let connection = try socket.next(until: soon()) else {
            Issue.record("a connection waits")
            return
        }
        #expect(try UnixStream.send(Array("question".utf8)[...], to: client) == 8)
        #expect(try UnixStream.waitReadable(connection, milliseconds: 5000))
        #expect(try UnixStream.receive(from: connection, limit: 64) == Array("question".utf8))
    }

    @Test("where nobody asks, the wait ends at its deadline")
    func idle() throws {
        let socket = try listen()
        let deadline = soon(50)
        let isIdle = try socket.next(until: deadline) == nil
        #expect(isIdle)
        #expect(Clock.boottime() >= deadline)
    }

    @Test("where too many wait already, who may not wait is told at once")
    func fullQueue() throws {
        let place = "\(directory.path)/full.sock"
        let listener = try UnixStream.listen(at: place, backlog: 1)
        var waiting: [Int32] = []
        defer { for raw in waiting { close(raw) } }
        let start = Clock.boottime()
        let error = #expect(throws: SystemCallError.self) {
            for _ in 0..<10 { waiting.append(try UnixStream.connectAtOnce(to: place).release()) }
        }
        #expect(error?.isTryAgain == true && Clock.boottime() - start < 1_000_000_000)
        withExtendedLifetime(listener) {}
    }

    @Test("a socket that nobody serves is replaced; one that is served is left, and so is a file")
    func taken() throws {
        do { _ = try listen() }
        let socket = try listen()
        let inUse = #expect(throws: SystemCallError.self) { _ = try listen() }
        #expect(inUse?.isAddressInUse == true)
        let client = try UnixStream.connect(to: path)
        let isServed = try socket.next(until: soon()) != nil
        #expect(isServed)
        withExtendedLifetime(client) {}

        let file = try directory.write("precious", to: "file", mode: 0o644)
        #expect(throws: SystemCallError(call: "lstat(2)", errno: ENOTSOCK, subject: file)) {
            _ = try ServiceSocket.listen(at: file, for: geteuid()) { _ in }
        }
        #expect(try Files.text(file) == "precious")
    }

    @Test("it belongs to the user it is for", .enabled(if: geteuid() == 0, "needs root"))
    func owner() throws {
        _ = try ServiceSocket.listen(at: path, for: 65534) { _ in }
        var status = stat()
        #expect(stat(path, &status) == 0)
        #expect(status.st_uid == 65534 && status.st_mode & 0o777 == 0o600)
    }

    @Test("another user is hung up on, past the file's permissions too", .enabled(if: geteuid() == 0, "needs root"))
    func anotherUser() throws {
        var refusals: [String] = []
        let socket = try ServiceSocket.listen(at: path, for: 1) { refusals.append($0) }
        #expect(chmod(directory.path, 0o755) == 0 && chmod(path, 0o666) == 0)
        let script = "my $s = IO::Socket::UNIX->new(Peer => shift) or exit 3; exit defined(<$s>) ? 4 : 0"
        func ask(as user: Int) throws -> ChildProcess {
            try ChildProcess(
                "/usr/bin/setpriv",
                ["--reuid=\(user)", "--clear-groups", "/usr/bin/perl", "-MIO::Socket::UNIX", "-e", script, path])
        }
        let other = try ask(as: 65534)
        // It hears the end of the stream while the socket still waits for somebody who may ask.
        let pid = other.pid
        let isAdmitted = try socket.next(until: soon(500)) != nil
        #expect(!isAdmitted)
        #expect(try other.wait(until: soon()) == .code(0))
        #expect(refusals == ["refused uid 65534, pid \(pid): only root and uid 1 may ask"])
        let own = try ask(as: 1)
        let isOwn = try socket.next(until: soon()) != nil
        #expect(isOwn && refusals.count == 1)
        #expect(try own.wait(until: soon()) == .code(0))
    }

    @Test("systemd's socket is taken, if it is for this process")
    func handedOver() throws {
        func take(_ first: Int32, pid: Int32 = getpid(), count: String = "1") throws -> ServiceSocket? {
            let environment = ["LISTEN_PID": "\(pid)", "LISTEN_FDS": count]
            return try ServiceSocket.handedOver(environment, first: first, for: geteuid()) { _ in }
        }
        let place = "\(directory.path)/systemd.sock"
        let raw = try UnixStream.listen(at: place, backlog: 1).release()
        let isOfAnother = try take(raw, pid: getppid()) == nil
        let isNothing = try take(raw, count: "0") == nil
        let isUnset = try ServiceSocket.handedOver([:], for: geteuid()) { _ in } == nil
        #expect(isOfAnother && isNothing && isUnset)
        #expect(throws: SystemCallError.self) { _ = try take(raw, count: "2") }
        guard let socket = try take(raw) else {
            Issue.record("it is for this process")
            return
        }
        let client = try UnixStream.connect(to: place)
        let isServed = try socket.next(until: soon()) != nil
        #expect(isServed)
        withExtendedLifetime(client) {}
    }

    @Test("what does not listen, is of the network or no socket is refused in words")
    func notListening() throws {
        func complaint(_ descriptor: borrowing OwnedDescriptor) throws -> String {
            let raw = descriptor.raw
            let environment = ["LISTEN_PID": "\(getpid())", "LISTEN_FDS": "1"]
            let error = #expect(throws: SystemCallError.self) {
                _ = try ServiceSocket.handedOver(environment, first: raw, for: 0) { _ in }
            }
            return "\(error?.description ?? "")"
        }
        #expect(try complaint(SocketPair().ours).contains("does not listen"))
        #expect(try complaint(TCPListener(address: "127.0.0.1").descriptor).contains("Address family not supported"))
        let file = open("/dev/null", O_RDONLY | O_CLOEXEC)
        #expect(try complaint(OwnedDescriptor(taking: file)).contains("non-socket"))
    }
}
