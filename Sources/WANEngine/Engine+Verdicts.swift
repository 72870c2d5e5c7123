internal import NetworkTypes
internal import WANModel

/// When a doubt is settled, whose fault it was, and what state that leaves a line in.
extension Engine {
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
            for targetIndex in asked {
                let target = records[other].targets[targetIndex]
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
        // What the operator takes out has not failed.
        if wasUsable, state != .disabled { records[index].countFailure(at: now) }
        setState(of: index, to: state, reason: reason, at: now)
        // Old flows may be on it even where no new ones were: it drained, they came in by it, or an earlier daemon did not get
        // that far.
        records[index].awaitsFlowDecision = true
        let isFault = wasUsable && share.contains(records[index].number)
        requestChoice(faultSince: isFault ? since ?? now : nil)
    }

    mutating func rise(_ index: Int, at now: Moment) {
        let count = records[index].answeredInRow
        spareLeft(index, at: now)
        records[index].suspicion = nil
        records[index].answeredInRow = 0
        for target in records[index].targets.indices {
            records[index].targets[target].forgetLosses()
            records[index].targets[target].window = LossWindow(length: UplinkRecord.window(records[index].settings))
        }
        setState(of: index, to: .up, reason: "\(count) probe\(count == 1 ? "" : "s") answered in a row", at: now)
        becomeGood(index, at: now)
    }

    /// Good from now on, and traffic may go back to it after its hold time.
    private mutating func becomeGood(_ index: Int, at now: Moment) {
        records[index].goodSince = now
        // What first comes up while the daemon starts was never seen to fail: there is nothing to wait for. Nor is there where it
        // carries the traffic already, and a box of a site that said otherwise would give the address away.
        let isFirst = adopted == nil || adopted == records[index].number && !isBackup
        let isNew = isFirst && records[index].flaps == 0 && now - startedAt < max(failover.hold, .seconds(5))
        let until = now + (isNew ? .zero : records[index].holdTime(failover.hold))
        records[index].holdUntil = until > now ? until : nil
    }

    mutating func checkQuality(of index: Int, at now: Moment) {
        let crossed = records[index].crossedLimit(at: now)
        switch (records[index].state, crossed) {
        case (.up, let limit?):
            setState(of: index, to: .degraded, reason: limit, at: now)
        case (.degraded, nil):
            setState(of: index, to: .up, reason: "within its quality limits again", at: now)
            becomeGood(index, at: now)
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
        // A doubt alone changes no route; that it passed may, where a better uplink waited. And what the router sends from the
        // address of a line that is down must find another way.
        if state != .suspect { requestChoice(needsRoute: before == .down || state == .down) }
    }
}
