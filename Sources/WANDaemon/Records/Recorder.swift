package import LinuxIO
package import WANControl
package import WANEngine
package import WANModel

/// What outlives the daemon: events in the journal and the stored state, written when there is time for it.
///
/// The disk's turn is the loop's next one, after all that was ready in this one: a card that stalls must not come between an
/// event and the kernel.
package final class Recorder {
    /// After each event that was noted.
    var onEvent: (EventReport) -> Void = { _ in }

    private let loop: EventLoop
    private let alarms: Alarms
    private let journal: Journal
    private let store: StateStore
    private let policies: KeptPolicyStore
    /// Not yet in its file.
    private var unkept: KeptPolicy?
    /// Of an earlier run at first.
    package private(set) var state: StoredState
    /// What was wrong with the file that an earlier run left.
    let problem: String?
    private var isStateWritten = true
    private var timer: EventLoop.Timer?
    /// Where the disk has refused something.
    private var retry: EventLoop.Timer?
    private var pause: Duration
    private let firstPause: Duration

    /// A card that is dying may hold us up for as long as each try takes.
    private static let longestPause = Duration.seconds(600)

    /// - Parameter pause: After which it is tried again what the disk has refused; twice as long after each further refusal.
    package init(loop: EventLoop, alarms: Alarms, directory: String, pause: Duration = .seconds(5)) {
        self.pause = pause
        firstPause = pause
        self.loop = loop
        self.alarms = alarms
        journal = Journal(directory: directory)
        store = StateStore(directory: directory)
        policies = KeptPolicyStore(directory: directory)
        (state, problem) = store.read()
    }

    /// Of this run and earlier ones, the oldest first.
    var events: [EventReport] { journal.events }

    package func note(_ event: EventReport) {
        var event = event
        event.text = bounded(event.text)
        journal.append(event)
        writeSoon()
        onEvent(event)
    }

    /// What an earlier run remembered, of uplinks that have these numbers now. A number may be another uplink's than before, where
    /// none was free.
    package func memory(_ numbers: [String: UplinkNumber], now: Moment, unixSeconds: Int64) -> EngineMemory {
        state.numbers = numbers
        return state.memory(now: now, unixSeconds: unixSeconds)
    }

    package func remember(_ memory: EngineMemory, _ numbers: [String: UplinkNumber], handOver: SiteRole.HandOver?) {
        state.numbers = numbers
        state.remember(
            memory, handOver: handOver, now: Daemon.moment(), unixSeconds: Clock.realtime() / 1_000_000_000)
        isStateWritten = false
        writeSoon()
    }

    /// A policy is in force: kept for a start whose policy file is faulty.
    func keep(_ policy: KeptPolicy) {
        unkept = policy
        writeSoon()
    }

    private func writeSoon() {
        guard timer == nil else { return }
        timer = loop.schedule(at: Clock.boottime()) { [weak self] in self?.flush() }
    }

    /// Journal, policy and state into their files, now.
    func flush() {
        if let timer { loop.cancel(timer) }
        timer = nil
        journal.write()
        if let problem = journal.problem { alarms.raise(.journal, problem) } else { alarms.clear(.journal) }
        writePolicy()
        writeState()
        tryAgain(journal.problem != nil || unkept != nil || !isStateWritten)
    }

    /// A disk that was full may have room, and nothing else may happen for days that would have it written.
    private func tryAgain(_ isNeeded: Bool) {
        guard isNeeded else {
            if let retry { loop.cancel(retry) }
            retry = nil
            pause = firstPause
            return
        }
        guard retry == nil else { return }
        let now = Clock.boottime()
        retry = loop.schedule(at: now + pause.nanoseconds) { [weak self] in
            self?.retry = nil
            self?.flush()
        }
        pause = min(pause * 2, Self.longestPause)
    }

    private func writeState() {
        if isStateWritten { return }
        do throws(SystemCallError) {
            try store.write(state)
            isStateWritten = true
            alarms.clear(.state)
        } catch {
            alarms.raise(.state, "the state cannot be written, a restart would forget it: \(error)")
        }
    }

    private func writePolicy() {
        guard let policy = unkept else { return }
        do throws(SystemCallError) {
            try policies.keep(policy)
            unkept = nil
            alarms.clear(.keptPolicy)
        } catch {
            alarms.raise(
                .keptPolicy, "the policy cannot be kept, a start with a faulty policy file would end at once: \(error)")
        }
    }
}
