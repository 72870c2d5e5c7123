internal import CLinux
internal import Glibc
package import LinuxIO
internal import Synchronization

/// How a program ended (wait(2)).
package enum ExitStatus: Hashable, Sendable, CustomStringConvertible {
    case exited(Int32)
    case signaled(Int32)

    /// From the word of waitpid(2), whose macros Swift does not see.
    init(word: Int32) {
        self = word & 0x7f == 0 ? .exited(word >> 8 & 0xff) : .signaled(word & 0x7f)
    }

    package var description: String {
        switch self {
        case .exited(let code): "exit code \(code)"
        case .signaled(let signal): "signal \(signal)"
        }
    }
}

/// A program the lab started; it is killed with its process group when the lab goes, whatever way the lab goes.
package final class Child: Sendable {
    package let pid: Int32
    /// Where its standard output and error go.
    package let logPath: String
    private let handle: OwnedDescriptor
    private let ended = Mutex<ExitStatus?>(nil)

    init(pid: Int32, logPath: String) throws(SystemCallError) {
        self.pid = pid
        self.logPath = logPath
        handle = OwnedDescriptor(taking: try checked("pidfd_open(2)") { wan_pidfd_open(pid) })
    }

    /// Starts a program that reads nothing; what it writes is added to the file at `logPath`.
    static func start(
        _ words: [String], logPath: String, environment: [String: String] = [:]
    ) throws(SystemCallError) -> Child {
        let nothing = try Spawn.nothing()
        let output = try openFile(logPath, O_WRONLY | O_CREAT | O_APPEND, mode: 0o644)
        return try Child(
            pid: try Spawn.start(
                words, input: nothing.raw, output: output.raw, error: output.raw, environment: environment),
            logPath: logPath)
    }

    deinit { kill() }

    package var isRunning: Bool { status == nil }

    /// How it ended; `nil` while it runs. What it left running in its process group ends with it.
    package var status: ExitStatus? {
        ended.withLock { ended in
            if ended == nil, hasExited {
                // Before the reaping: until then nobody else can get this process group's number.
                _ = Glibc.kill(-pid, SIGKILL)
                var word: Int32 = 0
                if waitpid(pid, &word, 0) == pid { ended = ExitStatus(word: word) }
            }
            return ended
        }
    }

    /// A pidfd is readable from the end of its process on (pidfd_open(2)).
    private var hasExited: Bool {
        var poller = pollfd(fd: handle.raw, events: Int16(POLLIN), revents: 0)
        return poll(&poller, 1, 0) == 1
    }

    /// Everything it has written so far.
    package func output() throws(SystemCallError) -> String {
        String(decoding: try Files.read(logPath, limit: 64 << 20), as: UTF8.self)
    }

    /// Sends a signal to the program alone. No harm when it has ended.
    package func signal(_ number: Int32) {
        ended.withLock { ended in if ended == nil { _ = Glibc.kill(pid, number) } }
    }

    /// Waits for its end; `nil` when it still runs after that long.
    package func wait(atMost limit: Duration) -> ExitStatus? {
        let deadline = Clock.boottime() + limit.nanoseconds
        while true {
            if let status { return status }
            let left = deadline - Clock.boottime()
            if left <= 0 { return nil }
            var poller = pollfd(fd: handle.raw, events: Int16(POLLIN), revents: 0)
            _ = poll(&poller, 1, Int32(min(left / 1_000_000 + 1, 60_000)))
        }
    }

    /// Returns when something is so that this program is to bring about; where it does not, its log says why.
    func wait(
        _ what: String, atMost limit: Duration, until claim: () throws(LabError) -> Bool
    ) throws(LabError) {
        let deadline = Clock.boottime() + limit.nanoseconds
        while try !claim() {
            guard isRunning, Clock.boottime() < deadline else {
                let log = try doing("read its log") { try output() }
                throw LabError("see \(what)", "it did not; it says:\n\(log)")
            }
            _ = wait(atMost: .milliseconds(10))
        }
    }

    /// SIGTERM, and after the grace SIGKILL for whatever is left of its process group; how it ended, or `nil` where it had to be
    /// killed.
    @discardableResult
    package func stop(grace: Duration = .seconds(3)) -> ExitStatus? {
        signal(SIGTERM)
        let status = wait(atMost: grace)
        kill()
        return status
    }

    /// SIGKILL for its process group; returns when it is reaped.
    package func kill() {
        ended.withLock { ended in if ended == nil { _ = Glibc.kill(-pid, SIGKILL) } }
        _ = wait(atMost: .seconds(5))
    }
}
