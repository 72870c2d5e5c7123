internal import Glibc
internal import LinuxIO
internal import Synchronization

/// Work with labs that is cleaned up after, whatever happens to it.
///
/// The work runs on a thread of its own while the first one waits for its end and for signals. After a signal (Ctrl-C) the lab of
/// the moment is taken down at once, however much of it is built, and further signals do not shorten that; the work then fails at
/// its next step, and what it says about that is kept to itself.
package final class LabStage: Sendable {
    private struct State {
        var life: LabLife?
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
            // Nothing is left outside this process; the work may be waiting for something that no lab can end.
            _ = stage.end.wait(until: Clock.boottime() + 10_000_000_000)
            return 128 + signal
        }
        thread.join()
        return try stage.state.withLock { $0.outcome }?.get() == true ? 0 : 1
    }

    /// A lab for the work; the one before it is taken down first.
    package func build(_ options: LabOptions = LabOptions()) throws(LabError) -> Lab {
        try Lab.build(options, try begin(options.id))
    }

    /// The same for a site of two boxes; only the options' name, seed and lines count.
    package func buildSite(_ options: LabOptions = LabOptions()) throws(LabError) -> SiteLab {
        try SiteLab.build(try begin(options.id), seed: options.seed, lines: options.lines)
    }

    private func begin(_ id: String?) throws(LabError) -> LabLife {
        leave()
        try StaleLabs.sweep()
        // Under the lock: a signal comes before there is a lab, or finds one that it can end.
        return try state.withLock { state throws(LabError) in
            if state.isInterrupted { throw LabError("go on", "interrupted") }
            let life = try LabLife.begin(id)
            state.life = life
            return life
        }
    }

    /// Takes the lab down, if there is one; returns when nothing of it is left, whoever takes it down.
    package func leave() {
        guard let life = state.withLock({ $0.life }) else { return }
        do { try life.end() } catch { writeError("wanctl-lab: \(error)\n") }
        state.withLock { state in if state.life === life { state.life = nil } }
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
