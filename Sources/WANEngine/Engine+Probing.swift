internal import NetworkTypes
internal import WANModel

/// When which target is asked, and what an answer or its absence means.
extension Engine {
    /// Late answers are still understood for so long.
    private static let memory: Duration = .seconds(10)
    /// How often a metered uplink that is down is asked whether it is back.
    private static let meteredRetry: Duration = .seconds(60)
    /// A metered standby that answered so lately needs no waking; doubled for each waking that came to nothing.
    private static let freshness: Duration = .seconds(30)
    private static let burstSpacing: Duration = .milliseconds(25)
    private static let keepaliveLossInterval: Duration = .seconds(5)

    // MARK: answers and losses

    mutating func answered(_ identity: ProbeIdentity, rtt: Duration, at now: Moment) {
        guard let index = index(of: identity.uplink),
            let place = records[index].outstanding.firstIndex(where: { $0.sequence == identity.sequence })
        else { return }  // of a former attachment, or a duplicate
        let probe = records[index].outstanding.remove(at: place)
        records[index].lastAnswer = now
        if probe.purpose == .keepalive {
            records[index].keepalive?.lastAnswered = now
            records[index].keepalive?.lostInARow = 0
            return
        }
        guard records[index].targets.indices.contains(probe.target),
            records[index].targets[probe.target].address == identity.target
        else { return }
        records[index].targets[probe.target].answered(
            sentAt: probe.sentAt, rtt: rtt, at: now, wasLost: probe.isLost, isSample: probe.purpose == .regular)
        faultyTargets.remove(identity.target)
        if let since = records[index].suspicion?.since, probe.sentAt >= since {
            records[index].suspicion?.answeredTargets.insert(probe.target)
            records[index].suspicion?.lostInARow = 0
        }
        switch records[index].state {
        case .proving, .down:
            records[index].answeredInRow += 1
            if records[index].hasRisen { rise(index, at: now) }
        case .up, .degraded: checkQuality(of: index, at: now)
        default: break
        }
    }

    mutating func expireProbes(of index: Int, at now: Moment) {
        guard !records[index].outstanding.isEmpty else { return }
        for place in records[index].outstanding.indices {
            let probe = records[index].outstanding[place]
            guard !probe.isLost, probe.lossAt <= now else { continue }
            records[index].outstanding[place].isLost = true
            lost(probe, of: index, at: now)
        }
        if let oldest = records[index].outstanding.first, now - oldest.sentAt > Self.memory {
            records[index].outstanding.removeAll { $0.isLost && now - $0.sentAt > Self.memory }
        }
    }

    private mutating func lost(_ probe: OutstandingProbe, of index: Int, at now: Moment) {
        if probe.purpose == .keepalive {
            let inARow = (records[index].keepalive?.lostInARow ?? 0) + 1
            records[index].keepalive?.lostInARow = inARow
            outputs.append(.event(.keepaliveLost(records[index].number, inARow: inARow)))
            if records[index].state.isUsable, !records[index].hasAnsweredSince(probe.sentAt) {
                suspect(index, since: probe.sentAt, at: now)
            }
            return
        }
        guard records[index].targets.indices.contains(probe.target) else { return }
        let hadAnswered = records[index].targets[probe.target].answeredSince.map { $0 > records[index].since } ?? false
        records[index].targets[probe.target].lost(at: now, isSample: probe.purpose == .regular)
        switch records[index].state {
        case .down:
            // A target that has been silent since the line went down may itself be dead and spoils nothing.
            if hadAnswered { records[index].answeredInRow = 0 }
        case .proving, .up, .degraded:
            if records[index].isLoud(probe.target), !records[index].hasAnsweredSince(probe.sentAt) {
                suspect(index, since: probe.sentAt, at: now)
            }
            checkQuality(of: index, at: now)
        default: break
        }
        if records[index].isLoud(probe.target) { records[index].suspicion?.lostInARow += 1 }
    }

    private mutating func suspect(_ index: Int, since: Moment, at now: Moment) {
        guard records[index].suspicion == nil, records[index].isPresent else { return }
        records[index].suspicion = Suspicion(
            since: since, startedAt: now, nextRound: records[index].settings.probe.confirm == .off ? nil : now,
            lastRoundExpires: now)
        guard records[index].state != .proving else { return }
        records[index].calmState = records[index].state
        records[index].calmSince = records[index].since
        records[index].calmReason = records[index].reason
        setState(of: index, to: .suspect, reason: "a probe was lost; asking all targets", at: now)
        outputs.append(.sampleCounters(records[index].number))
        if decision.selected == records[index].number { wakeStandbys(at: now) }
    }

