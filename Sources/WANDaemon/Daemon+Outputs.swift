internal import LinuxIO
internal import NetworkTypes
internal import WANControl
internal import WANEngine
internal import WANModel
internal import WANProbes

/// What the engine says, done.
extension Daemon {
    func move(_ outputs: [EngineOutput], since: Moment) {
        // Where flows are let go, the routes they were on go after them: else the flows would for a moment leave by another
        // line, with the source address of the old one.
        let movesFlows = outputs.contains { if case .moveFlows = $0 { true } else { false } }
        for output in outputs {
            switch output {
            case .route(let decision):
                route(decision, since: since, removals: movesFlows ? .later : .now)
                // Files have their turn when everything else is done, as those of the state.
                later { $0.names.write($0.engine.decision) }
            case .moveFlows(let uplink, let movement, let sweep):
                // A line that is proved anew only has another address.
                flows.move(
                    uplink, movement, sweep: sweep, in: inForce,
                    isRenumbered: engine.view(of: uplink, at: Daemon.moment())?.state == .proving)
                if sweep == 2 { later { $0.drainWatch.ended(uplink) } }
            case .probe(let probe):
                if case .failed(let failure) = prober.send(
                    uplink: probe.uplink, target: probe.target, sequence: probe.sequence)
                {
                    feed(.notSent(probe, "\(failure)"))
                }
            case .sampleCounters(let uplink):
                if let counters = router.counters(of: uplink) { feed(.counters(uplink, counters)) }
            case .setSpeedClass, .event, .remember: break
            }
        }
        if movesFlows { router.reconcile() }
    }

    func tell(_ outputs: [EngineOutput]) {
        for output in outputs {
            switch output {
            case .setSpeedClass(let uplink, let speedClass): errands.set(uplink, to: speedClass)
            case .event(let event): record(event)
            case .remember: remember()
            case .route, .moveFlows, .probe, .sampleCounters: break
            }
        }
        if outputs.contains(.remember) { followDrains() }
    }

    /// What a switch leads to and need not wait for: in a turn of its own.
    func later(_ body: @escaping (Daemon) -> Void) {
        loop.schedule(at: Clock.boottime()) { [weak self] in self.map(body) }
    }

    /// - Parameter since: Where the kernel's news itself already led to the next rung, the switch began there.
    private func route(_ decision: Decision, since: Moment, removals: KernelRouter.Removals) {
        let isSwitch = switches.leads(to: decision.share)
        let failure = router.reconcile(removals: removals)
        // While another box carries the traffic it is no switch, but a choice in case.
        guard isSwitch, !isBackup else { return }
        recordSwitch(decision, decidedAt: since, failure: failure)
    }

    func recordSwitch(_ decision: Decision, decidedAt: Moment, failure: String?) {
        var record = SwitchRecord(
            decision: decision, from: decision.previous.map(name), to: decision.share.map(name), at: .now(),
            decidedAt: decidedAt)
        record.failure = failure
        switches.begin(record)
    }

    func proveSwitches() {
        switches.line = { [unowned self] number in
            guard let attachment = attachments[number], let settings = uplink(number) else { return nil }
            return (settings.name, attachment, settings.probe.targets)
        }
        switches.lookup = { [unowned self] target in router.lookup(target) }
        // The next switch may end this one, and waits for no line in the log.
        switches.onFinished = { [unowned self] record in later { $0.tell(of: record) } }
    }

    /// The switch is over, one way or the other: into the journal with its times.
    private func tell(of record: SwitchRecord) {
        if record.proven != true {
            log(.warning, "the switch to \(listed(record.to)) is not proven: \(record.proof ?? "")")
        }
        let report = record.report(now: Daemon.moment())
        let times = [
            report.detectedMilliseconds.map { "found in \(Int($0.rounded())) ms" },
            report.appliedMilliseconds.map { "applied in \(Double(Int($0 * 100)) / 100) ms" },
            record.flowsDeleted.map { "\($0) flows moved" }, record.proven == true ? "proven" : "not proven",
        ].compactMap { $0 }.joined(separator: ", ")
        log(
            .notice,
            "traffic \(record.from.isEmpty ? "" : "from \(listed(record.from)) ")to \(listed(record.to)): \(record.decision.cause) (\(times))"
        )
        recorder.note(
            EventReport(
                at: record.at, kind: EventKind.switch.rawValue, uplink: record.to.first,
                text: "\(record.decision.cause) (\(times))",
                change: report))
    }

