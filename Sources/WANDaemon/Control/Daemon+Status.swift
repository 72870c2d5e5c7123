internal import LinuxIO
internal import NetworkTypes
internal import WANControl
internal import WANEngine
internal import WANModel
internal import WANProbes

/// What the daemon knows, for people and scripts.
extension Daemon {
    func status() -> StatusReport {
        let now = Daemon.moment()
        let clock = WallClock(now: now)
        var pinned: StatusReport.Pin?
        if let pin = engine.pin {
            pinned = StatusReport.Pin(
                uplink: name(pin.uplink), until: pin.until.map { clock.time($0) }, strict: pin.strict)
        }
        if let handOver = site.role?.handOver {
            pinned = StatusReport.Pin(
                uplink: handOver.uplink, until: handOver.until.map { clock.time($0) }, strict: false)
        }
        var report = StatusReport(
            version: wanctlVersion, node: node, mode: pinned == nil ? .auto : .manual, role: site.role?.role ?? .alone,
            selected: engine.decision.share.map(name),
            policy: StatusReport.PolicyFile(
                path: loaded.path, sha256: loaded.sha256, loadedAt: Timestamp(unixNanoseconds: loaded.loadedAt)),
            uplinks: engine.views(at: now).map { self.report($0, clock) }, lastSwitch: lastReport(now),
            pinned: pinned, startedAt: startedAt,
            warnings: alarms.sentences + operatorsWord(now)
                + router.notices,
            tableFault: router.table.fault)
        if let role = site.role {
            report.site = policy.site
            report.warnings += site.warnings
            role.add(to: &report, fingerprint: loaded.siteFingerprint, at: now)
        }
        return report
    }

    private var outage: String? { router.table.fault.flatMap { $0.isUntranslated ? $0.sentence : nil } }

    /// What the operator once said and may have forgotten.
    private func operatorsWord(_ now: Moment) -> [String] {
        engine.views(at: now).compactMap { view in
            if view.state == .disabled {
                return "\(view.name) is disabled; `wanctl enable \(view.name)` takes it in again"
            }
            guard view.isDrained else { return nil }
            let isInUse = engine.decision.share.contains(view.number)
            return isInUse
                ? "\(view.name) is to be kept empty, but nothing else works; `wanctl enable \(view.name)` takes it in again"
                : "\(view.name) is kept empty; `wanctl enable \(view.name)` takes it in again"
        }
    }

    /// Of this run, or of an earlier one as the journal has it.
    private func lastReport(_ now: Moment) -> SwitchReport? {
        if let record = switches.last { return record.report(now: now) }
        // How long ago that was by the clock that never jumps, the journal cannot know.
        var former = recorder.events.last { $0.change != nil }?.change
        former?.ago = nil
        return former
    }

    private func report(_ view: UplinkView, _ clock: WallClock) -> UplinkReport {
        var report = UplinkReport(
            name: view.name, interface: view.interface,
            state: view.state,
            traffic: view.traffic, since: clock.time(view.since),
            reason: view.reason)
        report.stateSpan = clock.now - view.since
        report.ifindex = view.attachment?.interfaceIndex.rawValue
        report.addresses = view.attachment?.addresses.map(\.description) ?? []
        report.gateway = view.attachment?.gateway?.description
        // Where nothing answers, the last answer's time is no figure of now.
        let answers = view.state.isUsable || view.state == .proving
        report.rttMilliseconds = answers ? view.rtt.map(rounded) : nil
        report.jitterMilliseconds = answers ? view.jitter.map(rounded) : nil
        report.loss = (view.loss * 1000).rounded() / 1000
        report.targets = view.targets.map {
            UplinkReport.Target(
                address: $0.address.description, answered: $0.answered, rttMilliseconds: $0.rtt.map(rounded),
                loss: ($0.loss * 1000).rounded() / 1000)
        }
        report.speedClass = view.speedClass.map {
            UplinkReport.SpeedClass(
                wanted: $0.wanted, confirmed: $0.confirmed, via: $0.via, at: $0.at.map { clock.time($0) },
                problem: $0.failure)
        }
        report.keepalive = view.keepalive.map {
            UplinkReport.Keepalive(
                idle: $0.idle, last: $0.lastSent.map { clock.time($0) }, next: clock.time($0.due),
                answered: $0.lastSent == nil ? nil : $0.lostInARow == 0)
        }
        let counters = router.counters(of: view.number)
        report.bytes = UplinkReport.Bytes(
            received: counters?.rxBytes ?? 0, sent: counters?.txBytes ?? 0,
            probes: prober.counters(of: view.number).bytes)
        report.metered = view.isMetered
        report.drain = view.drainsUntil.map {
            drainWatch.report(of: view.number, until: $0, now: clock.now)
        }
        report.rules = rules(on: view.number, choices: engine.choices)
        report.flaps = view.flaps
        if let until = view.holdUntil, until > clock.now {
            report.holdUntil = clock.time(until)
            report.holdSpan = until - clock.now
        }
        return report
    }

