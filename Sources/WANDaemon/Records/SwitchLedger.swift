internal import LinuxIO
internal import NetworkTypes
internal import WANEngine
internal import WANModel
internal import WANProbes

/// The record of the last switch: its steps with their times, and its proof.
///
/// A switch is proven when the kernel's own look-up names the new uplink and a probe that is sent as other traffic is answered
/// over it. The next switch ends the proof of the one before.
final class SwitchLedger {
    /// What the proof needs of an uplink; `nil` where it is not attached.
    var line: (UplinkNumber) -> (name: String, attachment: Attachment, targets: [IPAddress])? = { _ in nil }
    /// Over which interface the kernel sends what nobody bound to anything.
    var lookup: (IPAddress) -> InterfaceIndex? = { _ in nil }
    /// A switch is over, proven or not.
    var onFinished: (SwitchRecord) -> Void = { _ in }

    private(set) var last: SwitchRecord?
    /// Where the routes led last; routes that are found at start and kept are no switch.
    private var routed: [UplinkNumber]
    private let loop: EventLoop
    private let probe: PathProbe
    private var timer: EventLoop.Timer?
    private static let limit: Int64 = 3_000_000_000

    init(loop: EventLoop, routed: [UplinkNumber]) {
        self.loop = loop
        self.routed = routed
        probe = PathProbe(loop: loop)
        probe.onAnswer = { [unowned self] answer in heard(answer) }
    }

    /// Notes where the routes lead now; whether that is elsewhere than before.
    func leads(to share: [UplinkNumber]) -> Bool {
        defer { routed = share }
        return share != routed
    }

    /// Begins the record of a switch whose routes are in the kernel since now, and its proof.
    func begin(_ record: SwitchRecord) {
        if let last, !last.to.isEmpty, last.proven == nil { end(false, "the next switch came first") }
        last = record
        last?.appliedAt = Daemon.moment()
        prove(record.decision)
    }

    /// Flows of an uplink that the last switch has left were moved.
    func flowsMoved(from uplink: UplinkNumber, count: Int, sweep: Int) {
        guard last?.decision.previous.contains(uplink) == true else { return }
        let sum = (last?.flowsDeleted ?? 0) + count
        last?.flowsDeleted = sum
        if sweep == 1, last?.flowsDoneAt == nil { last?.flowsDoneAt = Daemon.moment() }
    }

    // MARK: the proof

    private func prove(_ decision: Decision) {
        if let timer { loop.cancel(timer) }
        timer = nil
        guard let selected = decision.selected, let line = line(selected) else {
            last?.proven = false
            last?.proof = "there is no way out to prove"
            return
        }
        let targets = line.targets.prefix(3)
        for target in targets {
            guard let found = lookup(target) else { return end(false, "the kernel has no way to \(target)") }
            if found != line.attachment.interfaceIndex {
                return end(
                    false, "the kernel sends \(target) over interface #\(found), not over \(line.attachment.interface)")
            }
        }
        do {
            try probe.begin()
            for target in targets { _ = probe.send(target) }
        } catch {
            return end(false, "no probe could be sent: \(error)")
        }
        timer = loop.schedule(at: Clock.boottime() + Self.limit) { [weak self] in
            self?.probe.end()
            self?.end(false, "no target answered a probe sent as other traffic within 3 s")
        }
    }

    private func heard(_ answer: PathProbe.Answer) {
        guard timer != nil, let selected = last?.decision.selected, let line = line(selected) else { return }
        if let interface = answer.interface, interface != line.attachment.interfaceIndex { return }
        probe.end()
        end(true, "\(answer.target) answered over \(line.name) in \(answer.rtt.policyText)")
    }

    private func end(_ isProven: Bool, _ reason: String) {
        if let timer { loop.cancel(timer) }
        timer = nil
        guard last?.proven == nil else { return }
        last?.proven = isProven
        last?.provenAt = Daemon.moment()
        last?.proof = reason
        if let last { onFinished(last) }
    }
}
