internal import WANModel

/// Which speed class a SIM is to have, and what came of asking for it.
extension Engine {
    /// The expensive class while traffic is on the SIM, drains from it, or is likely to come; the cheap one otherwise.
    mutating func wantSpeedClass(of index: Int, at now: Moment) {
        guard let settings = records[index].settings.soracom, records[index].speed != nil else { return }
        if isLikelyNext(index, at: now) {
            records[index].raisedUntil = now + .seconds(10)
        } else if let until = records[index].raisedUntil, until <= now {
            records[index].raisedUntil = nil
        }
        let record = records[index]
        let isCarrying =
            isUsed(record.number) && !isBackup || !record.departures.isEmpty || record.graceUntil != nil
            || record.raisedUntil != nil
        let wanted = record.speedOverride ?? (isCarrying && !record.isDisabled ? settings.selected : settings.standby)
        records[index].speed?.want(wanted, at: now)
        if let speedClass = records[index].speed?.due(at: now) {
            outputs.append(.setSpeedClass(record.number, speedClass))
        }
    }

    /// The selected uplink is half way to a verdict and this one would take over.
    private func isLikelyNext(_ index: Int, at now: Moment) -> Bool {
        guard !isBackup, let selected = share.first, let doubtful = self.index(of: selected), doubtful != index,
            let suspicion = records[doubtful].suspicion, !suspicion.exonerated, records[doubtful].state == .suspect,
            ladder.dropFirst(share.count).first == records[index].number
        else { return false }
        let evidence = records[doubtful].targets.reduce(0) { $0 + $1.evidence }
        return suspicion.answeredTargets.isEmpty && evidence <= Suspicion.certainty / 2
            && now - suspicion.since >= records[doubtful].patience / 2
    }

    mutating func speedClassAnswered(_ uplink: UplinkNumber, _ answer: SpeedClassAnswer, at now: Moment) {
        guard let index = index(of: uplink), let asked = records[index].speed?.inFlight ?? records[index].speed?.wanted
        else { return }
        let before = records[index].speed
        records[index].speed?.handle(answer, at: now)
        let note: String
        switch answer {
        case .confirmed(let speedClass, let via):
            // Asked once more to be sure, and it is so.
            if before?.confirmed == speedClass { return }
            note = "confirmed by SORACOM's \(via)"
        case .failed(let text, _, _):
            // Tried again for as long as it takes, but told once for each wish and reason.
            if let before, before.failures > 0, before.lastFailure == text { return }
            note = text
        }
        outputs.append(
            .event(.speedClass(uplink, wanted: asked, confirmed: records[index].speed?.confirmed, note: note)))
    }
}
