internal import LinuxIO
internal import WANControl
internal import WANModel

/// The rule over a network namespace: two daemons in one would undo each other's routes, whatever sockets they listen on.
///
/// It goes with its process. Who finds one that is silent ends it: a daemon that hangs rules nothing, and must not keep the next one out.
final class Reign {
    private let lock: LockFile
    /// Where the ruler answers; empty where nobody can ask it (`--cleanup`).
    private let socket: String

    private init(_ lock: consuming LockFile, _ socket: String) {
        self.lock = lock
        self.socket = socket
    }

    /// `nil` where another process rules; `say` hears what is done to one that is silent.
    static func begin(socket: String, say: (String) -> Void) throws(SystemCallError) -> Reign? {
        let (path, socket) = (try LockFile.path(), Files.absolute(socket))
        let note = Ruler.Note(socket: socket, silent: Ruler.timeToBegin).text
        // Again where it ends while we look at it.
        for _ in 0..<4 {
            try Files.makeDirectory(LockFile.runtimeDirectory, mode: 0o755)
            do throws(SystemCallError) {
                if let lock = try LockFile.take(path, note: note) { return Reign(lock, socket) }
            } catch  where error.isNobodyThere {
                continue  // whoever ended has taken the directory with it
            }
            guard let ruler = try Ruler.find() else { continue }
            if ruler.isAlive { return nil }
            switch try ruler.end(say) {
            case .ended: continue
            case .stays: return nil
            case .powerless:
                guard let lock = try LockFile.take(path, from: ruler.holder, note: note) else { continue }
                // It keeps the lock of its socket, too.
                if !socket.isEmpty, ruler.note?.socket == socket {
                    for file in [socket, socket + ".lock"] { Files.remove(file) }
                }
                return Reign(lock, socket)
            }
        }
        return nil
    }

    /// It answers from now on.
    func serves() { say(Ruler.Note(socket: socket)) }

    /// It answers no more, and is busy with its end.
    func isEnding() { say(Ruler.Note(socket: socket, silent: Ruler.timeToEnd)) }

    /// A note that cannot be changed (a full disk) is right again when its time is over.
    private func say(_ note: Ruler.Note) { try? lock.say(note.text) }

    func end() {
        try? lock.remove()  // a file that stays is taken by the next
        // Made by root, by hand or in a lab; the unit's own is its user's, and stays.
        Files.removeDirectory(LockFile.runtimeDirectory, ifOwnedBy: 0)
    }
}

/// Who rules this network namespace now.
struct Ruler {
    /// What a ruler's lock says of it.
    struct Note: Hashable {
        var socket: String
        /// By `Clock.boottime`: until then it need not answer.
        var silentUntil: Int64?

        init(socket: String, silent span: Duration? = nil) {
            self.socket = socket
            silentUntil = span.map { Clock.boottime() + $0.nanoseconds }
        }

        private static let silence = "silent until "

        var text: String { "\(socket)\n" + (silentUntil.map { "\(Self.silence)\($0)\n" } ?? "") }

        init?(_ text: String) {
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            guard lines.count >= 2 else { return nil }
            socket = String(lines[0])
            silentUntil = lines[1].hasPrefix(Self.silence) ? Int64(lines[1].dropFirst(Self.silence.count)) : nil
        }
    }

    /// A kernel that loads its modules from a slow card; the unit's TimeoutStartSec= is as long.
    static let timeToBegin = Duration.seconds(30)
    static let timeToEnd = Duration.seconds(5)
    /// What is alive answers in that time.
    private static let patience = Duration.seconds(1)
    /// What is busy answers in that time, or systemd ends it (WatchdogSec=).
    private static let busyPatience = Duration.seconds(10)

    let holder: LockFile.Holder
    let note: Note?

    static func find() throws(SystemCallError) -> Ruler? {
        try LockFile.holder(of: LockFile.path()).map { Ruler(holder: $0, note: $0.note.flatMap { Note($0) }) }
    }

    /// It answers on its own socket, or need not yet. One of which nothing can be known counts as alive.
    var isAlive: Bool {
        guard let note else { return true }
        let now = Clock.boottime()
        if let end = note.silentUntil, (now..<now + Self.timeToBegin.nanoseconds).contains(end) { return true }
        if note.socket.isEmpty { return false }
        // One that was given as a shorter, relative path.
        guard (try? UnixStream.checkPath(note.socket)) != nil else { return true }
        switch ask(note.socket, for: Self.patience) {
        case .answer: return true
        // It may be where we see nothing (a /tmp of its own), or was removed. One that was to answer by now never did.
        case .nobody: return note.silentUntil == nil
        case .silence:
            // It may have said meanwhile that it ends.
            guard let again = try? Ruler.find() else { return false }
            guard again.note == note else { return again.isAlive }
            // A large policy keeps a processor busy, and then it answers. Who is stopped, or waits for anything, is not busy.
            guard let pid = holder.pid, RunningProcess.isBusy(pid) else { return false }
            return ask(note.socket, for: Self.busyPatience) == .answer
        }
    }

    private enum Reply { case answer, silence, nobody }

    /// Whatever it says is an answer, a refusal too.
    private func ask(_ socket: String, for patience: Duration) -> Reply {
        let deadline = Clock.boottime() + patience.nanoseconds
        let reply = try? Privileges.asOwner(of: LockFile.runtimeDirectory) { () throws(SystemCallError) -> Reply in
            // What may not be asked may well be alive.
            guard let isServed = try? UnixStream.isServed(socket) else { return .answer }
            guard isServed else { return .nobody }
            do throws(ControlRefusal) {
                var client = try ControlClient(path: socket, seconds: 1)
                try client.send(.history(count: 1))
                let left = max(0, deadline - Clock.boottime()) / 1_000_000
                return try client.next(within: Int32(clamping: left)) != nil ? .answer : .silence
            } catch {
                return error.code == .notPermitted ? .answer : .silence
            }
        }
        return reply ?? .answer
    }

    /// The process, in words.
    var name: String { holder.pid.map { "process \($0)" } ?? "a process that cannot be seen from here" }
    /// What it does not do.
    var silence: String {
        note.map { $0.socket.isEmpty ? "" : " at \($0.socket)" }.map { "does not answer\($0)" } ?? "does not answer"
    }

    // MARK: ending it

    enum End {
        case ended
        /// It is killed and does not end: it can do nothing any more.
        case powerless
        /// It may not be killed.
        case stays
    }

    /// Kills it, with a second for its end.
    func end(_ say: (String) -> Void) throws(SystemCallError) -> End {
        let who = "wanctld, \(name), rules this network namespace and \(silence)"
        guard let pid = holder.pid else {
            say("\(who); end it where it was started")
            return .stays
        }
        guard let process = try RunningProcess(pid), try Ruler.find()?.holder.pid == pid else { return .ended }
        guard let name = process.name, name.hasPrefix("wanctld") else {
            say("process \(pid) holds the lock of this network namespace and is no wanctld to our eyes: left alone")
            return .stays
        }
        do throws(SystemCallError) {
            try process.kill()
        } catch {
            say("\(who), and cannot be killed (\(error)); run: kill -9 \(pid)")
            return .stays
        }
        say("\(who): killed")
        if process.hasEnded(within: 1000) { return .ended }
        say("process \(pid) was killed and does not end; it can do nothing any more, and its lock is replaced")
        return .powerless
    }
}
