internal import JSONText
package import LinuxIO
package import WANControl
package import WANEngine
package import WANModel

/// What outlives the daemon: events, the stored state and the policy in force, told to `wanctl-recorder`, which owns the disk.
///
/// The daemon reads, once, before its loop runs. From then on it waits for no disk: what it tells the recorder is sent in the loop's
/// next turn, after all that was ready in this one. A copy of the state is in /run, which is no disk: there a daemon that is started
/// again finds it, though the recorder stands still.
package final class Recorder {
    /// After each event that was noted.
    var onEvent: (EventReport) -> Void = { _ in }

    private let loop: EventLoop
    private let alarms: Alarms
    private let link: RecorderLink
    private let runtimeCopy: String
    /// Of an earlier run at first.
    package private(set) var state: StoredState
    /// What was wrong with the file that an earlier run left.
    let problem: String?
    private var isStateSent = true
    private var unsentPolicy: KeptPolicy?
    private var timer: EventLoop.Timer?

    /// - Parameter patience: How long the recorder may take to tell what it has of earlier runs, in milliseconds; else it comes later.
    package init(
        loop: EventLoop, alarms: Alarms, directory: String, besides socket: String, run: String, patience: Int32 = 300
    ) {
        self.loop = loop
        self.alarms = alarms
        runtimeCopy = pathBeside(socket, "state.json")
        link = RecorderLink(loop: loop, path: recorderSocketPath(beside: socket), run: run)
        link.onChange = { [alarms] in Self.say($0, $1, alarms) }
        let places = [runtimeCopy, "\(directory)/state.json"]
        let before = StoredState.read(places)
        link.begin(within: patience)
        // What earlier runs told it late is in its place now. But where an older release kept the file itself, as its own alone, systemd
        // has just given it to the recorder.
        let after = StoredState.read(places)
        (state, problem) = before.problem == nil && after.problem != nil ? before : after
    }

    /// Something was not sent yet.
    package var hasUnsent: Bool { timer != nil || link.outbox.hasUnsent }
    /// All that was told is kept.
    package var isComplete: Bool { timer == nil && link.outbox.isComplete }

    /// Of this run and earlier ones, the oldest first.
    package var events: [EventReport] { link.outbox.events }

    package func note(_ event: EventReport) {
        var event = event
        event.text = bounded(event.text)
        link.append(event)
        sendSoon()
        onEvent(event)
    }

    /// What an earlier run remembered, of uplinks that have these numbers now. A number may be another uplink's than before, where
    /// none was free.
    package func memory(_ numbers: [String: UplinkNumber], now: Moment, unixSeconds: Int64) -> EngineMemory {
        state.numbers = numbers
        return state.memory(now: now, unixSeconds: unixSeconds)
    }

    func remember(_ memory: EngineMemory, _ numbers: [String: UplinkNumber], handOver: SiteRole.HandOver?) {
        state.numbers = numbers
        state.remember(
            memory, handOver: handOver, now: Daemon.moment(), unixSeconds: Clock.realtime() / 1_000_000_000)
        isStateSent = false
        sendSoon()
    }

    /// A policy is in force: kept for a start whose policy file is faulty.
    package func keep(_ policy: KeptPolicy) {
        unsentPolicy = policy
        sendSoon()
    }

    private func sendSoon() {
        guard timer == nil else { return }
        timer = loop.schedule(at: Clock.boottime()) { [weak self] in self?.flush() }
    }

    /// All that there is to the recorder, now: what it was sent outlives a crash of the daemon.
    package func flush() {
        if let timer { loop.cancel(timer) }
        timer = nil
        if let policy = unsentPolicy {
            unsentPolicy = nil
            let bytes = policy.bytes
            if bytes.count <= RecordFrame.longestBody {
                link.keep(bytes, as: .policy)
            } else {
                let most = RecordFrame.longestBody >> 20
                Self.say(.policy, "with its files it has \(bytes.count) bytes, at most \(most) MiB are kept", alarms)
            }
        }
        if !isStateSent {
            isStateSent = true
            let bytes = Array((state.json.prettyText + "\n").utf8)
            link.keep(bytes, as: .state)
            do throws(SystemCallError) {
                try Files.replace(runtimeCopy, with: bytes, mode: 0o600)
            } catch {
                // With /run full there is none, rather than an old one.
                Files.remove(runtimeCopy)
            }
        }
        link.send()
    }

    /// The last of the daemon.
    package func end() {
        flush()
        link.end(within: 500)
    }

    private static func say(_ kind: RecordFrame.Kind?, _ problem: String?, _ alarms: Alarms) {
        let (subject, loss): (Alarms.Subject, String) =
            switch kind {
            case .event: (.journal, "the history cannot be written")
            case .state: (.state, "the state cannot be written, a restart would forget it")
            case .policy:
                (.keptPolicy, "the policy cannot be kept, a start with a faulty policy file would end at once")
            default: (.recorder, "nothing is kept for a boot or a look back, wanctl-recorder does not serve")
            }
        if let problem { alarms.raise(subject, "\(loss): \(problem)") } else { alarms.clear(subject) }
    }
}
