internal import Glibc
internal import LinuxIO
internal import Synchronization

/// A thread with an event loop and a state of its own, which others ask for things.
///
/// The state is made on the thread and never leaves it. `deinit` ends the thread and waits for it.
final class LoopThread<State>: Sendable {
    private let mailbox: Mailbox<State>
    private let thread: WorkerThread

    /// Returns when the state is made. An urgent thread measures or carries packets: it goes before all ordinary programs
    /// (sched(7) SCHED_FIFO, as far as we may), so that a busy machine does not look like a bad line.
    init(
        _ name: String, urgent: Bool = false, _ make: @escaping @Sendable (EventLoop) throws -> State
    ) throws(LabError) {
        let mailbox = try doing("start \(name)") { try Mailbox<State>(name: name) }
        let started = try doing("start \(name)") { try Reply<LabError?>() }
        thread = try doing("start \(name)") {
            try WorkerThread {
                if urgent { becomeUrgent() }
                Self.body(mailbox, started, make)
            }
        }
        self.mailbox = mailbox
        if let failure = started.wait() { throw failure }
    }

    deinit { stop() }

    /// Runs `body` on the thread and waits for its answer.
    func perform<Answer: Sendable>(
        _ body: @escaping @Sendable (State) throws -> Answer
    ) throws(LabError) -> Answer {
        let name = mailbox.name
        let reply = try doing("ask \(name)") { try Reply<Result<Answer, LabError>>() }
        let accepted = mailbox.post { state in
            guard let state else { return reply.give(.failure(LabError("ask \(name)", "it has ended"))) }
            do { reply.give(.success(try body(state))) } catch { reply.give(.failure(LabError("ask \(name)", error))) }
        }
        guard accepted else { throw LabError("ask \(name)", "it has ended") }
        return try reply.wait().get()
    }

    /// Ends the thread and waits for it; asking it again is an error. No harm when it has ended.
    func stop() {
        guard mailbox.close() else { return }
        thread.join()
    }

    private static func body(
        _ mailbox: Mailbox<State>, _ started: Reply<LabError?>, _ make: (EventLoop) throws -> State
    ) {
        do {
            let loop = try EventLoop()
            let state = try make(loop)
            let watch = try loop.watch(mailbox.wake.descriptor.raw) { _ in
                mailbox.drain(into: state)
                if mailbox.isClosed { loop.stop() }
            }
            // The loop holds this handler, and the handler the loop and the state: together they would outlive the thread.
            defer { loop.remove(watch) }
            started.give(nil)
            try loop.run()
        } catch {
            started.give(LabError("run \(mailbox.name)", error))
        }
        mailbox.abandon()
    }
}

/// Jobs for a thread, and the descriptor that wakes it.
private final class Mailbox<State>: Sendable {
    typealias Job = @Sendable (State?) -> Void
    private struct Contents {
        var jobs: [Job] = []
        var closed = false
        var abandoned = false
    }

    let name: String
    let wake: WakeUp
    private let contents = Mutex(Contents())

    init(name: String) throws(SystemCallError) {
        self.name = name
        wake = try WakeUp()
    }

    var isClosed: Bool { contents.withLock { $0.closed } }

    /// `false` where nobody will ever run it.
    func post(_ job: @escaping Job) -> Bool {
        let accepted = contents.withLock { contents in
            if !contents.abandoned { contents.jobs.append(job) }
            return !contents.abandoned
        }
        if accepted { wake.ring() }
        return accepted
    }

    /// `false` where it was closed before.
    func close() -> Bool {
        let first = contents.withLock { contents in
            let first = !contents.closed
            contents.closed = true
            return first
        }
        if first { wake.ring() }
        return first
    }

    func drain(into state: State) {
        wake.answer()
        for job in take(abandoning: false) { job(state) }
    }

    /// The thread is at its end: whoever still waits gets told.
    func abandon() {
        for job in take(abandoning: true) { job(nil) }
    }

    private func take(abandoning: Bool) -> [Job] {
        contents.withLock { contents in
            let jobs = contents.jobs
            contents.jobs = []
            if abandoning { contents.abandoned = true }
            return jobs
        }
    }
}
