internal import NetworkTypes
package import WANModel

/// Decides which uplink carries the traffic, what to probe when, and what to tell whom.
///
/// A value without sockets, clock, files or log: inputs come in with the moment they happened, outputs come out, and
/// `nextDeadline` says when it next wants `.deadlineReached`. One input, then all its outputs, then the next input. The same
/// inputs always give the same outputs, so a fault in the field is a file of inputs.
package struct Engine: Hashable, Sendable {
    var records: [UplinkRecord] = []
    /// Positions in `records`, best uplink first.
    var order: [UplinkNumber] = []
    var hold: Duration
    var drain: Failover.Drain
    package internal(set) var pin: Selection.Pin?
    package internal(set) var decision: Decision
    let startedAt: Moment
    /// Routes of an earlier run were found: hold times were running when it ended, so none may be skipped now.
    let isTakingOver: Bool
    var sequence: UInt64 = 0
    var outputs: [EngineOutput] = []
    var needsChoice = false
    /// Why the next choice is made, if it is not plain from the state of the uplink that is left.
    var cause: String?
    var causedByOperator = false
    /// When the fault of the selected uplink began.
    var faultSince: Moment?
    /// Targets at fault on every line, so that it is said once.
    var faultyTargets: Set<IPAddress> = []
    package private(set) var nextDeadline: Moment?

    /// `adopted`: the uplink that the routes found in the kernel lead to, from an earlier run. It is stayed with until there
    /// is evidence against it.
    package init(
        setup: EngineSetup, adopted: UplinkNumber? = nil, memory: EngineMemory = EngineMemory(), at now: Moment
    ) {
        hold = setup.hold
        drain = setup.drain
        startedAt = now
        isTakingOver = adopted != nil
        decision = Decision(ladder: adopted.map { [$0] } ?? [], previous: nil, cause: "found at start")
        apply(setup, at: now)
        recall(memory)
    }

    package mutating func handle(_ input: EngineInput, at now: Moment) -> [EngineOutput] {
        switch input {
        case .attached(let reports):
            for report in reports { attached(report.uplink, report.attachment, reason: report.reason, at: now) }
        case .answered(let probe, let rtt): answered(probe, rtt: rtt, at: now)
        case .notSent(let probe, let text):
            if let index = index(of: probe.uplink) { records[index].lastSendFailure = text }
        case .counters(let uplink, let counters): counted(uplink, counters, at: now)
        case .operatorCommand(let command): obey(command, at: now)
        case .speedClass(let uplink, let answer): speedClassAnswered(uplink, answer, at: now)
        case .deadlineReached: break
        }
        advance(to: now)
        return drainOutputs()
    }

    /// A new policy takes over; uplinks that did not change go on undisturbed.
    package mutating func reload(_ setup: EngineSetup, at now: Moment) -> [EngineOutput] {
        hold = setup.hold
        drain = setup.drain
        apply(setup, at: now)
        if let pin, index(of: pin.uplink) == nil {
            self.pin = nil
            outputs += [.event(.pinEnded(pin.uplink, reason: "the policy no longer has this uplink")), .remember]
        }
        cause = "the policy was reloaded"
        needsChoice = true
        advance(to: now)
        return drainOutputs()
    }

    private mutating func drainOutputs() -> [EngineOutput] {
        defer { outputs.removeAll(keepingCapacity: true) }
        return outputs
    }

    private mutating func apply(_ setup: EngineSetup, at now: Moment) {
        records = setup.uplinks.map { number, settings in
            guard var old = records.first(where: { $0.number == number }), old.settings.interface == settings.interface
            else {
                var fresh = UplinkRecord(number: number, settings: settings, at: now)
                fresh.keepalive = settings.keepalive.map { KeepaliveRecord($0, at: now) }
                // What the operator said holds for the name, whatever interface it has.
                if let former = records.first(where: { $0.number == number }) {
                    fresh.isDrained = former.isDrained
                    fresh.speedOverride = former.speedOverride
                    if former.isDisabled { fresh.disable() }
                }
                return fresh
            }
            guard old.settings != settings else { return old }
            let before = old.settings
            old.settings = settings
            if before.probe.targets != settings.probe.targets
                || before.probe.degraded?.window != settings.probe.degraded?.window
            {
                old.targets = UplinkRecord(number: number, settings: settings, at: now).targets
                old.forgetProbes()
                if old.state == .suspect { old.state = old.calmState }
                old.nextProbe = now
            }
            if before.probe.interval != settings.probe.interval { old.nextProbe = now }
            if before.keepalive != settings.keepalive {
                old.keepalive = settings.keepalive.map { KeepaliveRecord($0, at: now) }
            }
            if before.soracom != settings.soracom {
                old.speed = settings.soracom.map { SpeedClassRecord(wanted: $0.standby, at: now) }
                if settings.soracom == nil { old.raisedUntil = nil }
            }
            return old
        }
        order = setup.order.filter { number in records.contains { $0.number == number } }
        needsChoice = true
    }

    func index(of number: UplinkNumber) -> Int? { records.firstIndex { $0.number == number } }

    func name(_ number: UplinkNumber) -> String {
        index(of: number).map { records[$0].settings.name } ?? "uplink \(number)"
    }

    /// Everything that time alone brings about, then the choice, then the next deadline.
    private mutating func advance(to now: Moment) {
        endPin(at: now)
        for index in records.indices {
            expireProbes(of: index, at: now)
            judge(index, at: now)
            endHoldAndDrain(of: index, at: now)
        }
        if needsChoice { choose(at: now) }
        for index in records.indices {
            probe(index, at: now)
            keepAlive(index, at: now)
            wantSpeedClass(of: index, at: now)
        }
        nextDeadline = deadline(after: now)
    }

    private mutating func endPin(at now: Moment) {
        guard let pin, let until = pin.until, until <= now else { return }
        self.pin = nil
        outputs += [.event(.pinEnded(pin.uplink, reason: "its time is over")), .remember]
        cause = "the pin on \(name(pin.uplink)) ended"
        needsChoice = true
    }

    private func deadline(after now: Moment) -> Moment? {
        var next = pin?.until
        func sooner(_ moment: Moment?) {
            guard let moment else { return }
            next = min(next ?? moment, moment)
        }
        for record in records {
            for probe in record.outstanding where !probe.isLost { sooner(probe.lossAt) }
            if record.suspicion != nil { sooner(suspicionDeadline(record, after: now)) }
            sooner(record.nextProbe)
            if let holdUntil = record.holdUntil, holdUntil > now { sooner(holdUntil) }
            sooner(record.drainsUntil)
            sooner(record.sweepAt)
            if record.isPresent { sooner(record.keepalive?.nextLook) }
            sooner(record.speed?.nextTry)
            sooner(record.raisedUntil)
        }
        // Whatever is due now has been done. A deadline that is not in the future would make the daemon spin.
        return next.map { max($0, now + .milliseconds(1)) }
    }
}

/// What the engine takes from a policy, with the numbers the uplinks have.
package struct EngineSetup: Hashable, Sendable {
    package var uplinks: [(number: UplinkNumber, settings: Uplink)]
    /// Best first.
    package var order: [UplinkNumber]
    package var hold: Duration
    package var drain: Failover.Drain

    package init(policy: Policy, numbers: [String: UplinkNumber]) {
        uplinks = policy.uplinks.compactMap { uplink in numbers[uplink.name].map { ($0, uplink) } }
        order = policy.failover.order.flatMap(\.members).compactMap { numbers[$0.uplink] }
        hold = policy.failover.hold
        drain = policy.failover.drain
    }

    package static func == (a: Self, b: Self) -> Bool {
        a.order == b.order && a.hold == b.hold && a.drain == b.drain
            && a.uplinks.elementsEqual(b.uplinks) { $0.number == $1.number && $0.settings == $1.settings }
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(order)
        for uplink in uplinks { hasher.combine(uplink.settings) }
    }
}
