internal import WANModel

/// What an answer or its absence means.
extension Engine {
    /// Late answers are still understood for so long.
    private static let memory: Duration = .seconds(10)
    /// A metered standby that answered so lately needs no waking; doubled for each waking that came to nothing.
    private static let freshness: Duration = .seconds(30)

    mutating func answered(_ identity: ProbeIdentity, rtt: Duration, at now: Moment) {
        guard let index = index(of: identity.uplink),
            let probeIndex = records[index].outstanding.firstIndex(where: { $0.sequence == identity.sequence })
        else { return }  // of a former attachment, or a duplicate
        let probe = records[index].outstanding.remove(at: probeIndex)
        records[index].lastAnswer = now
        guard case .target(let target, let isSample) = probe.purpose else {
            records[index].keepalive?.lostInARow = 0
            return
        }
        guard records[index].targets.indices.contains(target),
            records[index].targets[target].address == identity.target
        else { return }
        if records[index].backSince == nil { records[index].backSince = now }
        records[index].targets[target].answered(
            sentAt: probe.sentAt, rtt: rtt, at: now, wasLost: probe.isLost, isSample: isSample,
            endsSilence: !records[index].state.isUsable && !records[index].hasAnsweredOfLate(target),
            hasWaited: records[index].backSince.map { probe.sentAt < $0 } ?? false)
        faultyTargets.remove(identity.target)
        if let since = records[index].suspicion?.since, probe.sentAt >= since {
            records[index].suspicion?.answeredTargets.insert(target)
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
        for probeIndex in records[index].outstanding.indices {
            let probe = records[index].outstanding[probeIndex]
            guard !probe.isLost, probe.lossAt <= now else { continue }
            records[index].outstanding[probeIndex].isLost = true
            lost(probe, of: index, at: now)
        }
        if let oldest = records[index].outstanding.first, now - oldest.sentAt > Self.memory {
            records[index].outstanding.removeAll { $0.isLost && now - $0.sentAt > Self.memory }
        }
    }

    private mutating func lost(_ probe: OutstandingProbe, of index: Int, at now: Moment) {
        guard case .target(let target, let isSample) = probe.purpose else {
            let inARow = (records[index].keepalive?.lostInARow ?? 0) + 1
            records[index].keepalive?.lostInARow = inARow
            outputs.append(.event(.keepaliveLost(records[index].number, inARow: inARow)))
            if records[index].state.isUsable, !records[index].hasAnsweredSince(probe.sentAt) {
                suspect(index, since: probe.sentAt, at: now)
            }
            return
        }
        guard records[index].targets.indices.contains(target) else { return }
        let hadAnswered = records[index].hasAnsweredOfLate(target)
        records[index].targets[target].lost(at: now, isSample: isSample)
        switch records[index].state {
        case .down:
            // A target that has been silent since the line went down may itself be dead and spoils nothing.
            if hadAnswered { records[index].answeredInRow = 0 }
        case .proving, .up, .degraded:
            if records[index].isLoud(target), !records[index].hasAnsweredSince(probe.sentAt) {
                suspect(index, since: probe.sentAt, at: now)
            }
            checkQuality(of: index, at: now)
        default: break
        }
        if records[index].isLoud(target) { records[index].suspicion?.lostInARow += 1 }
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
        if isUsed(records[index].number) { wakeStandbys(at: now) }
    }

    /// An uplink that carries traffic is in doubt: see that the others are proven by the time they are needed.
    private mutating func wakeStandbys(at now: Moment) {
        for index in records.indices where !isUsed(records[index].number) && records[index].isPresent {
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
}