    /// The selected uplink is in doubt: see that the others are proven by the time they are needed.
    private mutating func wakeStandbys(at now: Moment) {
        for index in records.indices where records[index].number != decision.selected && records[index].isPresent {
            if isDormant(index) {
                let rest = Self.freshness * (1 << min(records[index].idleWakes, 6))
                // One that is down is asked whenever there is doubt: it may be needed, and nobody knows that it is back.
                let isDown = records[index].state == .down
                if !isDown, let last = records[index].lastAnswer, now - last < rest { continue }
                records[index].idleWakes += 1
                sendTurn(of: index, at: now)
            } else if records[index].suspicion == nil {
                sendRound(of: index, at: now)
            }
        }
    }

    // MARK: verdicts

    mutating func judge(_ index: Int, at now: Moment) {
        guard let suspicion = records[index].suspicion else { return }
        switch records[index].verdict(at: now) {
        case .open: break
        case .cleared:
            for target in records[index].targets.indices { records[index].targets[target].believeLosses() }
            records[index].suspicion = nil
            records[index].lastSendFailure = nil
            if records[index].state == .suspect {
                setState(of: index, to: records[index].calmState, reason: records[index].calmReason, at: now)
                records[index].since = records[index].calmSince
                checkQuality(of: index, at: now)
            }
        case .down(let evidence):
            if records[index].state != .proving {
                switch blame(index, suspicion, at: now) {
                case .line: break
                case .notKnownYet: return
                case .targets(let excuse):
                    if !suspicion.exonerated {
                        records[index].suspicion?.exonerated = true
                        records[index].reason = excuse
                    }
                    guard now - suspicion.since >= Self.darkness, nothingAnswers() else { return }
                    // Nobody can tell targets from lines any more. Where nothing is usable the choice stays as it is, so all
                    // that changes is what people are told.
                    return fall(index, to: .down, reason: "no target answers on any uplink", at: now)
                }
            }
            fall(index, to: .down, reason: evidence, at: now)
        }
    }

    /// For so long a silence on all uplinks is called the targets' fault; then it is called by its name.
    private static let darkness: Duration = .seconds(10)

    private func nothingAnswers() -> Bool {
        records.allSatisfy { record in
            !record.isPresent || !record.state.isUsable
                || record.suspicion?.exonerated == true
                    && record.targets.allSatisfy { $0.unanswered > 0 || $0.isQuiet }
        }
    }

    private enum Blame {
        case line
        /// The only uplinks that could tell have been asked and their answer is still to come.
        case notKnownYet
        case targets(String)
    }

    /// A target that is lost on every uplink at once is the target's fault.
    ///
    /// A standby that was woken for this doubt is given the time its answer takes: that costs a round-trip where all other
    /// lines are dead, and keeps traffic off the metered one where it is the targets that are.
    private mutating func blame(_ index: Int, _ suspicion: Suspicion, at now: Moment) -> Blame {
        let silent = records[index].silentTargets(suspicion).map { records[index].targets[$0].address }
        guard !silent.isEmpty else { return .line }
        var witnesses = 0
        var isPending = false
        for other in records.indices where other != index && records[other].isPresent {
            guard records[other].state.isUsable || records[other].state == .proving else { continue }
            let asked = records[other].targets.indices.filter { silent.contains(records[other].targets[$0].address) }
            if asked.isEmpty {
                // Asks other targets and so cannot tell. But that several targets die at once while it works is less
                // likely than that the other lines share a fault; and there is a way out to go to.
                if silent.count > 1, records[other].isEligible { return .line }
                continue
            }
            guard asked.count == silent.count else { return .line }
            for place in asked {
                let target = records[other].targets[place]
                if let last = target.answeredSince, last >= suspicion.since { return .line }
                if target.unanswered >= 2 { continue }
                // It knows nothing new. Its answer is on the way, or (a standby that was not worth waking) it is asked now.
                guard now - suspicion.since < records[index].patience + RTTEstimator.bounds.upperBound else {
                    return .line
                }
                if records[other].suspicion == nil, !records[other].outstanding.contains(where: { !$0.isLost }) {
                    guard isDormant(other) else { return .line }
                    sendTurn(of: other, at: now)
                }
                isPending = true
            }
            witnesses += 1
        }
        if isPending { return .notKnownYet }
        guard witnesses > 0 else { return .line }
        let names = silent.map(\.description).joined(separator: ", ")
        let excuse = "\(names) \(silent.count == 1 ? "answers" : "answer") on no uplink: not this line's fault"
        let news = silent.filter { faultyTargets.insert($0).inserted }
        if let first = news.first { outputs.append(.event(.targetFault(first, reason: excuse))) }
        return .targets(excuse)
    }

