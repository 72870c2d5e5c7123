internal import NetworkTypes
package import WANModel

/// Decides which uplink carries the traffic, what to probe when, and what to tell whom.
///
/// A value without sockets, clock, files or log: inputs come in with the moment they happened, outputs come out, and
/// `nextDeadline` says when it next wants `.deadlineReached`. One input, then all its outputs, then the next input. The same
/// inputs always give the same outputs, so a fault in the field is a file of inputs.
package struct Engine: Hashable, Sendable {
    var records: [UplinkRecord] = []
    /// Classes of traffic, that of `failover` first.
    var classes: [ClassRecord] = []
    var failover: Failover
    package internal(set) var pin: Selection.Pin?
    /// The uplinks that carry what follows `failover`, and behind them those the kernel may fall to by itself, best first.
    var ladder: [UplinkNumber]
    var lastSwitch = Switch(cause: "found at start")
    let startedAt: Moment
    /// Where routes of an earlier run led: hold times of the others were running when it ended, so none may be skipped now.
    let adopted: UplinkNumber?
    /// Another box of the site carries the traffic: what costs money rests, whatever the choice here would be.
    package internal(set) var isBackup = false
    /// Where the uplinks are attached was told. Before that nothing may be chosen, or what an earlier run had chosen would be
    /// lost.
    var knowsUplinks = false
    var sequence: UInt64 = 0
    var outputs: [EngineOutput] = []
    var pendingChoice: ChoiceRequest?
    /// Targets at fault on every line, so that it is said once.
    var faultyTargets: Set<IPAddress> = []
    package private(set) var nextDeadline: Moment?

    /// `adopted`: the uplink that the routes found in the kernel lead to, from an earlier run. It is stayed with until there
    /// is evidence against it.
    package init(
        setup: EngineSetup, adopted: UplinkNumber? = nil, memory: EngineMemory = EngineMemory(), at now: Moment
    ) {
        failover = setup.failover
        startedAt = now
        self.adopted = adopted
        ladder = adopted.map { [$0] } ?? []
        apply(setup, at: now)
        recall(memory)
    }

    package mutating func handle(_ input: EngineInput, at now: Moment) -> [EngineOutput] {
        switch input {
        case .attached(let reports):
            knowsUplinks = true
            for report in reports { attached(report.uplink, report.attachment, reason: report.reason, at: now) }
        case .answered(let reports): for report in reports { answered(report.probe, rtt: report.rtt, at: now) }
        case .notSent(let probe, let text):
            if let index = index(of: probe.uplink) { records[index].lastSendFailure = text }
        case .counters(let uplink, let counters): counted(uplink, counters, at: now)
        case .operatorCommand(let command): obey(command, at: now)
        case .speedClass(let uplink, let answer): speedClassAnswered(uplink, answer, at: now)
        case .drainSettled(let uplink, let reason):
            // Before the first look all lines seem gone, and more would move than the drain was about.
            if knowsUplinks, let index = index(of: uplink) {
                endDrains(of: index, Set(records[index].departures.keys), reason, at: now)
            }
        case .ledAstray(let uplink):
            if let index = index(of: uplink), !isUsed(uplink) {
                drainAll(of: index, at: now)
                outputs.append(.remember)
            }
        case .isBackup(let isBackup): standBy(isBackup, at: now)
        case .reload(let setup): reload(setup, at: now)
        case .deadlineReached: break
        }
        if knowsUplinks { advance(to: now) }
        defer { outputs.removeAll(keepingCapacity: true) }
        return outputs
    }

    /// Uplinks of `failover`, best first.
    var order: [UplinkNumber] { classes.first?.settings.steps.flatMap { $0.map(\.uplink) } ?? [] }

    /// The uplinks that carry what follows `failover`.
    var share: [UplinkNumber] { classes.first?.choice.active ?? [] }

    package var decision: Decision {
        Decision(
            ladder: ladder, share: share, previous: lastSwitch.previous, cause: lastSwitch.cause,
            manual: lastSwitch.manual, faultSince: lastSwitch.faultSince, drains: lastSwitch.drains)
    }

    /// Where each class of traffic goes, in the order of `EngineSetup.classes`.
    package var choices: [ClassChoice] { classes.map(\.choice) }

    /// Uplinks with old flows that may finish there, and whose: classes by their index in `EngineSetup.classes`.
    package var draining: [UplinkNumber: Set<Int>] {
        Dictionary(uniqueKeysWithValues: records.map { ($0.number, Set($0.departures.keys)) }).filter { !$1.isEmpty }
    }

    /// Known not to work, though it is there: what the router sends from its address must find another way.
    package func isDown(_ uplink: UplinkNumber) -> Bool {
        index(of: uplink).map { records[$0].state == .down } ?? false
    }

    /// Whether new flows of any class go there.
    func isUsed(_ uplink: UplinkNumber) -> Bool { classes.contains { $0.choice.active.contains(uplink) } }

    func index(of number: UplinkNumber) -> Int? { records.firstIndex { $0.number == number } }

    func name(_ number: UplinkNumber) -> String {
        index(of: number).map { records[$0].settings.name } ?? "uplink \(number)"
    }

    /// Everything that time alone brings about, in this order:
    ///
    /// 1. The pin ends.
    /// 2. Probes are lost, on all lines before any line is judged: whose fault a silence is depends on what others have lost.
    /// 3. Doubts are settled, and lines fall.
    /// 4. Holds, drains, graces and the wait for a sweep end: the verdict says what the end of a grace means.
    /// 5. One choice is made, with all of that.
    /// 6. Flows that a class has just left with no time to stay move, after the routes.
    /// 7. Probes are sent, counters looked at and speed classes asked for: which ones depends on the choice.
    private mutating func advance(to now: Moment) {
        endPin(at: now)
        for index in records.indices { expireProbes(of: index, at: now) }
        for index in records.indices { judge(index, at: now) }
        for index in records.indices {
            endHold(of: index, at: now)
            endDrainsInTime(of: index, at: now)
            endGrace(of: index, at: now)
            sweep(index, at: now)
        }
        choose(at: now)
        for index in records.indices { endDrainsInTime(of: index, at: now) }
        for index in records.indices {
            probe(index, at: now)
            keepAlive(index, at: now)
            wantSpeedClass(of: index, at: now)
        }
        // One that is not in the future is a mistake of ours, and must not keep a router's processor busy.
        nextDeadline = deadline(after: now).map { max($0, now + .milliseconds(1)) }
    }

    private mutating func endPin(at now: Moment) {
        guard let pin, let until = pin.until, until <= now else { return }
        self.pin = nil
        outputs += [.event(.pinEnded(pin.uplink, reason: "its time is over")), .remember]
        requestChoice(because: .pinEnd(name(pin.uplink)))
    }

    /// When time alone will bring something about. Whatever was due now has been done, so this is in the future.
    package func deadline(after now: Moment) -> Moment? {
        var first = Earliest()
        first.take(pin?.until)
        for index in records.indices { first.take(records[index].deadline(after: now)) }
        return first.moment
    }
}
