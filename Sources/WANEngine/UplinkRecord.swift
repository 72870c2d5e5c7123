internal import NetworkTypes
internal import WANModel

/// Everything the engine knows of one uplink.
struct UplinkRecord: Hashable, Sendable {
    let number: UplinkNumber
    var settings: Uplink
    var attachment: Attachment?
    var state = UplinkState.absent
    var since: Moment
    var reason = "not seen yet"

    var targets: [TargetRecord]
    var outstanding: [OutstandingProbe] = []
    var turn = 0
    var nextProbe: Moment?
    var suspicion: Suspicion?
    /// The state to return to when a suspicion is cleared.
    var calmState = UplinkState.up
    /// Since when it is in that state, and why: a doubt that came to nothing ends neither.
    var calmSince = Moment.zero
    var calmReason = ""
    var lastSendFailure: String?
    /// While not good: probes answered in a row.
    var answeredInRow = 0
    /// The first answer since it was attached or went down.
    var backSince: Moment?
    var lastAnswer: Moment?
    /// How often a metered uplink was woken for a suspicion that came to nothing; each doubles the rest before the next.
    var idleWakes = 0

    /// Failures that still count, halved for each ten minutes without one; for the hold time.
    var flaps = 0
    var lastFailure: Moment?
    var goodSince: Moment?
    /// Traffic may go back to it from here on.
    var holdUntil: Moment?

    var isDisabled = false
    /// The operator wants it empty.
    var isDrained = false
    /// What becomes of the flows that these classes have left on it.
    var departures: [Int: Departure] = [:]
    /// It fell silent: all connections on it are kept until then, in case it answers again.
    var graceUntil: Moment?
    /// It fell, and what becomes of its flows is settled with the next choice.
    var awaitsFlowDecision = false
    /// It fell where nothing better was to be had, and flows of these classes were left on it in hope.
    var stranded: Set<Int> = []
    /// Where it was attached when it last was: flows that were left on it carry these addresses.
    var formerAttachment: Attachment?
    var sweep: Sweep?

    var keepalive: KeepaliveRecord?
    var speed: SpeedClassRecord?
    var speedOverride: String?
    /// Until then the fast class outlives the traffic, or is likely to be needed.
    var raisedUntil: Moment?

    init(number: UplinkNumber, settings: Uplink, at now: Moment) {
        self.number = number
        self.settings = settings
        since = now
        let window = Self.window(settings)
        targets = settings.probe.targets.map { TargetRecord(address: $0, window: window) }
        speed = settings.soracom.map { SpeedClassRecord(wanted: $0.standby, at: now) }
    }

    /// What loss is measured over.
    static func window(_ settings: Uplink) -> Duration { settings.probe.degraded?.window ?? .seconds(30) }

    var patience: Duration {
        settings.probe.patience ?? (attachment?.isWireless == true ? .milliseconds(500) : .milliseconds(200))
    }

    /// When time alone will change something here: each part knows for itself.
    func deadline(after now: Moment) -> Moment? {
        // After each input: without closures and lists.
        var first = Earliest()
        for probe in outstanding where !probe.isLost { first.take(probe.lossAt) }
        first.take(suspicion?.deadline(patience: patience, after: now))
        first.take(nextProbe)
        first.take(holdUntil)
        for departure in departures.values { first.take(departure.until) }
        first.take(graceUntil)
        first.take(sweep?.at)
        if isPresent { first.take(keepalive?.nextLook) }
        first.take(speed?.nextTry)
        first.take(raisedUntil)
        return first.moment
    }

    var isPresent: Bool { attachment != nil && !isDisabled }

    /// Usable and the operator does not object.
    var isEligible: Bool { state.isUsable && !isDrained }

    /// Past its quality limits; a doubt does not make it better.
    var isPoor: Bool { state == .degraded || state == .suspect && calmState == .degraded }

    /// How long an unanswered probe to a target is not yet lost.
    func lossInterval(of target: Int) -> Duration {
        switch settings.probe.lossInterval {
        case .fixed(let interval): return interval
        case .auto:
            if targets[target].rtt.rtt != nil { return targets[target].rtt.timeout }
            // A target that never answered is given what the slowest of the others gets.
            return targets.filter { $0.rtt.rtt != nil }.map(\.rtt.timeout).max() ?? RTTEstimator.bounds.upperBound
        }
    }

