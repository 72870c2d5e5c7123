internal import Glibc
internal import LinuxIO

/// A program in a session of its own (setsid(2)) that outlives its starter.
package struct BackgroundProgram: ~Copyable {
    package let pid: Int32
    private let log: OwnedDescriptor
    private let logPath: String

    /// Its output goes to a file, which is emptied first.
    package init(_ arguments: [String], logPath: String) throws(LabError) {
        let name = arguments.first ?? "nothing"
        let file = try doing("start \(name)") {
            try openFile(logPath, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_NOFOLLOW)
        }
        let raw = file.raw
        // As long as somebody writes there: the program has the same open file.
        flock(raw, LOCK_SH | LOCK_NB)
        let started = try doing("start \(name)") {
            let nothing = try Spawn.nothing()
            return try Spawn.start(arguments, input: nothing.raw, output: raw, error: raw, group: .session)
        }
        pid = started
        log = file
        self.logPath = logPath
    }

    /// SIGTERM, unless its end was seen before; returns when it has ended.
    package func stop() {
        var word: Int32 = 0
        guard waitpid(pid, &word, WNOHANG) == 0 else { return }
        kill(pid, SIGTERM)
        while waitpid(pid, &word, 0) == -1, errno == EINTR {}
    }

    /// Waits until the question is answered without error; why that never happened, or `nil`.
    package func waitUntilReady(
        atMost limit: Duration = .seconds(20), _ question: () throws -> Void
    ) throws(LabError) -> String? {
        let deadline = Clock.boottime() + limit.nanoseconds
        while true {
            var word: Int32 = 0
            if waitpid(pid, &word, WNOHANG) == pid {
                // By our own descriptor: a lab that could not be built has removed the file with all the rest.
                lseek(log.raw, 0, SEEK_SET)
                let said = try doing("read \(logPath)") { try Files.read(log, limit: 1 << 20, name: logPath) }
                return "\(ExitStatus(word: word)): \(String(decoding: said, as: UTF8.self))"
            }
            do {
                try question()
                return nil
            } catch {
                if Clock.boottime() > deadline { return "\(error)" }
            }
            pause(milliseconds: 10)
        }
    }
}
