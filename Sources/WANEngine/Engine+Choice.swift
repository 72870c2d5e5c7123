internal import NetworkTypes
internal import WANModel

/// From states to a decision for every class of traffic, and what a decision brings with it.
extension Engine {
    mutating func choose(at now: Moment) {
        guard let request = pendingChoice else { return }
        pendingChoice = nil
        if let pin, pin.force, let index = index(of: pin.uplink), records[index].state.isUsable {
            // Forced onto an uplink that did not work: it does now, so from here on it is a pin like any other.
            self.pin?.force = false
            outputs.append(.remember)
        }
        let (before, previous, formerLadder) = (classes.map(\.choice.active), share, ladder)
        for classIndex in classes.indices {
            let outcome = selection(for: classIndex, at: now).outcome()
            if classIndex == 0 { ladder = outcome.ladder }
            take(outcome.active, for: classIndex)
        }
        let after = classes.map(\.choice.active)
        let isSwitch = share != previous
        if isSwitch {
            lastSwitch = Switch(
                previous: previous, cause: explain(request.cause, leaving: previous, for: share),
                manual: request.isManual, faultSince: request.faultSince,
                drains: previous.allSatisfy { share.contains($0) || index(of: $0).map(drains) ?? true })
        }
        if request.needsRoute || before != after || ladder != formerLadder { outputs.append(.route(decision)) }
        for classIndex in classes.indices { settle(classIndex, from: before[classIndex], at: now) }
        letGoOfFallen(at: now)
        if isSwitch { outputs.append(.event(.selected(decision))) }
        for classIndex in classes.indices.dropFirst() where before[classIndex] != after[classIndex] {
            outputs.append(.event(.steered(classIndex, from: before[classIndex], to: after[classIndex])))
        }
        if before != after { outputs.append(.remember) }
    }

    /// What the choice for a class is made from. A pin is the operator's word on `failover`; rules keep theirs.
    private func selection(for classIndex: Int, at now: Moment) -> Selection {
        var candidates: [Selection.Candidate] = []
        func add(_ number: UplinkNumber, step: Int, weight: Int) {
            guard let index = index(of: number) else { return }
            let record = records[index]
            candidates.append(
                Selection.Candidate(
                    number: number, step: step, weight: weight, state: record.state, isPresent: record.isPresent,
                    isDrained: record.isDrained, isHeld: record.holdUntil.map { $0 > now } ?? false))
        }
        for (step, members) in classes[classIndex].settings.steps.enumerated() {
            for member in members { add(member.uplink, step: step, weight: member.weight) }
        }
        let pin = classIndex == 0 ? self.pin : nil
        // An uplink that stands in no order carries traffic only while it is pinned.
        if let pin, !candidates.contains(where: { $0.number == pin.uplink }) {
            add(pin.uplink, step: .max, weight: 1)
        }
        let current = classes[classIndex].choice.active.filter { number in candidates.contains { $0.number == number } }
        return Selection(candidates: candidates, current: current, pin: pin, keepsLastResort: classIndex == 0)
    }

    private mutating func take(_ active: [UplinkNumber], for classIndex: Int) {
        guard active != classes[classIndex].choice.active || classes[classIndex].choice.step.isEmpty else { return }
        // A pinned uplink may be in no step of the order: then it is one of its own.
        classes[classIndex].choice =
            classes[classIndex].choice(of: active)
            ?? ClassChoice(step: active.map { ClassChoice.Member(uplink: $0, weight: 1) }, active: active)
    }

    /// Whether flows can finish on an uplink that is left. One still being proved after a start may well carry some.
    func drains(_ index: Int) -> Bool {
        records[index].isPresent && (records[index].state.isUsable || records[index].state == .proving)
    }