    private func listed(_ names: [String]) -> String { names.isEmpty ? "nothing" : names.joined(separator: ", ") }

    /// Uplinks of a class of traffic, or what it has instead.
    private func whereabouts(_ uplinks: [UplinkNumber], ofClass classIndex: Int) -> String {
        if !uplinks.isEmpty { return uplinks.map(name).joined(separator: ", ") }
        let classes = policy.classes
        switch classes.indices.contains(classIndex) ? classes[classIndex].otherwise : .default {
        case .default: return "where all else goes"
        case .reject: return "nowhere (rejected)"
        case .drop: return "nowhere (dropped)"
        }
    }

    /// The rules of a class of traffic, by name; many are not all named.
    private func rulesText(ofClass classIndex: Int) -> String {
        let names = zip(policy.rules, policy.classOfRule).filter { $0.1 == classIndex }.map { "\"\($0.0.name)\"" }
        let shown = names.prefix(3).joined(separator: ", ")
        return names.count > 3 ? "\(shown) and \(names.count - 3) more rules" : shown
    }

    // MARK: events

    private func record(_ event: EngineEvent) {
        switch event {
        case .state(let uplink, let before, let after, let reason):
            let endsDoubt = before == .suspect && (after == .up || after == .degraded)
            let kind = endsDoubt ? nil : EventKind(after)
            log(kind == nil ? .debug : .notice, "\(name(uplink)) \(after.rawValue): \(reason)")
            guard let kind else { return }
            note(kind, uplink: name(uplink), reason, isLogged: true)
        case .selected(let decision):
            if decision.selected == nil {
                log(.error, "no way out: \(decision.cause)")
                note(.switch, "no way out: \(decision.cause)", isLogged: true)
            }
        case .drained(let uplink, let reason):
            note(.drained, uplink: name(uplink), "\(reason); what was left is moved")
        case .spared(let uplink):
            note(.spared, uplink: name(uplink), "it answers again, its connections go on where they are")
        case .steered(let classIndex, let before, let after):
            note(
                .rule, uplink: after.first.map(name),
                "\(rulesText(ofClass: classIndex)) from \(whereabouts(before, ofClass: classIndex)) to "
                    + whereabouts(after, ofClass: classIndex))
        case .targetFault(_, let reason): note(.target, reason)
        case .pinEnded(let uplink, let reason): note(.auto, uplink: name(uplink), "the pin ended: \(reason)")
        case .keepaliveSent(let uplink): log(.debug, "\(name(uplink)): keepalive sent")
        case .keepaliveLost(let uplink, let inARow):
            note(
                .keepalive, uplink: name(uplink),
                "\(inARow) keepalive\(inARow == 1 ? "" : "s") in a row not answered")
        case .speedClass(let uplink, let wanted, let confirmed, let text):
            note(
                .speed, uplink: name(uplink),
                confirmed == wanted ? "\(wanted), \(text)" : "\(wanted) wanted, not confirmed: \(text)")
        }
        watchers.statusHasChanged()
    }

    /// A line for the journal, the log and whoever watches.
    func note(_ kind: EventKind, uplink: String? = nil, _ text: String, isLogged: Bool = false) {
        let kind = kind.rawValue
        if !isLogged { log(.notice, uplink.map { "\($0) \(kind): \(text)" } ?? "\(kind): \(text)") }
        recorder.note(EventReport(at: .now(), kind: kind, uplink: uplink, text: text))
    }

    /// Whoever watches hears of each event.
    func tellOfEvents() {
        recorder.onEvent = { [unowned self] event in
            watchers.tell(event)
            service.notify("STATUS=\(summary())")
        }
    }

    func remember() { recorder.remember(engine.memory, numbers, handOver: site.role?.handOver) }
}
