import Glibc
import LinuxIO
import TestSupport
import Testing
import WANControl
import WANLab
import WANModel

@Suite("the courier listens by itself")
struct CourierListenerTests {
    let bench: Bench
    init() throws { bench = try Bench() }

    private var path: String { "\(bench.directory.path)/made/socket" }

    private func listen(_ more: [String] = []) throws -> ChildProcess {
        let log = OwnedDescriptor(
            taking: try checked("open(2)") { open(logPath, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600) })
        let words = ["--listen", path, "--credential", bench.profile, "--token-cache", bench.cachePath]
        let child = try ChildProcess(Programs.path("wanctl-courier"), words + more, errors: .descriptor(log.raw))
        try wait("it listens") { try UnixStream.isServed(path) }
        return child
    }

    private var logPath: String { "\(bench.directory.path)/listener.log" }

    private func wait(_ what: String, _ claim: () throws -> Bool) throws {
        let deadline = Clock.boottime() + 10_000_000_000
        while try !claim() {
            guard Clock.boottime() < deadline else { throw Late(what: what) }
            usleep(5000)
        }
    }

    private struct Late: Error { var what: String }

    private func connection() throws -> LineSocket { LineSocket(taking: try UnixStream.connect(to: path)) }

    private func answer(on connection: inout LineSocket) throws -> LineSocket.Line {
        try connection.next(until: Clock.boottime() + 10_000_000_000)
    }

    private func errands(of listener: Int32) throws -> [Int32] {
        try Files.text("/proc/\(listener)/task/\(listener)/children").split(separator: " ").compactMap { Int32($0) }
    }

    private func succeeds() throws -> Bool {
        var connection = try connection()
        try connection.send(bench.request(via: [.api]).line)
        guard case .line(let line) = try answer(on: &connection) else { return false }
        return try CourierAnswer(line: line).isOK
    }

    @Test("an errand that hangs, and one that is killed, hold up nobody; who hangs up ends his own at once")
    func independence() throws {
        let listener = try listen()
        #expect(FileStamp(path)?.mode == 0o600)
        bench.service.fail(.metadataUpdate, with: .hang)
        var hanging = try connection()
        try hanging.send(bench.request(via: [.metadata]).line)
        try wait("it asks") { !bench.service.calls.isEmpty }
        #expect(try succeeds())
        let errand = try #require(try errands(of: listener.pid).first)
        kill(errand, SIGKILL)
        #expect(try answer(on: &hanging) == .ended)

        let unwanted = try connection()
        try unwanted.send(bench.request(via: [.metadata]).line)
        try wait("it asks again") { bench.service.calls.count { $0.operation == .metadataUpdate } == 2 }
        _ = consume unwanted
        try wait("no errand is left, and no zombie") { try errands(of: listener.pid).isEmpty }
        #expect(try succeeds())
        #expect(bench.service.violations == [])
    }

    @Test("a second one at the same place is refused in words")
    func twice() throws {
        let listener = try listen()
        let second = try ChildProcess(
            Programs.path("wanctl-courier"), ["--listen", path], errors: .null)
        #expect(try second.wait(until: Clock.boottime() + 10_000_000_000) == .code(1))
        #expect(try succeeds())
        withExtendedLifetime(listener) {}
    }

    @Test(
        "another user is refused, past the file's permissions too; the one it is for is served",
        .enabled(if: getuid() == 0, "needs root"))
    func anotherUser() throws {
        let listener = try listen(["--client", "1"])
        var status = stat()
        #expect(stat(path, &status) == 0 && status.st_uid == 1 && status.st_mode & 0o777 == 0o600)
        #expect(chmod(bench.directory.path, 0o755) == 0 && chmod(path, 0o666) == 0)
        let request = String(decoding: bench.request(via: [.api]).line, as: UTF8.self)
        let script =
            "$SIG{PIPE} = 'IGNORE'; my $s = IO::Socket::UNIX->new(Peer => shift) or exit 3;"
            + " print $s shift, qq(\\n); $s->flush; my $a = <$s>; exit(!defined $a ? 4 : $a =~ /\"ok\":true/ ? 0 : 5)"
        for (user, code) in [(65534, 4), (1, 0)] as [(Int, Int32)] {
            let caller = try ChildProcess(
                "/usr/bin/setpriv",
                [
                    "--reuid=\(user)", "--clear-groups", "/usr/bin/perl", "-MIO::Socket::UNIX", "-e", script, path,
                    request,
                ])
            #expect(try caller.wait(until: Clock.boottime() + 10_000_000_000) == .code(code))
        }
        #expect(try Files.text(logPath).contains("refused uid 65534"))
        #expect(bench.operations == [.auth, .updateSimSpeedClass])
        withExtendedLifetime(listener) {}
    }

    @Test(
        "where systemd says who asks, that counts: its user, root, or nobody",
        arguments: [("7-123-1", true), ("7-123_456-0", true), ("7-1-65534", false), ("7-unknown", false), ("-1", true)])
    func toldByManager(caller: String, isServed: Bool) throws {
        var courier = try bench.courier(["--client", "1", "--caller", caller])
        if isServed {
            #expect(try courier.ask(bench.request(via: [.metadata])).isOK)
        } else {
            #expect(try courier.end(seconds: 10) == .code(1))
        }
    }

    @Test("nor is another user served by a courier that systemd started", .enabled(if: getuid() == 0, "needs root"))
    func anotherUserInHand() throws {
        let place = "\(bench.directory.path)/systemd.sock"
        let socket = try UnixStream.listen(at: place, backlog: 1)
        #expect(chmod(bench.directory.path, 0o755) == 0 && chmod(place, 0o666) == 0)
        let script = "my $s = IO::Socket::UNIX->new(Peer => shift) or exit 3; exit defined(<$s>) ? 4 : 0"
        let caller = try ChildProcess(
            "/usr/bin/setpriv",
            ["--reuid=65534", "--clear-groups", "/usr/bin/perl", "-MIO::Socket::UNIX", "-e", script, place])
        #expect(try UnixStream.waitReadable(socket, milliseconds: 10_000))
        guard let connection = try UnixStream.accept(from: socket) else { throw Late(what: "a connection") }
        let courier = try ChildProcess(
            Programs.path("wanctl-courier"), ["--client", "1"], input: .descriptor(connection.raw), errors: .null)
        _ = consume connection
        #expect(try courier.wait(until: Clock.boottime() + 10_000_000_000) == .code(1))
        #expect(try caller.wait(until: Clock.boottime() + 10_000_000_000) == .code(0))
    }
}
