internal import NetworkTypes
internal import WANModel

/// From states to a decision, and what a decision brings with it.
extension Engine {
    mutating func choose(at now: Moment) {
        needsChoice = false
        if let pin, pin.force, let index = index(of: pin.uplink), records[index].state.isUsable {
            // Forced onto an uplink that did not work: it does now, so from here on it is a pin like any other.
            self.pin?.force = false
            outputs.append(.remember)
        }
        // An uplink that stands in no order carries traffic only while it is pinned.
        let eligible = order + (pin.map { order.contains($0.uplink) ? [] : [$0.uplink] } ?? [])
        let ordered = eligible.compactMap { index(of: $0) }
        let selection = Selection(
            candidates: ordered.map { index in
                let record = records[index]
                return Selection.Candidate(
                    number: record.number, state: record.state, isPresent: record.isPresent,
                    isDrained: record.isDrained, isHeld: record.holdUntil.map { $0 > now } ?? false)
            }, current: decision.selected.flatMap { eligible.contains($0) ? $0 : nil }, pin: pin)
        let ladder = selection.ladder()
        defer {
            cause = nil
            causedByOperator = false
            faultSince = nil
        }
        guard ladder != decision.ladder || (ladder.isEmpty && decision.previous != nil) else { return }
        let before = decision.selected
        let after = ladder.first
        guard before != after else {
            // Only what stands behind the selected one changed.
            decision.ladder = ladder
            outputs.append(.route(decision))
            return
        }
        let leaving = before.flatMap { index(of: $0) }
        let drains = leaving.map { self.drains($0) } ?? false
        decision = Decision(
            ladder: ladder, previous: before, cause: cause ?? explain(leaving: leaving, for: after),
            manual: causedByOperator,
            faultSince: faultSince, drains: drains)
        outputs.append(.route(decision))
        if let leaving { leave(leaving, drains: drains, at: now) }
        if let after, let arriving = index(of: after) {
            records[arriving].drainsUntil = nil
            records[arriving].sweepAt = nil
            records[arriving].idleWakes = 0
        }
        outputs += [.event(.selected(decision)), .remember]
    }

    /// Whether flows can finish on an uplink that is left. One still being proved after a start may well carry some.
    private func drains(_ index: Int) -> Bool {
        records[index].isPresent && (records[index].state.isUsable || records[index].state == .proving)
    }

    private mutating func leave(_ index: Int, drains: Bool, at now: Moment) {
        if drains {
            let metered = records[index].settings.metered
            records[index].drainsUntil = now + (metered ? drain.metered : drain.default)
        } else {
            moveFlows(of: index, at: now)
        }
    }

    mutating func moveFlows(of index: Int, at now: Moment) {
        records[index].drainsUntil = nil
        records[index].sweepAt = now + .seconds(1)
        outputs.append(.moveFlows(records[index].number, sweep: 1))
    }

    private func explain(leaving: Int?, for after: UplinkNumber?) -> String {
        if let leaving, !drains(leaving) {
            return "\(records[leaving].settings.name) \(records[leaving].state.rawValue): \(records[leaving].reason)"
        }
        if let leaving, records[leaving].state == .degraded {
            return "\(records[leaving].settings.name) degraded: \(records[leaving].reason)"
        }
        guard let after, let arriving = index(of: after) else { return "no uplink is left" }
        let record = records[arriving]
        if pin?.uplink == after { return "\(record.settings.name) is pinned by the operator and good again" }
        if record.flaps > 0 {
            return "\(record.settings.name) has been good for \(record.holdTime(hold).policyText)"
        }
        return "\(record.settings.name) answers and stands \(leaving == nil ? "first" : "higher") in the order"
    }

    mutating func endHoldAndDrain(of index: Int, at now: Moment) {
        if let holdUntil = records[index].holdUntil, holdUntil <= now {
            records[index].holdUntil = nil
            needsChoice = true
        }
        if let until = records[index].drainsUntil, until <= now || !drains(index) {
            moveFlows(of: index, at: now)
            outputs.append(.event(.drained(records[index].number)))
        }
        if let sweepAt = records[index].sweepAt, sweepAt <= now {
            records[index].sweepAt = nil
            outputs.append(.moveFlows(records[index].number, sweep: 2))
        }
    }

    mutating func attached(_ uplink: UplinkNumber, _ attachment: Attachment?, reason: String, at now: Moment) {
        guard let index = index(of: uplink), records[index].attachment != attachment else {
            if let index = index(of: uplink), attachment == nil, !records[index].isDisabled {
                records[index].reason = reason
            }
            return
        }
        let before = records[index].attachment
        records[index].attachment = attachment
        guard !records[index].isDisabled else { return }
        guard let attachment else {
            fall(index, to: .absent, reason: reason, at: now)
            return
        }
        // Another interface, address or gateway: what was learned of the old line does not hold for this one, and its flows
        // carry a source address that is gone.
        let isSelected = decision.selected == uplink
        if let before {
            if records[index].state.isUsable, before.interfaceIndex != attachment.interfaceIndex {
                records[index].countFailure(at: now)
            }
            let isAnew = before.interfaceIndex != attachment.interfaceIndex
            if isAnew || !before.addresses.allSatisfy(attachment.addresses.contains) {
                moveFlows(of: index, at: now)
                // A sweep a second later would tear what has begun since with the new address.
                if isSelected { records[index].sweepAt = nil }
            }
        }
        records[index].forgetProbes()
        for target in records[index].targets.indices { records[index].targets[target].isAnswering = false }
        records[index].nextProbe = nil
        records[index].keepalive = records[index].settings.keepalive.map { KeepaliveRecord($0, at: now) }
        setState(of: index, to: .proving, reason: reason, at: now)
        needsChoice = true
        if isSelected || decision.ladder.contains(uplink) { outputs.append(.route(decision)) }
    }
}
