import Glibc
import LinuxIO
import Testing

@Suite("ChildProcess")
struct ChildProcessTests {
    private func deadline(seconds: Int64 = 20) -> Int64 { Clock.boottime() + seconds * 1_000_000_000 }

    /// Runs a line of the shell to its end and gives what it printed.
    private func shell(_ line: String, environment: [String: String] = [:]) throws -> String {
        try output(of: "/bin/sh", ["-c", line], environment: environment)
    }

    private func output(
        of program: String, _ arguments: [String], environment: [String: String] = [:]
    ) throws -> String {
        let pipe = try Pipe()
        let child = try ChildProcess(
            program, arguments, environment: environment, output: .descriptor(pipe.writing.raw))
        let exit = try child.wait(until: deadline())
        #expect(exit == .code(0))
        return String(decoding: try take(pipe.reading.raw) ?? [], as: UTF8.self)
    }

    @Test(
        "its exit is told as it was",
        arguments: [("exit 0", 0), ("exit 77", 77), ("exit 255", 255)] as [(String, Int32)])
    func code(line: String, code: Int32) throws {
        #expect(try ChildProcess("/bin/sh", ["-c", line]).wait(until: deadline()) == .code(code))
    }

    @Test("an end by a signal is told apart from an exit")
    func signal() throws {
        #expect(try ChildProcess("/bin/sh", ["-c", "kill -TERM $$"]).wait(until: deadline()) == .signal(SIGTERM))
    }

    @Test("past its deadline it is killed, and nothing of it is left")
    func killedAtDeadline() throws {
        let pipe = try Pipe()
        let child = try ChildProcess("/bin/cat", [], input: .descriptor(pipe.reading.raw))
        let pid = child.pid
        #expect(try child.wait(until: Clock.boottime() + 1_000_000) == nil)
        #expect(kill(pid, 0) == -1 && errno == ESRCH)
    }

    @Test("let go of, it is killed and reaped")
    func letGo() throws {
        let pipe = try Pipe()
        let child = try ChildProcess("/bin/cat", [], input: .descriptor(pipe.reading.raw))
        let pid = child.pid
        _ = consume child
        #expect(kill(pid, 0) == -1 && errno == ESRCH)
    }

    @Test("it gets the environment it was given and nothing of ours")
    func environment() throws {
        setenv("WANCTL_TEST_SECRET", "leaks", 1)
        #expect(
            try shell("echo $GIVEN; env | grep -c WANCTL_TEST_SECRET || true", environment: ["GIVEN": "a b"])
                == "a b\n0\n")
    }

    @Test("no descriptor but its three, no blocked and no ignored signal comes along")
    func inheritance() throws {
        Glibc.signal(SIGPIPE, SIG_IGN)
        var some = sigset_t()
        var before = sigset_t()
        sigemptyset(&some)
        sigaddset(&some, SIGTERM)
        sigaddset(&some, SIGUSR1)
        pthread_sigmask(SIG_BLOCK, &some, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        // The fourth is the directory that ls(1) reads.
        #expect(try output(of: "/bin/ls", ["/proc/self/fd"]) == "0\n1\n2\n3\n")
        let blocked = try #require(try mask("SigBlk"))
        let ignored = try #require(try mask("SigIgn"))
        #expect(blocked == 0)
        // 32 and 33 are glibc's own (nptl(7)); nobody can ask it to reset them.
        #expect(ignored & ~0x1_8000_0000 == 0)
    }

    /// A set of signals of a child, from proc(5).
    private func mask(_ name: String) throws -> UInt64? {
        let line = try output(of: "/bin/grep", [name, "/proc/self/status"])
        return line.split { $0 == "\t" || $0 == "\n" }.last.flatMap { UInt64($0, radix: 16) }
    }

    @Test("its end is readable, and tells how it was in words")
    func reap() throws {
        let loop = try EventLoop()
        let child = try ChildProcess("/bin/sh", ["-c", "exit 3"])
        #expect(try waitForEnd(of: child, loop) == "exit status 3")
    }

    private func waitForEnd(of child: borrowing ChildProcess, _ loop: EventLoop) throws -> String {
        _ = try loop.watch(child.ended.raw) { _ in loop.stop() }
        try loop.run()
        return child.reap()
    }

    @Test("a program that is not there is refused with its name")
    func missing() {
        #expect(throws: SystemCallError(call: "posix_spawn(3)", errno: ENOENT, subject: "/nowhere/program")) {
            _ = try ChildProcess("/nowhere/program", []).pid
        }
    }
}
