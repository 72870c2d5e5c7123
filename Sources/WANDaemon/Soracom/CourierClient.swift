internal import Glibc
internal import LinuxIO
internal import WANControl

/// The daemon's side of `wanctl-courier`: started when there is something to carry, killed at its deadline, gone when idle.
///
/// Whatever happens to the courier, every request gets exactly one answer, unless a newer one on the same subject takes its place.
final class CourierClient {
    struct Settings: Equatable {
        var program: String
        /// Files with secrets that the courier may read before it drops its privileges.
        var credentials: [String]
        var tokenCache: String
    }
    private struct Pending {
        var subject: String?
        var answer: (CourierAnswer?, String) -> Void
        var timer: EventLoop.Timer
    }
    /// A running courier.
    private final class Process {
        let child: ChildProcess
        let stream: OwnedDescriptor
        var reading: EventLoop.Watch?
        var ending: EventLoop.Watch?
        var input: [UInt8] = []
        /// The files of the credentials as they were before it read them.
        let stamps: [FileStamp?]
        init(_ child: consuming ChildProcess, _ stream: consuming OwnedDescriptor, stamps: [FileStamp?]) {
            self.child = child
            self.stream = stream
            self.stamps = stamps
        }
    }

    private let loop: EventLoop
    private let log: Log
    /// A courier that runs has read the credentials of before and cannot read others: it goes, and the next one starts.
    var settings: Settings {
        didSet { if settings != oldValue, process != nil { end("was stopped for a new policy") } }
    }
    private var process: Process?
    private var pending: [Int64: Pending] = [:]
    private var lastID: Int64 = 0
    /// Beyond what the courier allows itself for a request; then it is killed.
    private static let grace: Int64 = 2_000_000_000

    init(loop: EventLoop, log: Log, settings: Settings) {
        self.loop = loop
        self.log = log
        self.settings = settings
    }

    /// `timeout` in nanoseconds. The answer is `nil` with a reason where the courier could not give one.
    ///
    /// - Parameter subject: What it is about, so that one that is under way on the same is given up; `nil`: nobody waits for it.
    func ask(
        _ make: (Int64) -> CourierRequest, on subject: String?, timeout: Int64,
        answer: @escaping (CourierAnswer?, String) -> Void
    ) {
        if pending.isEmpty, hasNewCredentials { end("was stopped for new credentials") }
        if let subject { makeWay(for: subject) }
        lastID += 1
        let id = lastID
        // It serves one request after the other: those before this one may take their whole time.
        let longest = Int64(pending.count + 1) * timeout + Self.grace
        let timer = loop.schedule(at: Clock.boottime() + longest) { [weak self] in
            self?.end("did not answer in time and was killed")
        }
        pending[id] = Pending(subject: subject, answer: answer, timer: timer)
        do throws(SystemCallError) {
            let process = if let running = self.process { running } else { try start() }
            let line = make(id).line + [10]
            let raw = process.stream.raw
            let sent = try checked("send(2)", "to the courier") {
                Glibc.send(raw, line, line.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
            }
            if sent != line.count { end("does not take requests") }
        } catch {
            end("cannot be reached: \(error)")
        }
    }

    /// The courier serves one request after the other and cannot leave one alone: where that stands in the way, it goes.
    private func makeWay(for subject: String) {
        let former = pending.filter { $0.value.subject == subject }
        for (id, entry) in former {
            loop.cancel(entry.timer)
            pending[id] = nil
        }
        if !former.isEmpty || pending.values.contains(where: { $0.subject == nil }) {
            end("gave way to another request")
        }
    }

    /// A courier that runs cannot read again: it would not see a file that was mended. One that was taken away, or that it
    /// would refuse, is no reason to give up what it knows.
    private var hasNewCredentials: Bool {
        guard let process else { return false }
        return zip(settings.credentials, process.stamps).contains { path, before in
            guard let now = FileStamp(path), now.mode & 0o077 == 0 else { return false }
            return now != before
        }
    }

    private func start() throws(SystemCallError) -> Process {
        let stamps = settings.credentials.map { FileStamp($0) }
        let pair = try SocketPair()
        var arguments = ["--token-cache", settings.tokenCache]
        for path in settings.credentials { arguments += ["--credential", path] }
        let child = try ChildProcess(
            settings.program, arguments, environment: ["PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"],
            input: .descriptor(pair.theirs.raw))
        let ours = pair.keepOurs()
        try ours.setNonBlocking()
        let process = Process(child, ours, stamps: stamps)
        process.reading = try loop.watch(process.stream.raw) { [weak self] _ in self?.read() }
        // The loop holds the process until it has been reaped, even after it was killed and another one started.
        process.ending = try loop.watch(process.child.ended.raw) { [weak self] _ in self?.reap(process) }
        self.process = process
        return process
    }

    private func read() {
        guard let process else { return }
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = Glibc.read(process.stream.raw, &chunk, chunk.count)
            if count < 0 { break }
            if count == 0 {
                // It closes its end when it leaves; `reap` hears of it.
                stopReading(process)
                break
            }
            process.input += chunk[..<count]
            if process.input.count > courierLineLimit {
                end("sent an endless line and was killed")
                return
            }
        }
        while let newline = process.input.firstIndex(of: 10) {
            let line = Array(process.input[..<newline])
            process.input.removeSubrange(...newline)
            do throws(CourierMessageError) {
                let answer = try CourierAnswer(line: line)
                guard let id = answer.id, let waiting = pending.removeValue(forKey: id) else { continue }
                loop.cancel(waiting.timer)
                waiting.answer(answer, "")
            } catch {
                log(.warning, "courier: \(error), ignoring the line")
            }
        }
    }

    private func reap(_ ended: Process) {
        if process === ended { read() }
        let how = ended.child.reap()
        stopReading(ended)
        if let watch = ended.ending { loop.remove(watch) }
        ended.ending = nil
        guard process === ended else { return }
        process = nil
        failAll("ended (\(how)) before it answered")
    }

    private func stopReading(_ process: Process) {
        if let watch = process.reading { loop.remove(watch) }
        process.reading = nil
    }

    /// Kills the courier and tells everybody who waits.
    private func end(_ reason: String) {
        if let process {
            process.child.signal(SIGKILL)
            stopReading(process)
        }
        process = nil
        failAll(reason)
    }

    private func failAll(_ reason: String) {
        let waiting = pending
        pending = [:]
        for (_, entry) in waiting {
            loop.cancel(entry.timer)
            entry.answer(nil, "the courier \(reason)")
        }
    }

    /// Nobody is told any more: the daemon ends, and what was asked for will be asked for by the next one.
    func stop() {
        for entry in pending.values { loop.cancel(entry.timer) }
        pending = [:]
        end("is stopped with the daemon")
    }
}
