internal import WANModel

/// What the evidence says about a suspicion.
enum Verdict: Hashable, Sendable {
    case open
    case cleared
    case down(String)
}

extension UplinkRecord {
    private var quorum: Int { min(settings.probe.quorum, max(targets.count, 1)) }

    /// Targets whose loss raises suspicion: those that usually answer, or all where none does.
    func isLoud(_ target: Int) -> Bool { !targets[target].isQuiet || targets.allSatisfy(\.isQuiet) }

    /// Whether probes sent then or later were answered by enough targets: a probe lost before that is no silence.
    ///
    /// Without this the lost part of one burst would start the next one, and a bad line be flooded with probes.
    func hasAnsweredSince(_ moment: Moment) -> Bool {
        targets.filter { $0.answeredSince.map { $0 >= moment } ?? false }.count >= quorum
    }

    /// Whether the target has answered a probe of the state that the line is in.
    func hasAnsweredOfLate(_ target: Int) -> Bool { targets[target].answeredSince.map { $0 > since } ?? false }

    func verdict(at now: Moment) -> Verdict {
        guard let suspicion else { return .open }
        if suspicion.answeredTargets.count >= quorum { return .cleared }
        let needed = suspicion.receiverMoves ? patience + RTTEstimator.bounds.upperBound : patience
        guard now - suspicion.since >= needed else { return .open }
        let isDown =
            switch settings.probe.confirm {
            case .auto: convinced(suspicion)
            case .rounds(let rounds, _): suspicion.rounds >= rounds && now >= suspicion.lastRoundExpires
            case .off:
                // With a quorum of one any answer counts; with more, so many targets must be silent that it cannot be met.
                quorum == 1
                    ? suspicion.lostInARow >= settings.probe.fall
                    : targets.filter { $0.unanswered >= settings.probe.fall }.count > targets.count - quorum
            }
        return isDown ? .down(evidenceText(suspicion, at: now)) : .open
    }

    /// The sequential test over the targets that would have to answer for the quorum.
    private func convinced(_ suspicion: Suspicion) -> Bool {
        let silent = targets.indices.filter { !suspicion.answeredTargets.contains($0) }
        // So many silent targets make the quorum impossible; take those with the strongest evidence.
        let decisive = silent.sorted { targets[$0].evidence < targets[$1].evidence }
            .prefix(targets.count - quorum + 1)
        guard decisive.allSatisfy({ targets[$0].unanswered > 0 || !isLoud($0) }) else { return false }
        return decisive.reduce(0) { $0 + targets[$1].evidence } <= Suspicion.certainty
    }

    /// Targets that speak against the line.
    func silentTargets(_ suspicion: Suspicion) -> [Int] {
        targets.indices.filter { isLoud($0) && !suspicion.answeredTargets.contains($0) && targets[$0].unanswered > 0 }
    }

    private func evidenceText(_ suspicion: Suspicion, at now: Moment) -> String {
        let silence = (now - suspicion.since).nanoseconds / 1_000_000
        let counted =
            switch settings.probe.confirm {
            case .off: "\(suspicion.lostInARow) probes in a row lost, silence of \(silence) ms"
            default:
                "\(suspicion.answeredTargets.count) of \(targets.count) targets answered "
                    + "\(suspicion.rounds) rounds in \(silence) ms"
            }
        let failure = lastSendFailure.map { "; the kernel says: \($0)" } ?? ""
        return "\(counted); \(suspicion.receiverText)\(failure)"
    }

    /// Whether enough probes were answered in a row to be good again.
    var hasRisen: Bool {
        let answering = targets.filter(\.isAnswering).count
        guard answering >= quorum else { return false }
        return state == .proving && flaps == 0 ? answeredInRow >= 1 : answeredInRow >= settings.probe.rise
    }
}