    mutating func fall(_ index: Int, to state: UplinkState, reason: String, at now: Moment) {
        let wasUsable = records[index].state.isUsable
        let since = records[index].suspicion?.since
        records[index].forgetProbes()
        for target in records[index].targets.indices { records[index].targets[target].isAnswering = false }
        // What the operator takes out has not failed.
        if wasUsable, state != .disabled { records[index].countFailure(at: now) }
        setState(of: index, to: state, reason: reason, at: now)
        if decision.selected != records[index].number {
            // Old flows may still be on it: it drained, they came in by it, or an earlier daemon did not get that far.
            moveFlows(of: index, at: now)
        } else if wasUsable {
            faultSince = since ?? now
        }
        needsChoice = true
    }

    private mutating func rise(_ index: Int, at now: Moment) {
        let count = records[index].answeredInRow
        records[index].suspicion = nil
        records[index].answeredInRow = 0
        for target in records[index].targets.indices {
            records[index].targets[target].forgetLosses()
            records[index].targets[target].beginWindow(UplinkRecord.window(records[index].settings))
        }
        setState(of: index, to: .up, reason: "\(count) probe\(count == 1 ? "" : "s") answered in a row", at: now)
        becomeGood(index, at: now)
        needsChoice = true
    }

    /// Good from now on; how long until traffic may go back to it.
    func holdTime(of index: Int, at now: Moment) -> Duration {
        // What first comes up while the daemon starts was never seen to fail: there is nothing to wait for.
        if !isTakingOver, records[index].flaps == 0, now - startedAt < max(hold, .seconds(5)) { return .zero }
        return records[index].holdTime(hold)
    }

    private mutating func becomeGood(_ index: Int, at now: Moment) {
        records[index].goodSince = now
        let until = now + holdTime(of: index, at: now)
        records[index].holdUntil = until > now ? until : nil
    }

    private mutating func checkQuality(of index: Int, at now: Moment) {
        let crossed = records[index].crossedLimit(at: now)
        switch (records[index].state, crossed) {
        case (.up, let limit?):
            setState(of: index, to: .degraded, reason: limit, at: now)
            needsChoice = true
        case (.degraded, nil):
            setState(of: index, to: .up, reason: "within its quality limits again", at: now)
            becomeGood(index, at: now)
            needsChoice = true
        default: break
        }
    }

    mutating func setState(of index: Int, to state: UplinkState, reason: String, at now: Moment) {
        let before = records[index].state
        records[index].reason = reason
        guard before != state else { return }
        records[index].state = state
        records[index].since = now
        outputs.append(.event(.state(records[index].number, from: before, to: state, reason: reason)))
        // A doubt alone changes no route; that it passed may, where a better uplink waited.
        if state != .suspect { needsChoice = true }
    }

    // MARK: sending

    mutating func probe(_ index: Int, at now: Moment) {
        guard records[index].isPresent else {
            records[index].nextProbe = nil
            return
        }
        if let suspicion = records[index].suspicion, let due = suspicion.nextRound {
            if due <= now { burst(index, suspicion, at: now) }
            records[index].nextProbe = nil
            return
        }
        guard let interval = probeInterval(of: index) else {
            records[index].nextProbe = nil
            return
        }
        // Farther away than the interval: it was dormant, or the policy changed, and is needed sooner now.
        guard let due = records[index].nextProbe, due - now <= interval else {
            sendRound(of: index, at: now)
            records[index].nextProbe = now + interval
            return
        }
        guard due <= now else { return }
        sendTurn(of: index, at: now)
        records[index].nextProbe = now - due > interval ? now + interval : due + interval
    }

    private mutating func burst(_ index: Int, _ suspicion: Suspicion, at now: Moment) {
        sendRound(of: index, at: now)
        let longest = records[index].targets.indices.map { records[index].lossInterval(of: $0) }.max() ?? .zero
        records[index].suspicion?.rounds += 1
        // The verdict falls when the last of the rounds asked for is over; those after it must not put it off for ever.
        if case .rounds(let rounds, _) = records[index].settings.probe.confirm, suspicion.rounds >= rounds {
        } else {
            records[index].suspicion?.lastRoundExpires = now + longest
        }
        let nextRound = now + spacing(of: index, suspicion, at: now)
        records[index].suspicion?.nextRound = nextRound
        if suspicion.rounds > 0, records[index].state == .suspect {
            outputs.append(.sampleCounters(records[index].number))
        }
    }

