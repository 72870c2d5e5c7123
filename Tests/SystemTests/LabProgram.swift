import Glibc
import LinuxIO
import Testing
import WANLab

/// `wanctl-lab` with these words, and what it says; the file of that goes with the object, and so does the program.
final class LabProgram {
    private let log: String
    private let program: BackgroundProgram
    private var status: Int32?

    init(_ words: [String]) throws {
        log = "/tmp/wanctl-lab-\(UInt64.random(in: .min ... .max)).log"
        program = try BackgroundProgram([siblingProgram("wanctl-lab")] + words, logPath: log)
    }

    deinit {
        interrupt()
        _ = end()
        Files.remove(log)
    }

    func said() throws -> String { try Files.text(log) }

    func waitFor(_ words: String) throws {
        let problem = try program.waitUntilReady {
            guard try said().contains(words) else { throw LabError("hear \"\(words)\"", "not yet") }
        }
        #expect(problem == nil)
    }

    func interrupt() { send(SIGINT) }

    /// A signal, while it runs.
    func send(_ signal: Int32) { if status == nil { kill(program.pid, signal) } }

    /// What waitpid(2) says of its end; that of SIGKILL, which it gets where it does not end in a time that suffices for all it does.
    func end() -> Int32 {
        if let status { return status }
        var word: Int32 = 0
        let pid = program.pid
        if !comes(within: 180, { waitpid(pid, &word, WNOHANG) == pid }) {
            Issue.record("it did not end:\n\((try? said()) ?? "")")
            kill(pid, SIGKILL)
            waitpid(pid, &word, 0)
        }
        status = word
        return word
    }
}
