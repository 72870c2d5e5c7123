internal import LinuxIO
internal import WANControl
internal import WANEngine
internal import WANModel
internal import WANProbes

/// What the daemon knows, for people and scripts.
extension Daemon {
    func snapshot() -> StatusSnapshot {
        let now = Daemon.moment()
        var snapshot = StatusSnapshot(inForce, engine, at: now, wallClock: Clock.realtime())
        snapshot.site = site.role
        snapshot.node = node
        snapshot.startedAt = startedAt
        snapshot.lastSwitch = lastSwitch(now)
        snapshot.tableFault = router.table.fault
        snapshot.alarms = alarms.sentences
        snapshot.notices = router.notices
        snapshot.siteWarnings = site.warnings
        snapshot.siteLines = site.lines(at: now)
        for view in snapshot.views {
            let counters = router.counters(of: view.number)
            snapshot.bytes[view.number] = UplinkReport.Bytes(
                received: counters?.rxBytes ?? 0, sent: counters?.txBytes ?? 0,
                probes: prober.counters(of: view.number).bytes)
            snapshot.drains[view.number] = view.drainsUntil.map {
                drainWatch.report(of: view.number, until: $0, now: now)
            }
        }
        return snapshot
    }

    /// Of this run, or of an earlier one as the journal has it.
    private func lastSwitch(_ now: Moment) -> SwitchReport? {
        if let record = switches.last { return record.report(now: now) }
        // How long ago that was by the clock that never jumps, the journal cannot know.
        var former = recorder.events.last { $0.change != nil }?.change
        former?.ago = nil
        return former
    }

    /// One line for `systemctl status`.
    func summary() -> String {
        var snapshot = StatusSnapshot(inForce, engine, at: Daemon.moment(), wallClock: Clock.realtime())
        snapshot.tableFault = router.table.fault
        return snapshot.summary
    }
}
