internal import LinuxIO
internal import Netlink
internal import NetworkTypes
internal import WANControl
internal import WANDataplane
internal import WANEngine
internal import WANModel
internal import WANProbes

/// What `KernelRouter` has to know, and what comes of what it tells.
extension Daemon {
    /// Before the first of them is used.
    func routeAsDecided() {
        router.wanted = { [unowned self] in
            WantedState.make(
                uplinks: dataplaneUplinks(), ladder: engine.decision.ladder, mark: policy.mark, strict: inForce.strict,
                relay: isBackup && site.role?.isOrphan != true ? router.relay() : nil)
        }
        router.relay = { [unowned self] in vrrp.flatMap(router.picture.relay) }
        router.onChange = { [unowned self] isFirst in
            refreshAttachments(isAll: isFirst)
            // An earlier daemon may have died before it moved flows of a line that is not there when we start: what is not there
            // cannot fall, so the engine will not say it.
            if isFirst { flows.letGo(numbers.values.filter { attachments[$0] == nil }, in: inForce) }
        }
        router.onRepair = { [unowned self] text in note(.repair, text) }
        router.onRoutes = { [unowned self] in flows.lookSoon() }
        flows.onLook = { [unowned self] in lookForLedAstray() }
        flows.onMoved = { [unowned self] uplink, count, sweep in
            switches.flowsMoved(from: uplink, count: count, sweep: sweep)
        }
        flows.onStrays = { [unowned self] in router.table.steer() }
        router.table.onNew = { [unowned self] in flows.letGoUntranslated() }
        router.table.wanted = { [unowned self] in wantedTable() }
        router.table.names = { [unowned self] in policy.rules.map(\.name) }
        router.table.onFault = { [unowned self] text in
            let isRefused = router.table.fault != nil
            note(.table, text, isLogged: isRefused)
            // What is forwarded from now on is translated.
            if !isRefused {
                prepareSysctls()
                keepPolicy()
            }
            // In the middle of a reload the ranks are the new policy's and the site the old one's; the site is taken in there.
            if isRefused || router.outgoingUplinks == nil { site.follow() }
        }
    }

    /// While this daemon was dead or hung, or another program had our routes away, the kernel fell along the ladder by itself. What began then
    /// is pinned to a line that nobody chose, and would stay there for as long as it lasts, on a SIM at its cheap class: it drains.
    private func lookForLedAstray() {
        guard !isBackup else { return }
        let used = Set(engine.choices.flatMap(\.active))
        for (number, uplink) in inForce.uplinks
        where attachments[number] != nil && !used.contains(number) && !engine.isDown(number) {
            do throws(NetlinkError) {
                let count = try flows.ledAstray(on: number, in: policy)
                guard count > 0, engine.draining[number] == nil else { continue }
                log(
                    .info, "\(count) flows are on \(uplink.name), which nobody chose: they may finish as after a switch"
                )
                feed(.ledAstray(number))
            } catch {
                log(.warning, "flows that \(uplink.name) has without a choice could not be read: \(error)")
            }
        }
    }

    /// What forwarding and counting need of the kernel besides the table: at start and when the policy changes.
    func prepareSysctls() {
        if !policy.lan.interfaces.isEmpty, policy.lan.forwarding == .on, router.table.fault?.isUntranslated != true,
            let done = KernelSettings.enableForwarding()
        {
            note(.sysctl, done)
        }
        if let done = KernelSettings.countFlowOctets() { log(.info, done) }
    }

    func dataplaneUplinks() -> [DataplaneUplink] {
        inForce.uplinks.map { number, uplink in
            DataplaneUplink(
                number: number, interface: uplink.interface, attachment: attachments[number],
                isSIM: uplink.soracom != nil, isUsable: !engine.isDown(number),
                nameServers: names.led(over: number).compactMap(\.v4))
        }
    }

    private func wantedTable() -> RulesetInput {
        var input = inForce.table
        let present = dataplaneUplinks()
        let outgoing = router.outgoingUplinks ?? []
        input.uplinks = present + outgoing.filter { old in !present.contains { $0.interface == old.interface } }
        for (index, choice) in engine.choices.enumerated() where input.classes.indices.contains(index) {
            input.classes[index].choice = choice
        }
        // A backup expects them at any time: the address may come, and packets with it, before the daemon has heard of it.
        input.resetsStrays = isBackup || flows.expectsStrays
        return input
    }

    /// Tells the engine which uplinks are attached otherwise than before.
    func refreshAttachments(isAll: Bool = false) {
        let found = attachments.refresh(router.picture, inForce.uplinks, isAll: isAll)
        for number in found.changed { attachProbes(of: number) }
        // An address of the LAN that comes takes a name server in its network away from the provider.
        let hasOtherServers = names.judge()
        later {
            $0.names.tell()
            if hasOtherServers { $0.names.write($0.engine.decision) }
        }
        let isChanged = isAll || !found.changed.isEmpty || hasOtherServers
        guard !found.reports.isEmpty else {
            if isChanged { router.reconcile() }
            return
        }
        // The tables of the uplinks come first, so that the first probes find their way; and where the selected one is gone
        // this already is the step to the next rung. What must go waits until the flows on it are let go. Where nothing
        // changed, what differs is somebody else's doing: a repair.
        let newsAt = Daemon.moment()
        if isChanged { router.reconcile(removals: .later) }
        driver.feed(.attached(found.reports), since: newsAt)
        if isChanged { router.reconcile() }
    }

    private func attachProbes(of number: UplinkNumber) {
        guard let attachment = attachments[number] else {
            prober.detach(uplink: number)
            alarms.clear(.probing(number))
            return
        }
        if let done = KernelSettings.loosenReversePathFilter(attachment.interface) {
            note(.sysctl, uplink: name(number), done)
        }
        if let done = KernelSettings.skipRoutesWithoutCarrier(attachment.interface) { log(.info, done) }
        do throws(SystemCallError) {
            // The mark keeps our probes' own flows from being pinned and counted as somebody's (see `Ruleset`).
            try prober.attach(
                uplink: number, interface: attachment.interface, ifindex: attachment.interfaceIndex,
                mark: policy.mark.mark(of: number).value)
            alarms.clear(.probing(number))
        } catch {
            // Gone again already, most likely: then its link event follows. The socket of before leads nowhere.
            prober.detach(uplink: number)
            alarms.raise(.probing(number), "\(name(number)) cannot be probed: \(error)")
            loop.schedule(at: Clock.boottime() + 1_000_000_000) { [weak self] in
                guard let self, attachments[number] == attachment, !prober.isAttached(number) else { return }
                attachProbes(of: number)
            }
        }
    }
}
