internal import LinuxIO
internal import Netlink
internal import WANControl
internal import WANEngine
internal import WANModel

/// Watches the old flows on uplinks that drain, so that a drain ends when nothing is at work any more and not only in time.
extension Daemon {
    /// What is known of one drain.
    struct Drain {
        var ledger: DrainLedger
        var classes: Set<Int>
        var finding: DrainLedger.Finding?
    }

    /// Looks each second; a dump that takes long is made less often, so that it never fills the loop.
    private static let pace: Int64 = 1_000_000_000
    private static let share: Int64 = 50

    /// At start and after each change of the engine: begins to watch what began to drain, forgets what ended.
    func followDrains() {
        let draining = engine.draining
        for number in drains.keys where draining[number] == nil { drains[number] = nil }
        for (number, classes) in draining
        where drains[number]?.classes != classes || drains[number]?.ledger.limits != policy.failover.drain {
            drains[number] = Drain(
                ledger: DrainLedger(
                    isMetered: uplink(number)?.metered ?? false, limits: policy.failover.drain,
                    interfaceBytes: interfaceBytes(of: number)),
                classes: classes)
        }
        if drains.isEmpty {
            if let drainTimer { loop.cancel(drainTimer) }
            drainTimer = nil
        } else if drainTimer == nil {
            drainTimer = loop.schedule(at: Clock.boottime() + Self.pace) { [weak self] in self?.lookAtDrains() }
        }
    }

    private func lookAtDrains() {
        drainTimer = nil
        let begin = Clock.boottime()
        for number in drains.keys.sorted() { lookAtDrain(of: number) }
        let cost = Clock.boottime() - begin
        guard !drains.isEmpty, drainTimer == nil else { return }
        drainTimer = loop.schedule(at: Clock.boottime() + max(Self.pace, cost * Self.share)) { [weak self] in
            self?.lookAtDrains()
        }
    }

    private func lookAtDrain(of number: UplinkNumber) {
        guard var drain = drains[number], let view = engine.view(of: number, at: Daemon.moment()),
            view.drainsUntil != nil
        else {
            drains[number] = nil
            return
        }
        do throws(NetlinkError) {
            let classes = FlowClasses(policy)
            let entries = try kernel.conntrack.entries(mark: policy.mark.mark(of: number))
            let finding = drain.ledger.look(
                at: entries, interfaceBytes: interfaceBytes(of: number), now: Daemon.moment()
            ) { entry in
                // What came in by a line that works and costs nothing stays, and holds no drain open.
                if !view.isDrained, !view.isMetered, cameIn(entry, by: number) { return false }
                // Where no class goes any more, everything that is left is old.
                return view.classes.isEmpty || view.drainingClasses.isSuperset(of: classes.places(of: entry))
            }
            drain.finding = finding
            drains[number] = drain
            if let settled = finding.settled { feed(.drainSettled(number, reason: settled)) }
        } catch {
            // Its time ends it all the same.
            log(.debug, "the old flows on \(name(number)) could not be counted: \(error)")
        }
    }

    private func interfaceBytes(of number: UplinkNumber) -> UInt64 {
        guard let index = attachments[number]?.interfaceIndex, let counters = kernel.counters(of: index) else {
            return 0
        }
        return counters.rxBytes &+ counters.txBytes
    }

    func drainReport(_ view: UplinkView, now: Moment) -> UplinkReport.Drain? {
        guard let until = view.drainsUntil else { return nil }
        let finding = drains[view.number]?.finding
        return UplinkReport.Drain(
            flows: finding?.flows ?? 0, bytes: finding?.bytes ?? 0, left: max(until - now, .zero))
    }
}