    /// The line's round-trip time and jitter: the lower median of its answering targets, so one slow target does not speak
    /// for the line.
    var rtt: Duration? { lowerMedian(targets.compactMap(\.rtt.rtt)) }
    var jitter: Duration? { lowerMedian(targets.compactMap(\.rtt.jitter)) }

    /// The line's loss over the window, 0…1: the lower median over targets, so one dead target does not speak for the line.
    func loss(at now: Moment) -> Double {
        lowerMedian(targets.filter { $0.window.decided(at: now) > 0 }.map { $0.window.loss(at: now) }) ?? 0
    }

    private func lowerMedian<Value: Comparable>(_ values: [Value]) -> Value? {
        values.isEmpty ? nil : values.sorted()[(values.count - 1) / 2]
    }

    /// The limit of `degraded` that is crossed, in words. To leave the state a value must fall to three quarters of it.
    func crossedLimit(at now: Moment) -> String? {
        guard let limits = settings.probe.degraded else { return nil }
        let decided = targets.reduce(0) { $0 + $1.window.decided(at: now) }
        guard decided >= 20 || state == .degraded else { return nil }
        let share = state == .degraded ? 0.75 : 1
        if let limit = limits.loss, loss(at: now) > limit * share {
            return "loss \(percent(loss(at: now))) over \(limits.window.policyText), limit \(percent(limit))"
        }
        if let limit = limits.rtt, let rtt, rtt.milliseconds > limit.milliseconds * share {
            return "RTT \(rtt.policyText), limit \(limit.policyText)"
        }
        if let limit = limits.jitter, let jitter, jitter.milliseconds > limit.milliseconds * share {
            return "jitter \(jitter.policyText), limit \(limit.policyText)"
        }
        return nil
    }

    private func percent(_ share: Double) -> String { "\(Int((share * 100).rounded())) %" }

    /// Counts a failure for the hold time: older ones fade by half every ten minutes.
    mutating func countFailure(at now: Moment) {
        if let lastFailure {
            let halvings = (now - lastFailure).nanoseconds / 600_000_000_000
            flaps = halvings > 30 ? 0 : flaps >> Int(halvings)
        }
        flaps += 1
        lastFailure = now
        goodSince = nil
        holdUntil = nil
    }

    /// How long it must stay good now: the policy's hold, doubled for each failure beyond the first, sixteenfold at most.
    func holdTime(_ hold: Duration) -> Duration { hold * (1 << min(max(flaps - 1, 0), 4)) }

    /// Probes of the last attachment say nothing about this one.
    mutating func forgetProbes() {
        outstanding.removeAll()
        suspicion = nil
        answeredInRow = 0
        backSince = nil
        lastSendFailure = nil
        for index in targets.indices {
            targets[index].forgetLosses()
            targets[index].isAnswering = false
        }
    }
}

/// The earliest of some moments that may not be.
struct Earliest {
    private(set) var moment: Moment?

    mutating func take(_ other: Moment?) {
        guard let other else { return }
        if let moment, moment <= other { return }
        moment = other
    }
}

/// How long flows of a class that has left an uplink are kept there.
enum Departure: Hashable, Sendable {
    /// They may finish there until then.
    case drain(until: Moment)
    /// The uplink fell silent: their connections are kept until then, in case it answers again.
    case grace(until: Moment)

    var until: Moment {
        switch self {
        case .drain(let until), .grace(let until): until
        }
    }
}

/// A second look for flows that slipped through the first.
struct Sweep: Hashable, Sendable {
    var at: Moment
    var movement: Movement
}

/// A probe that was sent.
struct OutstandingProbe: Hashable, Sendable {
    /// A target by its index, as a sample if at its regular time; or to keep the session alive.
    enum Purpose: Hashable, Sendable { case target(Int, isSample: Bool), keepalive }
    let sequence: UInt64
    let purpose: Purpose
    let sentAt: Moment
    let lossAt: Moment
    var isLost = false
}
