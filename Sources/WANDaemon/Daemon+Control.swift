internal import LinuxIO
internal import NetworkTypes
internal import Nftables
internal import WANControl
internal import WANEngine
internal import WANModel
internal import WANProbes

/// Who waits for the answers of probes sent on request.
final class ProbeWatcher {
    let reply: ControlReply
    var waiting: [UplinkNumber: Set<String>]
    init(reply: ControlReply, waiting: [UplinkNumber: Set<String>]) {
        self.reply = reply
        self.waiting = waiting
    }
}

/// What the operator asks, answered.
extension Daemon {
    func answer(_ request: ControlRequest, _ peer: Peer, _ reply: ControlReply) {
        defer { releaseStartupMemory() }
        switch request {
        case .status(let watch):
            reply.send(status().json)
            guard watch else { return reply.finish() }
            keep(reply, in: \.statusWatchers)
        case .watch: keep(reply, in: \.eventWatchers)
        case .why: reply.finish(why().json)
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
                let isRefused =
                    engine.refusal(of: .failover(number, until: nil, force: force, strict: strict)) != nil
                if !isRefused { endHandOver(site.role?.handOver, because: "\(name) is wanted") }
                let until = span.map { Daemon.moment() + $0 }
                let end = span.map { " for \($0.policyText)" } ?? ""
                act(
                    .failover(number, until: until, force: force, strict: strict), "\(name) is pinned\(end)", peer,
                    reply, notes: pinOfBackup(name))
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

    /// Carries out what the engine does not refuse; the routes are in the kernel before the answer leaves.
    private func act(
        _ command: OperatorCommand, _ done: String, _ peer: Peer, _ reply: ControlReply, notes: [String] = []
    ) {
        if let refusal = engine.refusal(of: command) { return reply.fail(.refused, advised(refusal, of: command)) }
        let before = switches.last?.at
        let share = engine.decision.share
        note(kind: "operator", "\(done) (by \(peer))")
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

    private func keep(
        _ reply: ControlReply, in list: ReferenceWritableKeyPath<Daemon, [ObjectIdentifier: ControlReply]>
    ) {
        let id = ObjectIdentifier(reply)
        self[keyPath: list][id] = reply
        reply.onClose = { [weak self] in self?[keyPath: list][id] = nil }
    }

    func tellStatusWatchers() {
        guard !statusWatchers.isEmpty, statusTimer == nil else { return }
        // Many changes of one moment make one picture.
        statusTimer = loop.schedule(at: Clock.boottime() + 20_000_000) { [weak self] in
            guard let self else { return }
            statusTimer = nil
            let json = status().json
            for reply in statusWatchers.values { reply.send(json) }
        }
    }

    private func drain(_ name: String, _ peer: Peer, _ reply: ControlReply) {
        withUplink(name, reply) { number in
            let command = OperatorCommand.drain(number)
            if let refusal = engine.refusal(of: command) { return reply.fail(.refused, advised(refusal, of: command)) }
            note(kind: "operator", "\(name) is to be emptied (by \(peer))")
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

    private static let probeLimit: Int64 = 2_000_000_000

    private func probe(_ name: String?, _ reply: ControlReply) {
        var numbers: [UplinkNumber] = []
        if let name {
            withUplink(name, reply) { numbers = [$0] }
            if numbers.isEmpty { return }
        } else {
            numbers = engine.views(at: Daemon.moment()).map(\.number)
        }
        var waiting: [UplinkNumber: Set<String>] = [:]
        for number in numbers {
            guard let settings = uplink(number) else { continue }
            if attachments[number] == nil {
                let reason = engine.view(of: number, at: Daemon.moment())?.reason ?? "absent"
                reply.send(ProbeReport(uplink: settings.name, target: "-", problem: reason).json)
            } else if engine.view(of: number, at: Daemon.moment())?.state == .disabled {
                reply.send(ProbeReport(uplink: settings.name, target: "-", problem: "disabled by the operator").json)
            } else {
                waiting[number] = Set(settings.probe.targets.map(\.description))
            }
        }
        guard !waiting.isEmpty else { return reply.finish() }
        let watcher = ProbeWatcher(reply: reply, waiting: waiting)
        probeWatchers.append(watcher)
        reply.onClose = { [weak self, weak watcher] in self?.probeWatchers.removeAll { $0 === watcher } }
        for number in waiting.keys { feed(.operatorCommand(.probe(number))) }
        loop.schedule(at: Clock.boottime() + Self.probeLimit) { [weak self, weak watcher] in
            guard let watcher else { return }
            self?.endProbes(of: watcher)
        }
    }

    func tellProbeWatchers(_ uplink: UplinkNumber, _ answer: ProbeAnswer) {
        for watcher in probeWatchers {
            guard watcher.waiting[uplink]?.remove(answer.target.description) != nil else { continue }
            watcher.reply.send(
                ProbeReport(
                    uplink: name(uplink), target: answer.target.description, rttMilliseconds: answer.rtt.milliseconds
                ).json)
            if watcher.waiting.values.allSatisfy(\.isEmpty) { endProbes(of: watcher) }
        }
    }

    private func endProbes(of watcher: ProbeWatcher) {
        guard let place = probeWatchers.firstIndex(where: { $0 === watcher }) else { return }
        probeWatchers.remove(at: place)
        for (number, targets) in watcher.waiting.sorted(by: { $0.key < $1.key }) {
            for target in targets.sorted() {
                watcher.reply.send(
                    ProbeReport(uplink: name(number), target: target, problem: "no answer within 2 s").json)
            }
        }
        watcher.reply.finish()
    }

    // MARK: reload

    /// Takes a new policy in, or refuses it with every fault and goes on with the one in force.
    func reload(because reason: String, reply: ControlReply? = nil) {
        service.notify("RELOADING=1", "MONOTONIC_USEC=\(Clock.monotonic() / 1000)")
        defer { service.notify("READY=1", "STATUS=\(summary())") }
        let fresh: LoadedPolicy
        do throws(ControlRefusal) {
            fresh = try LoadedPolicy.load(options.policy, node: node)
        } catch {
            return refuse(error, because: reason, reply)
        }
        do throws(NftablesError) {
            try adopt(fresh)
        } catch {
            let lines = error.text.split(separator: "\n").map(String.init)
            return refuse(
                ControlRefusal(.refused, "the nft table of the policy is refused", details: lines), because: reason,
                reply)
        }
        alarms.clear(.reload)
        for warning in fresh.warnings { log(.warning, warning) }
        note(kind: "reload", "\(options.policy) is in force (\(reason))")
        reply?.finish(ActionReport(done: "\(options.policy) is in force", warnings: fresh.warnings).json)
    }

    private func refuse(_ refusal: ControlRefusal, because reason: String, _ reply: ControlReply?) {
        for detail in refusal.details { log(.error, detail) }
        note(kind: "reload", "refused (\(reason)): \(refusal.reason); the policy in force stays")
        alarms.raise(
            .reload,
            "the policy file was refused and the one in force stays: \(refusal.details.first ?? refusal.reason)")
        reply?.fail(
            ControlRefusal(refusal.code, "\(refusal.reason); the policy in force stays", details: refusal.details))
    }

    /// Takes a policy in; where its table is refused nothing has changed.
    private func adopt(_ fresh: LoadedPolicy) throws(NftablesError) {
        let outgoing = (inForce: inForce, engine: engine)
        let (before, old) = (policy, numbers)
        router.beginExchange(of: dataplaneUplinks())
        let formerSIMs = formerSIMs(before: before, after: fresh.policy)
        inForce = PolicyInForce(fresh, remembered: old)
        // What is gone, or is another interface now, has to be attached anew. So has everything where the marks change: sockets
        // carry the old bits.
        let left = before.uplinks.filter { policy.uplink(named: $0.name)?.interface != $0.interface }
            .compactMap { old[$0.name] }
        let isMarkedAnew = before.mark != policy.mark
        let dropped = attachments.drop(isMarkedAnew ? Array(old.values) : left)
        let outputs = engine.handle(.reload(EngineSetup(policy: policy, numbers: numbers)), at: Daemon.moment())
        do throws(NftablesError) {
            // All so far are values of ours. The table is the first that somebody else may refuse, and the last.
            try router.table.make()
        } catch {
            (inForce, engine) = outgoing
            attachments.restore(dropped)
            router.endExchange()
            throw error
        }
        formerCredentials.formUnion(formerSIMs.compactMap(\.credentials))
        for number in left {
            prober.detach(uplink: number)
            alarms.clear(.probing(number))
        }
        // What was pinned by the old bits is let go.
        if isMarkedAnew { flows.letGo(Array(old.values), in: outgoing.inForce) }
        takeSite(site.role?.handOver)
        prepareSysctls()
        // What comes of it (a courier that cannot be started) waits for the outputs to be done.
        isFeeding = true
        courier.settings = Daemon.courierSettings(for: loaded, options: options, environment: environmentVariables())
        courier.settings.credentials = Set(courier.settings.credentials).union(formerCredentials).sorted()
        perform(outputs)
        isFeeding = false
        refreshAttachments(isAll: true)
        router.endExchange()
        router.reconcile()
        router.table.replace()
        flows.letGo(left, in: outgoing.inForce)
        followDrains()
        followNameServers()
        remember()
        for sim in formerSIMs { lower(sim) }
        prepareToken()
        releaseStartupMemory()
        arm()
    }
}
