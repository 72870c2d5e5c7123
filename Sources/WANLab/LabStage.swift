internal import Glibc
internal import LinuxIO
internal import Synchronization

/// A lab of any shape, for who has to take it down.
package protocol StagedLab: Sendable {
    /// Everything of it goes; a second time nothing happens.
    func tearDown() throws(LabError)
}

extension Lab: StagedLab {}
extension SiteLab: StagedLab {}

/// Work with labs that is cleaned up after, whatever happens to it.
///
/// The work runs on a thread of its own while the first one waits for its end and for signals. After a signal (Ctrl-C) the lab of
/// the moment is taken down at once; the work then fails at its next step, and what it says about that is kept to itself.
package final class LabStage: Sendable {
    private struct State {
        var lab: (any StagedLab)?
        var isInterrupted = false
        var outcome: Result<Bool, LabError>?
    }
    private let state = Mutex(State())
    private let interruption: WakeUp
    private let end: WakeUp

    private init() throws(SystemCallError) {
        interruption = try WakeUp()
        end = try WakeUp()
    }

    /// The exit code: 0 where the work says that all was well, 1 where not, 128 and the signal's number after a signal.
    ///
    /// To be called before any thread is started.
    package static func run(_ work: @escaping @Sendable (LabStage) throws -> Bool) throws -> Int32 {
        let signals = try SignalReader([SIGINT, SIGTERM, SIGHUP])
        SignalReader.ignoreFailedWrites()
        let stage = try LabStage()
        let thread = try WorkerThread {
            let outcome: Result<Bool, LabError>
            do { outcome = .success(try work(stage)) } catch { outcome = .failure(LabError("go on", error)) }
            stage.leave()
            stage.state.withLock { $0.outcome = outcome }
            stage.end.ring()
        }
        let loop = try EventLoop()
        var signal: Int32?
        _ = try loop.watch(stage.end.descriptor.raw) { _ in loop.stop() }
        _ = try loop.watch(signals.descriptor.raw) { _ in
            signal = signals.next()
            loop.stop()
        }
        try loop.run()
        if let signal {
            stage.interrupt()
            // The work may be waiting for something that no lab can end; nothing of it is left outside this process then.
            _ = stage.end.wait(until: Clock.boottime() + 10_000_000_000)
            return 128 + signal
        }
        thread.join()
        return try stage.state.withLock { $0.outcome }?.get() == true ? 0 : 1
    }

    /// A lab for the work; the one before it is taken down first.
    package func build(_ options: LabOptions = LabOptions()) throws(LabError) -> Lab {
        try enter { () throws(LabError) in try Lab.build(options) }
    }

    /// The same for a site of two boxes; only the options' name, seed and lines count.
    package func buildSite(_ options: LabOptions = LabOptions()) throws(LabError) -> SiteLab {
        try enter { () throws(LabError) in
            try SiteLab.build(id: options.id, seed: options.seed, lines: options.lines)
        }
    }

    private func enter<Built: StagedLab>(_ build: () throws(LabError) -> Built) throws(LabError) -> Built {
        leave()
        let lab = try build()
        let isInterrupted = state.withLock { state in
            state.lab = lab
            return state.isInterrupted
        }
        if isInterrupted { leave() }
        try check()
        return lab
    }

    /// Takes the lab down, if there is one.
    package func leave() {
        let lab = state.withLock { state in
            defer { state.lab = nil }
            return state.lab
        }
        do { try lab?.tearDown() } catch { writeError("wanctl-lab: \(error)\n") }
    }

    package var isInterrupted: Bool { state.withLock { $0.isInterrupted } }

    /// Throws after a signal.
    package func check() throws(LabError) {
        if isInterrupted { throw LabError("go on", "interrupted") }
    }

    /// Lets time pass; throws at once after a signal.
    package func linger(_ duration: Duration) throws(LabError) {
        _ = interruption.wait(until: Clock.boottime() + duration.nanoseconds)
        try check()
    }

    /// Waits until something is so; false when it is not by then. Throws at once after a signal.
    package func wait(atMost limit: Duration, until claim: () throws(LabError) -> Bool) throws(LabError) -> Bool {
        let deadline = Clock.boottime() + limit.nanoseconds
        while true {
            if try claim() { return true }
            if Clock.boottime() >= deadline { return false }
            try linger(.milliseconds(10))
        }
    }

    private func interrupt() {
        state.withLock { $0.isInterrupted = true }
        interruption.ring()
        leave()
    }
}