    /// A burst that drags on slows down to the ordinary interval: the line is bad or the targets are dead, and no hurry helps.
    private func spacing(of index: Int, _ suspicion: Suspicion, at now: Moment) -> Duration {
        let settings = records[index].settings.probe
        if suspicion.exonerated {
            return max(settings.interval, records[index].settings.metered ? .seconds(5) : .seconds(1))
        }
        if case .rounds(_, let spacing) = settings.confirm { return spacing }
        let age = now - suspicion.startedAt
        let doublings = min(age.nanoseconds / 1_000_000_000, 5)
        let spacing = Self.burstSpacing * (1 << Int(doublings))
        return records[index].state == .proving ? max(spacing, min(settings.interval, .milliseconds(250))) : spacing
    }

    func suspicionDeadline(_ record: UplinkRecord, after now: Moment) -> Moment? {
        guard let suspicion = record.suspicion else { return nil }
        let patience = suspicion.since + record.patience
        let candidates = [suspicion.nextRound, patience > now ? patience : nil, suspicion.lastRoundExpires]
        return candidates.compactMap { $0 }.filter { $0 > now }.min()
    }

    /// How often to ask; `nil`: only the keepalive.
    private func probeInterval(of index: Int) -> Duration? {
        let record = records[index]
        if isDormant(index) {
            return record.state == .down ? max(record.settings.probe.interval, Self.meteredRetry) : nil
        }
        return record.settings.probe.interval
    }

    /// A metered uplink that nobody needs now: the selected one works.
    func isDormant(_ index: Int) -> Bool {
        let record = records[index]
        guard record.settings.metered, record.state != .proving else { return false }
        guard let selected = decision.selected, selected != record.number, let other = self.index(of: selected) else {
            return false
        }
        // It was down and answers again: find out now whether it is back, not with one probe a minute.
        if record.state == .down, record.answeredInRow > 0 { return false }
        // Old flows that finish here would hang if it died unseen.
        if pin?.uplink == record.number || record.drainsUntil != nil { return false }
        switch records[other].state {
        case .up, .degraded, .suspect: return true
        case .absent, .proving, .down, .disabled: return false
        }
    }

    mutating func sendRound(of index: Int, at now: Moment) {
        for target in records[index].targets.indices { send(target, of: index, for: .burst, at: now) }
    }

    private mutating func sendTurn(of index: Int, at now: Moment) {
        let count = records[index].targets.count
        guard count > 0 else { return }
        let allQuiet = records[index].targets.allSatisfy(\.isQuiet)
        for _ in 0..<count {
            let target = records[index].turn % count
            records[index].turn = (target + 1) % count
            let isQuiet = records[index].targets[target].isQuiet
            guard records[index].targets[target].takesTurn() || allQuiet else { continue }
            send(target, of: index, for: .regular, at: now)
            // A quiet target's turn is an extra one: it must not delay the question to one that answers.
            if !isQuiet || allQuiet { return }
        }
    }

    private mutating func send(
        _ target: Int, of index: Int, for purpose: OutstandingProbe.Purpose, at now: Moment
    ) {
        sequence += 1
        let lossAt = now + records[index].lossInterval(of: target)
        records[index].outstanding.append(
            OutstandingProbe(sequence: sequence, target: target, sentAt: now, lossAt: lossAt, purpose: purpose))
        outputs.append(
            .probe(
                ProbeIdentity(
                    uplink: records[index].number, target: records[index].targets[target].address, sequence: sequence)))
    }

    // MARK: counters and keepalive

    mutating func counted(_ uplink: UplinkNumber, _ counters: InterfaceCounters, at now: Moment) {
        guard let index = index(of: uplink) else { return }
        if var suspicion = records[index].suspicion {
            suspicion.countersAtStart = suspicion.countersAtStart ?? counters
            suspicion.countersNow = counters
            records[index].suspicion = suspicion
        }
        guard records[index].isPresent, records[index].keepalive?.looked(counters, at: now) == true,
            let target = records[index].keepalive?.settings.target
        else { return }
        sequence += 1
        records[index].keepalive?.sent(at: now)
        records[index].outstanding.append(
            OutstandingProbe(
                sequence: sequence, target: -1, sentAt: now, lossAt: now + Self.keepaliveLossInterval,
                purpose: .keepalive))
        outputs += [
            .probe(ProbeIdentity(uplink: uplink, target: target, sequence: sequence)), .event(.keepaliveSent(uplink)),
        ]
    }

    mutating func keepAlive(_ index: Int, at now: Moment) {
        guard records[index].isPresent, let look = records[index].keepalive?.nextLook, look <= now else { return }
        records[index].keepalive?.looking(at: now)
        outputs.append(.sampleCounters(records[index].number))
    }
}
