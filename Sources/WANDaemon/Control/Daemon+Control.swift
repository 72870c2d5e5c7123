internal import LinuxIO
internal import WANControl
internal import WANEngine
internal import WANModel

/// What the operator asks, answered.
extension Daemon {
    func answer(_ request: ControlRequest, _ peer: Peer, _ reply: ControlReply) {
        defer { releaseStartupMemory() }
        switch request {
        case .status(let watch):
            reply.send(snapshot().status.json)
            guard watch else { return reply.finish() }
            watchers.followStatus(reply)
        case .watch: watchers.followEvents(reply)
        case .why: reply.finish(snapshot().why.json)
        case .rules: reply.finish(rulesReport().json)
        case .history(let count): reply.finish(HistoryReport(events: recorder.events.suffix(count ?? 50)).json)
        case .reload: reload(because: "`wanctl reload`", reply: reply)
        case .probe(let uplink): probe(uplink, reply)
        case .drain(let uplink): drain(uplink, peer, reply)
        case .auto:
            site.setHandOver(nil)
            remember()
            act(.auto, "the policy decides again", peer, reply)
        case .failover(let name, let span, let force, let strict):
            if let other = otherBox(of: name) {
                return handOver(to: name, on: other, for: span, force: force, peer, reply)
            }
            withUplink(name, reply) { number in
                if !force, let master = otherMaster {
                    return reply.fail(
                        .refused,
                        "this box is backup, and \(master) has the address: `wanctl failover \(name)` there moves the site here; "
                            + "--force pins \(name) on this box all the same")
                }
                let command = OperatorCommand.failover(
                    number, until: span.map { Daemon.moment() + $0 }, force: force, strict: strict)
                whenHeard(name, for: command, reply) { [unowned self] in
                    endHandOver(site.role?.handOver, because: "\(name) is wanted")
                    let end = span.map { " for \($0.policyText)" } ?? ""
                    act(command, "\(name) is pinned\(end)", peer, reply, notes: pinOfBackup(name))
                }
            }
        case .enable(let name): withUplink(name, reply) { act(.enable($0), "\(name) is enabled", peer, reply) }
        case .disable(let name): withUplink(name, reply) { act(.disable($0), "\(name) is disabled", peer, reply) }
        case .speed(let name, let speedClass):
            withUplink(name, reply) { number in
                let done =
                    speedClass.map { "\($0) is wanted for \(name)" } ?? "the speed class of \(name) follows the traffic"
                act(.speed(number, speedClass), done, peer, reply, notes: strangeClass(speedClass))
            }
        }
    }

    private func withUplink(_ name: String, _ reply: ControlReply, _ body: (UplinkNumber) -> Void) {
        guard policy.uplink(named: name) != nil, let number = numbers[name] else {
            if let other = otherBox(of: name) {
                return reply.fail(
                    .refused, "\(name) is an uplink of \(other.name) (\(other.address)): ask `wanctl` there")
            }
            let names = loaded.sitePolicy.uplinks.map(\.name).joined(separator: ", ")
            return reply.fail(.refused, "there is no uplink \(name); the policy has \(names)")
        }
        body(number)
    }

    /// A standby that is seldom probed looks as it did before it died. So a line that was not heard within its patience is asked before
    /// traffic is put on it.
    private func whenHeard(
        _ name: String, for command: OperatorCommand, _ reply: ControlReply, _ body: @escaping () -> Void
    ) {
        if let refusal = engine.refusal(of: command) { return reply.fail(.refused, refusal) }
        guard case .failover(let number, _, let force, _) = command, !force,
            !engine.wasHeardLately(number, at: Daemon.moment())
        else { return body() }
        let time = engine.answerTime(of: number)
        probeRequests.listen(to: name, within: time, for: reply) { [unowned self] isHeard in
            guard isHeard else {
                return reply.fail(
                    .refused,
                    "\(name) was asked just now and did not answer within \(Int(time.milliseconds)) ms; try again if it was asleep, or --force to switch all the same"
                )
            }
            // There may be another policy by now.
            withUplink(name, reply) { $0 == number ? body() : reply.fail(.refused, "\(name) is another line by now") }
        }
        feed(.operatorCommand(.probe(number)))
    }