    private func rounded(_ span: Duration) -> Double { (span.milliseconds * 1000).rounded() / 1000 }

    func why() -> WhyReport {
        let now = Daemon.moment()
        let views = engine.views(at: now)
        let first = views.first { $0.state.isUsable && !$0.isDrained }
        return WhyReport(
            mode: engine.pin == nil ? .auto : .manual, selected: engine.decision.share.map(name),
            decision: engine.decision.cause,
            candidates: views.map { view in
                WhyReport.Candidate(
                    uplink: view.name, state: view.state,
                    usable: view.state.isUsable, selected: engine.decision.share.contains(view.number),
                    verdict: verdict(view, first: first, now: now), evidence: evidence(view))
            }, lastSwitch: isBackup ? nil : lastReport(now), headline: outage ?? backupHeadline(now),
            site: site.lines(at: now))
    }

    /// For a backup: its own choice carries nothing of the LAN's.
    private func backupHeadline(_ now: Moment) -> String? {
        guard isBackup, let vrrp else { return nil }
        let holder = site.role?.holder(at: now)
        let ready = engine.views(at: now).filter { engine.decision.share.contains($0.number) && $0.state.isUsable }
        let own =
            ready.isEmpty
            ? "no line of this box works" : "this box is ready with \(ready.map(\.name).joined(separator: ", "))"
        return "This box is backup: \(holder ?? "it is not known who") has \(vrrp.address.address); \(own)"
    }

    private func verdict(_ view: UplinkView, first: UplinkView?, now: Moment) -> String {
        if engine.decision.share.contains(view.number) {
            if engine.pin?.uplink == view.number { return "pinned by the operator" }
            guard view.state.isUsable else {
                return isBackup ? "not usable: \(view.reason)" : "nothing is usable; the last choice stays"
            }
            if view.isDrained { return "to be kept empty, but nothing else is usable" }
            return engine.decision.share.count > 1
                ? "shares the load of the best usable step" : "the best usable one in the order"
        }
        if view.isDrained { return "kept empty by the operator" }
        guard view.state.isUsable else { return "not usable: \(view.reason)" }
        if let until = view.holdUntil, until > now {
            return "good again, must hold for \((until - now).components.seconds + 1) s more"
                + (view.flaps > 1 ? " (it failed \(view.flaps) times lately)" : "")
        }
        if let pin = engine.pin { return "usable, but \(name(pin.uplink)) is pinned" }
        if view.state == .degraded { return "usable, but past its quality limits" }
        return "usable, but \(engine.decision.selected.map(name) ?? first?.name ?? "another one") comes first"
    }

    private func evidence(_ view: UplinkView) -> [String] {
        var lines = [view.reason]
        if let rtt = view.rtt, view.state.isUsable || view.state == .proving {
            let jitter = view.jitter.map { ", jitter \($0.policyText)" } ?? ""
            lines.append("RTT \(rtt.policyText)\(jitter), loss \((view.loss * 1000).rounded() / 10) % over the window")
        }
        for target in view.targets where target.loss > 0.02 || (!target.answered && !view.isDormant) {
            lines.append(
                "\(target.address): \(target.answered ? "answers" : "does not answer"), loss \((target.loss * 1000).rounded() / 10) %"
            )
        }
        if view.isDormant { lines.append("metered and not needed: only the keepalive is sent") }
        return lines
    }
}

/// Wall-clock times of moments, as seen now.
struct WallClock {
    let now: Moment
    private let unix = Clock.realtime()

    init(now: Moment) { self.now = now }

    func time(_ moment: Moment) -> Timestamp {
        let (sum, overflow) = unix.addingReportingOverflow(moment.nanoseconds - now.nanoseconds)
        return Timestamp(unixNanoseconds: overflow ? .max : sum)
    }
}
