internal import WANModel

/// What becomes of the flows on an uplink that new ones no longer take.
///
/// - It still works (failback, the operator's word): they *drain*, each class for its time.
/// - It fell silent: what needs no connection moves at once, connections are kept for the *grace* in case it answers again.
/// - Its interface or address is gone, or the operator disabled it: everything moves at once.
extension Engine {
    private func drainTime(of index: Int, for classIndex: Int) -> Duration {
        let usual = records[index].settings.metered ? failover.drain.metered : failover.drain.default
        return classes[classIndex].settings.drain ?? usual
    }

    mutating func letDrain(_ index: Int, _ classIndex: Int, at now: Moment) {
        records[index].departures[classIndex] = .drain(until: now + drainTime(of: index, for: classIndex))
    }

    /// After a choice: uplinks that fell and that no traffic could be kept on.
    mutating func letGoOfFallen(at now: Moment) {
        for index in records.indices where records[index].awaitsFlowDecision {
            records[index].awaitsFlowDecision = false
            // Nothing better was found: its flows stay, since anywhere else they would be as dead.
            guard !share.contains(records[index].number) else {
                let number = records[index].number
                records[index].stranded.formUnion(
                    classes.indices.filter { classIndex in
                        let active = classes[classIndex].choice.active
                        return active.isEmpty || active.contains(number)
                    })
                continue
            }
            let grace = endOfGrace(of: index, at: now)
            guard grace > now else {
                moveAll(of: index, at: now)
                continue
            }
            records[index].departures = [:]
            records[index].graceUntil = grace
            move(index, .connectionless, at: now)
        }
    }

    /// Until when its connections are kept: for a while after it fell silent, no longer than now where it is not there.
    private func endOfGrace(of index: Int, at now: Moment) -> Moment {
        records[index].state == .down ? max(records[index].since + failover.grace, now) : now
    }

    /// A class has left a line that `failover` has nothing better than: its own flows move, and no others that need a
    /// connection.
    mutating func leave(_ index: Int, _ classIndex: Int, at now: Moment) {
        guard !drains(index) else { return letDrain(index, classIndex, at: now) }
        let grace = endOfGrace(of: index, at: now)
        records[index].departures[classIndex] = .grace(until: grace)
        if grace > now { move(index, .connectionless, at: now) }
    }

    /// Everything that is left on it, whatever it is waiting for.
    mutating func moveAll(of index: Int, at now: Moment) {
        records[index].stranded = []
        records[index].departures = [:]
        records[index].graceUntil = nil
        move(index, .all, at: now)
    }

    private mutating func move(_ index: Int, _ movement: Movement, at now: Moment) {
        records[index].sweep = Sweep(at: now + .seconds(1), movement: movement)
        outputs.append(.moveFlows(records[index].number, movement, sweep: 1))
    }

    mutating func sweep(_ index: Int, at now: Moment) {
        guard let sweep = records[index].sweep, sweep.at <= now else { return }
        records[index].sweep = nil
        outputs.append(.moveFlows(records[index].number, sweep.movement, sweep: 2))
    }

    // MARK: grace

    mutating func endGrace(of index: Int, at now: Moment) {
        guard let until = records[index].graceUntil, until <= now else { return }
        if records[index].state.isUsable {
            spare(index, at: now)
        } else if records[index].state == .down, records[index].answeredInRow > 0,
            now - records[index].since < failover.grace + Self.longestRise
        {
            // It answers, and is not yet known to be good: the next loss, or the last answer it needs, decides.
            records[index].graceUntil = now + .milliseconds(50)
        } else {
            moveAll(of: index, at: now)
        }
    }

    /// Back before its connections were moved: they finish where they are.
    mutating func spare(_ index: Int, at now: Moment) {
        records[index].graceUntil = nil
        for classIndex in classes.indices where !classes[classIndex].choice.active.contains(records[index].number) {
            letDrain(index, classIndex, at: now)
        }
        outputs += [.event(.spared(records[index].number)), .remember]
    }

    /// The same for the classes that alone had left it (`leave`). To be asked before it is called good.
    mutating func spareLeft(_ index: Int, at now: Moment) {
        let left = records[index].departures.filter { if case .grace = $1 { true } else { false } }.keys
        guard records[index].state == .down, !left.isEmpty else { return }
        for classIndex in left { letDrain(index, classIndex, at: now) }
        outputs += [.event(.spared(records[index].number)), .remember]
    }

    /// No grace is prolonged for longer, however slowly a line that answers comes to be good.
    private static let longestRise: Duration = .seconds(10)

    // MARK: drains

    mutating func endDrainsInTime(of index: Int, at now: Moment) {
        let over = records[index].departures.filter { $0.value.until <= now }.keys
        if !over.isEmpty { endDrains(of: index, Set(over), "its time is over", at: now) }
    }

    /// The drain of these classes is over, and what is left of them moves.
    mutating func endDrains(of index: Int, _ classIndices: Set<Int>, _ reason: String, at now: Moment) {
        guard !classIndices.isEmpty else { return }
        for classIndex in classIndices { records[index].departures[classIndex] = nil }
        let number = records[index].number
        let isEmptied = records[index].departures.isEmpty && !isUsed(number)
        // Where it is to be empty, or costs money, what came in by it goes too.
        let takesAll = records[index].isDrained || records[index].settings.metered || !drains(index)
        move(index, !isEmptied ? .classes(classIndices) : takesAll ? .all : .outgoing, at: now)
        if records[index].departures.isEmpty { outputs.append(.event(.drained(number, reason: reason))) }
        outputs.append(.remember)
    }

    /// It is to be empty, by the operator's word or since nobody chose it: flows that came in by it or were left on it get the time that
    /// a switch would give them.
    mutating func drainAll(of index: Int, at now: Moment) {
        guard drains(index) else { return }
        for classIndex in classes.indices where records[index].departures[classIndex] == nil {
            letDrain(index, classIndex, at: now)
        }
    }
}