    /// Carries out what the engine does not refuse; the routes are in the kernel before the answer leaves.
    private func act(
        _ command: OperatorCommand, _ done: String, _ peer: Peer, _ reply: ControlReply, notes: [String] = []
    ) {
        if let refusal = engine.refusal(of: command) { return reply.fail(.refused, advised(refusal, of: command)) }
        let before = switches.last?.at
        let share = engine.decision.share
        note(.operator, "\(done) (by \(peer))")
        feed(.operatorCommand(command))
        // What is answered as done outlives a crash.
        recorder.flush()
        let moved = engine.decision.share != share || switches.last?.at != before
        reply.finish(
            ActionReport(
                done: done, warnings: notes + alarms.sentences,
                change: moved ? switches.last?.report(now: Daemon.moment()) : nil
            ).json)
    }

    /// Who has the address, where this box is a backup and hears of it.
    private var otherMaster: String? {
        isBackup ? site.role?.holder(at: Daemon.moment()) : nil
    }

    private func pinOfBackup(_ name: String) -> [String] {
        isBackup
            ? ["this box is backup: \(name) is pinned for when the address is here, and waits for no hold any more"]
            : []
    }

    /// What else the operator of a site can do where a line of this box may not go.
    private func advised(_ refusal: String, of command: OperatorCommand) -> String {
        guard !isBackup else { return refusal }
        switch command {
        case .drain, .disable: break
        default: return refusal
        }
        guard let (box, uplink) = site.role?.successor(at: Daemon.moment()) else { return refusal }
        return "\(refusal) on this box; `wanctl failover \(uplink)` moves the site to \(box) first"
    }

    private func strangeClass(_ name: String?) -> [String] {
        guard let name, !SpeedClassNames.known.contains(name) else { return [] }
        let known = SpeedClassNames.known.joined(separator: ", ")
        return ["\(name) is no class that this release knows (\(known)); SORACOM has the last word"]
    }

    // MARK: streams

    private func drain(_ name: String, _ peer: Peer, _ reply: ControlReply) {
        withUplink(name, reply) { number in
            let command = OperatorCommand.drain(number)
            if let refusal = engine.refusal(of: command) { return reply.fail(.refused, advised(refusal, of: command)) }
            note(.operator, "\(name) is to be emptied (by \(peer))")
            feed(.operatorCommand(command))
            let id = ObjectIdentifier(reply)
            reply.onClose = { [weak self] in self?.drainWatch.leave(id) }
            drainWatch.follow(number, as: id) { news in
                switch news {
                case .success(let report):
                    reply.send(report.json)
                    if report.isDone { reply.finish() }
                case .failure(let refusal): reply.fail(refusal)
                }
            }
        }
    }

    private func probe(_ name: String?, _ reply: ControlReply) {
        var views = engine.views(at: Daemon.moment())
        if let name {
            var wanted: UplinkNumber?
            withUplink(name, reply) { wanted = $0 }
            guard let wanted else { return }
            views = views.filter { $0.number == wanted }
        }
        let isAsked = { [attachments] (view: UplinkView) in attachments[view.number] != nil && view.state != .disabled }
        for view in views where !isAsked(view) {
            let problem = view.state == .disabled ? "disabled by the operator" : view.reason
            reply.send(ProbeReport(uplink: view.name, target: "-", problem: problem).json)
        }
        let asked = views.filter(isAsked)
        probeRequests.follow(
            reply, asked.map { (uplink: $0.name, targets: Set($0.targets.map(\.address))) })
        for view in asked { feed(.operatorCommand(.probe(view.number))) }
    }
}
