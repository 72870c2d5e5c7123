internal import WANModel

/// When which target is asked.
extension Engine {
    /// How often a metered uplink that is down is asked whether it is back.
    private static let meteredRetry: Duration = .seconds(60)
    private static let burstSpacing: Duration = .milliseconds(25)

    mutating func probe(_ index: Int, at now: Moment) {
        let due = records[index].nextProbe
        records[index].nextProbe = nil
        guard records[index].isPresent else { return }
        if let suspicion = records[index].suspicion, let due = suspicion.nextRound {
            if due <= now { burst(index, suspicion, at: now) }
            return
        }
        guard let interval = probeInterval(of: index) else { return }
        // Farther away than the interval: it was dormant, or the policy changed, and is needed sooner now.
        guard let due, due - now <= interval else {
            sendRound(of: index, at: now)
            records[index].nextProbe = now + interval
            return
        }
        records[index].nextProbe = due
        guard due <= now else { return }
        sendTurn(of: index, at: now)
        records[index].nextProbe = now - due >= interval ? now + interval : due + interval
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

    /// How often to ask; `nil`: only the keepalive.
    private func probeInterval(of index: Int) -> Duration? {
        let interval = records[index].settings.probe.interval
        guard isDormant(index) else { return interval }
        return records[index].state == .down ? max(interval, Self.meteredRetry) : nil
    }

    /// A metered uplink that nobody needs now: a selected one works, or another box does.
    func isDormant(_ index: Int) -> Bool {
        let record = records[index]
        guard record.settings.metered, record.state != .proving else { return false }
        let isNeeded = isUsed(record.number) && !isBackup
        guard !isNeeded, isBackup || !share.isEmpty else { return false }
        // It was down and answers again: find out now whether it is back, not with one probe a minute.
        if record.state == .down, record.answeredInRow > 0 { return false }
        // Old flows that finish here would hang if it died unseen.
        if pin?.uplink == record.number || !record.departures.isEmpty || record.graceUntil != nil { return false }
        return isBackup
            || share.contains { number in self.index(of: number).map { records[$0].state.isUsable } ?? false }
    }

    mutating func sendRound(of index: Int, at now: Moment) {
        for target in records[index].targets.indices { send(target, of: index, isSample: false, at: now) }
    }

    mutating func sendTurn(of index: Int, at now: Moment) {
        let count = records[index].targets.count
        guard count > 0 else { return }
        let allQuiet = records[index].targets.allSatisfy(\.isQuiet)
        for _ in 0..<count {
            let target = records[index].turn % count
            records[index].turn = (target + 1) % count
            let isQuiet = records[index].targets[target].isQuiet
            guard records[index].targets[target].takesTurn() || allQuiet else { continue }
            send(target, of: index, isSample: true, at: now)
            // A quiet target's turn is an extra one: it must not delay the question to one that answers.
            if !isQuiet || allQuiet { return }
        }
    }

    private mutating func send(_ target: Int, of index: Int, isSample: Bool, at now: Moment) {
        sequence += 1
        let lossAt = now + records[index].lossInterval(of: target)
        records[index].outstanding.append(
            OutstandingProbe(
                sequence: sequence, purpose: .target(target, isSample: isSample), sentAt: now, lossAt: lossAt))
        outputs.append(
            .probe(
                ProbeIdentity(
                    uplink: records[index].number, target: records[index].targets[target].address, sequence: sequence)))
    }
}
