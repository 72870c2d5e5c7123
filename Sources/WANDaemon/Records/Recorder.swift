internal import LinuxIO
internal import WANControl

/// What outlives the daemon: events in the journal and the stored state, written when there is time for it.
///
/// The disk's turn is the loop's next one, after all that was ready in this one: a card that stalls must not come between an
/// event and the kernel.
final class Recorder {
    /// After each event that was noted.
    var onEvent: (EventReport) -> Void = { _ in }

    private let loop: EventLoop
    private let alarms: Alarms
    private let journal: Journal
    private let store: StateStore
    private var unwritten: StoredState?
    private var timer: EventLoop.Timer?

    init(loop: EventLoop, alarms: Alarms, directory: String) {
        self.loop = loop
        self.alarms = alarms
        journal = Journal(directory: directory)
        store = StateStore(directory: directory)
    }

    /// Of this run and earlier ones, the oldest first.
    var events: [EventReport] { journal.events }

    /// What an earlier run left, and what is wrong with it.
    func stored() -> (StoredState, problem: String?) { store.read() }

    func note(_ event: EventReport) {
        journal.append(event)
        writeSoon()
        onEvent(event)
    }

    func remember(_ state: StoredState) {
        unwritten = state
        writeSoon()
    }

    private func writeSoon() {
        guard timer == nil else { return }
        timer = loop.schedule(at: Clock.boottime()) { [weak self] in self?.flush() }
    }

    /// Journal and state into their files, now.
    func flush() {
        if let timer { loop.cancel(timer) }
        timer = nil
        journal.write()
        if let problem = journal.problem { alarms.raise(.journal, problem) } else { alarms.clear(.journal) }
        guard let state = unwritten else { return }
        unwritten = nil
        do throws(SystemCallError) {
            try store.write(state)
            alarms.clear(.state)
        } catch {
            alarms.raise(.state, "the state cannot be written, a restart would forget it: \(error)")
        }
    }
}