    /// What a change of one class's uplinks means for those that were left and those that were taken.
    private mutating func settle(_ classIndex: Int, from before: [UplinkNumber], at now: Moment) {
        let after = classes[classIndex].choice.active
        for number in after where !before.contains(number) {
            guard let index = index(of: number) else { continue }
            // This class is back before the connections on it were moved: those of the others may finish.
            if records[index].graceUntil != nil, drains(index) { spare(index, at: now) }
            records[index].departures[classIndex] = nil
            records[index].graceUntil = nil
            records[index].sweep = nil
            records[index].idleWakes = 0
        }
        for number in before where !after.contains(number) {
            guard let index = index(of: number) else { continue }
            if !drains(index), classIndex > 0, share.contains(number), !after.isEmpty {
                leave(index, classIndex, at: now)
            } else if drains(index) {
                letDrain(index, classIndex, at: now)
            } else {
                records[index].awaitsFlowDecision = true
            }
        }
        guard !after.isEmpty else { return }
        // It had nothing better than a dead line, and now has.
        for index in records.indices where records[index].stranded.remove(classIndex) != nil {
            let number = records[index].number
            if !after.contains(number), !before.contains(number) { leave(index, classIndex, at: now) }
        }
    }

    private func explain(
        _ cause: ChoiceRequest.Cause?, leaving before: [UplinkNumber], for after: [UplinkNumber]
    ) -> String {
        let left = before.filter { !after.contains($0) }.compactMap { index(of: $0) }
        switch cause {
        case .command(let command)?: return "operator: \(command)"
        case .pinEnd(let name)?: return "the pin on \(name) ended"
        // What fell in the same turn would have been left under the former policy too.
        case .reload? where !left.contains { records[$0].awaitsFlowDecision }: return "the policy was reloaded"
        default: break
        }
        if let dead = left.first(where: { !drains($0) }) {
            return "\(records[dead].settings.name) \(records[dead].state.rawValue): \(records[dead].reason)"
        }
        if let bad = left.first(where: { records[$0].state == .degraded }) {
            return "\(records[bad].settings.name) degraded: \(records[bad].reason)"
        }
        let taken = after.first { !before.contains($0) } ?? after.first
        guard let taken, let arriving = index(of: taken) else { return "no uplink is left" }
        let record = records[arriving]
        if pin?.uplink == taken { return "\(record.settings.name) is pinned by the operator and good again" }
        if record.flaps > 0 {
            return "\(record.settings.name) has been good for \(record.holdTime(failover.hold).policyText)"
        }
        if !left.isEmpty || before.isEmpty {
            return "\(record.settings.name) answers and stands \(before.isEmpty ? "first" : "higher") in the order"
        }
        return "\(record.settings.name) answers and shares the load"
    }

    mutating func endHold(of index: Int, at now: Moment) {
        guard let holdUntil = records[index].holdUntil, holdUntil <= now else { return }
        records[index].holdUntil = nil
        requestChoice()
    }

    mutating func attached(_ uplink: UplinkNumber, _ attachment: Attachment?, reason: String, at now: Moment) {
        guard let index = index(of: uplink) else { return }
        guard records[index].attachment != attachment else {
            if attachment == nil, !records[index].isDisabled { records[index].reason = reason }
            return
        }
        // Flows that were left on a line without an interface still carry what it had.
        let before =
            records[index].attachment ?? (records[index].stranded.isEmpty ? nil : records[index].formerAttachment)
        records[index].formerAttachment = before
        records[index].attachment = attachment
        guard !records[index].isDisabled else { return }
        guard let attachment else {
            fall(index, to: .absent, reason: reason, at: now)
            return
        }
        // Another interface, address or gateway: what was learned of the old line does not hold for this one, and its flows
        // carry a source address that is gone.
        if let before {
            if records[index].state.isUsable, before.interfaceIndex != attachment.interfaceIndex {
                records[index].countFailure(at: now)
            }
            let isAnew = before.interfaceIndex != attachment.interfaceIndex
            if isAnew || !before.addresses.allSatisfy(attachment.addresses.contains) {
                moveAll(of: index, at: now)
                // A sweep a second later would tear what has begun since with the new address.
                if isUsed(uplink) { records[index].sweep = nil }
            }
        }
        records[index].forgetProbes()
        records[index].nextProbe = nil
        records[index].keepalive = records[index].settings.keepalive.map { KeepaliveRecord($0, at: now) }
        setState(of: index, to: .proving, reason: reason, at: now)
        requestChoice(needsRoute: true)
    }
}
