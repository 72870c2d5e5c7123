import Glibc
import LinuxIO
import TestSupport
import Testing
import WANControl
import WANLab
import WANModel

@Suite("the courier's life and rights")
struct CourierLifeTests {
    let bench: Bench
    init() throws { bench = try Bench() }

    @Test("has no capability, is nobody, and holds no descriptor but its standard three and the cache")
    func rights() throws {
        var courier = try bench.courier()
        #expect(try courier.ask(bench.request(via: [.api])).isOK)
        let status = try Files.text("/proc/\(courier.child.pid)/status")
        for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
            #expect(status.contains("\(set):\t0000000000000000"), "\(set)")
        }
        #expect(status.contains("NoNewPrivs:\t1"))
        if getuid() == 0 {
            #expect(status.contains("CapBnd:\t0000000000000000"))
            #expect(status.contains("Uid:\t65534\t65534\t65534\t65534"))
            #expect(status.contains("Gid:\t65534\t65534\t65534\t65534"))
            #expect(status.contains("Groups:\t \n") || status.contains("Groups:\t\n"))
        }
        #expect(try descriptors(of: courier.child.pid) == [0, 1, 2, 3])
        try bench.finish(courier)
    }

    @Test("works for the metadata service with neither credentials nor cache")
    func bare() throws {
        var courier = try bench.courier([])
        #expect(try courier.ask(bench.request(via: [.metadata])).isOK)
        #expect(try descriptors(of: courier.child.pid) == [0, 1, 2])
        try bench.finish(courier)
    }

    @Test("takes systemd's credentials, and reads nothing beside them: a link out of their directory leads nowhere")
    func confined() throws {
        let credentials = bench.directory.path + "/credentials"
        #expect(mkdir(credentials, 0o755) == 0 && chmod(bench.directory.path, 0o755) == 0)
        let content = try Files.text(bench.profile)
        for (name, place) in [("inside", "\(credentials)/inside"), ("outside", bench.directory.path + "/outside")] {
            try Files.replace(place, with: Array(content.utf8), mode: 0o600)
            // Its own, as under systemd: it is not the file's mode that keeps it out.
            if getuid() == 0 { #expect(chown(place, 65534, 65534) == 0) }
            if name == "outside" { #expect(symlink(place, "\(credentials)/outside") == 0) }
        }
        var courier = try bench.courier([], environment: ["CREDENTIALS_DIRECTORY": credentials])
        var request = bench.request(via: [.api])
        request.credentials = "inside"
        #expect(try courier.ask(request).outcome == .speedClass("s1.fast", via: .api))
        request.credentials = "outside"
        let answer = try courier.ask(request)
        let hasLandlock = try !courier.errors().contains("no Landlock")
        #expect(answer.isOK != hasLandlock && (!hasLandlock || answer.error.contains("Permission denied")), "\(answer)")
        for name in ["../outside", "nothing"] {
            request.credentials = name
            #expect(try courier.ask(request).error.contains("none of the name \(name): put them into /etc/credstore"))
        }
        try bench.finish(courier)
    }

    @Test("leaves when the daemon does, in the middle of an errand too")
    func hungUp() throws {
        bench.service.fail(.metadataUpdate, with: .hang)
        let ends = try SocketPair()
        let child = try ChildProcess(
            Programs.path("wanctl-courier"), [], input: .descriptor(ends.theirs.raw), errors: .null)
        let peer = LineSocket(taking: ends.keepOurs())
        try peer.send(bench.request(via: [.metadata]).line)
        let deadline = Clock.boottime() + 10_000_000_000
        #expect(bench.service.wait(until: deadline) { !$0.calls.isEmpty })
        let start = Clock.boottime()
        _ = consume peer
        #expect(try child.wait(until: deadline) == .code(0))
        #expect(Clock.boottime() - start < 2_000_000_000)
    }

    @Test("leaves when the daemon does")
    func endOfPeer() throws {
        let ends = try SocketPair()
        let child = try ChildProcess(
            Programs.path("wanctl-courier"), [], input: .descriptor(ends.theirs.raw), errors: .null)
        _ = ends.keepOurs()
        #expect(try child.wait(until: Clock.boottime() + 10_000_000_000) == .code(0))
    }

    @Test("leaves when nothing was asked for so long")
    func idle() throws {
        let courier = try bench.courier(["--idle", "1"])
        let start = Clock.boottime()
        #expect(try courier.end(seconds: 10) == .code(0))
        #expect(Clock.boottime() - start > 900_000_000)
    }

    @Test("leaves at a line without end")
    func tooLong() throws {
        var courier = try bench.courier(["--idle", "10"])
        // It may leave before it has read all of it.
        #expect(throws: (any Error).self) {
            try courier.ask(line: [UInt8](repeating: 0x20, count: 1 << 20))
        }
        #expect(try courier.end(seconds: 10) == .code(1))
    }

    @Test(
        "refuses a command line it does not know",
        arguments: [["--what"], ["--idle", "0"], ["--credential"], ["--idle", "x"]])
    func usage(options: [String]) throws {
        #expect(try bench.courier(options).end(seconds: 10) == .code(64))
    }

    @Test(
        "does not stay root for a name that is no user", .enabled(if: getuid() == 0),
        arguments: ["root", "0", "no such user"])
    func wrongUser(name: String) throws {
        #expect(try bench.courier(["--user", name]).end(seconds: 10) == .code(1))
    }

    @Test(
        "credentials that others may read, that run programs, or that are no file are refused in words",
        arguments: [
            (0o644, "{}", "has mode 644"), (0o640, "{}", "has mode 640"),
            (0o600, #"{"authKeyId":"a","authKey":"b","profileCommand":"id"}"#, "profileCommand would run a program"),
            (0o600, #"{"email":"a@example.net","password":"b"}"#, "authKeyId and authKey are needed"),
            (0o600, "{", "not JSON (line 1"),
        ])
    func refusedCredentials(mode: UInt32, content: String, reason: String) throws {
        let path = try bench.directory.write(content, to: "other.json", mode: mode)
        var courier = try bench.courier(["--credential", path, "--credential", bench.profile])
        var request = bench.request(via: [.api])
        request.credentials = "other.json"
        let answer = try courier.ask(request)
        #expect(!answer.isPermanent && answer.error.contains(reason), "somebody mends the file, and waits")
        #expect(try courier.errors().contains(reason))
        // The other way and the other profile go on working.
        #expect(try courier.ask(bench.request(via: [.metadata])).isOK)
        #expect(try courier.ask(bench.request(via: [.api])).isOK)
        try bench.finish(courier)
    }

    @Test("a directory or a FIFO for credentials is refused at once", arguments: [true, false])
    func noFile(fifo: Bool) throws {
        let path = bench.directory.path + "/odd"
        #expect((fifo ? mkfifo(path, 0o600) : mkdir(path, 0o700)) == 0)
        var courier = try bench.courier(["--credential", path])
        var request = bench.request(via: [.api])
        request.credentials = "odd"
        #expect(try courier.ask(request).error.contains("is not a regular file"))
        try bench.finish(courier)
    }

    private func descriptors(of pid: Int32) throws -> [Int32] {
        guard let folder = opendir("/proc/\(pid)/fd") else { throw SystemCallError(call: "opendir(3)") }
        defer { closedir(folder) }
        var numbers: [Int32] = []
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if let number = Int32(name) { numbers.append(number) }
        }
        return numbers.sorted()
    }
}

extension Courier {
    /// Waits for its end; the daemon's side of the socket stays open meanwhile.
    consuming func end(seconds: Int64) throws -> ChildProcess.Exit? {
        // Not `child.wait` alone, which would end our side first: a consumed courier closes its socket.
        var ready = pollfd(fd: child.ended.raw, events: Int16(POLLIN), revents: 0)
        _ = try checked("poll(2)") { poll(&ready, 1, Int32(seconds * 1000)) }
        return try child.wait(until: Clock.boottime() + 1_000_000_000)
    }
}
