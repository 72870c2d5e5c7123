internal import LinuxIO
internal import Netlink
internal import NetworkTypes
internal import PacketWire
internal import WANDataplane
internal import WANEngine
internal import WANModel
internal import WANProbes

/// The kernel's side: what it tells, and what we want of it.
extension Daemon {
    func dataplaneUplinks() -> [DataplaneUplink] {
        inForce.uplinks.map { number, uplink in
            DataplaneUplink(
                number: number, interface: uplink.interface, attachment: attachments[number],
                isSIM: uplink.soracom != nil, isUsable: !engine.isDown(number),
                nameServers: nameServers(of: number).compactMap(\.v4))
        }
    }

    // MARK: what it tells

    func kernelChanged(_ events: [KernelNews]) {
        var concernsOthers = false
        let taken = picture.routesTaken
        let relayBefore = relay()
        var lost: String?
        for event in events {
            switch event {
            case .lost(let reason): lost = reason
            case .table: repair(.table, because: ["nft table \(Ruleset.table) was changed or deleted"])
            case .network(let event):
                // Our own changes were taken in when the kernel acknowledged them; their echo may be older than the picture.
                if event.port == kernel.port { continue }
                apply(event)
                concernsOthers = true
            }
        }
        defer { updateRole() }
        if let lost {
            resynchronize(because: lost)
        } else if concernsOthers {
            refreshAttachments()
            // A link that went down and up within one batch is attached as before, without its routes: that is nobody's
            // attack on them and does not wait for the pace of repairs.
            // Nor is the LAN's interface coming up under the way to the box that has the address.
            if picture.routesTaken != taken || relay() != relayBefore { reconcile() }
            repairIfNeeded()
        }
    }

    private func apply(_ event: KernelEvent) {
        switch event.what {
        case .link(let link): picture.put(link)
        case .linkGone(let link): picture.removeLink(link.index)
        case .address(let address): picture.put(address)
        case .addressGone(let address): picture.remove(address)
        case .route(let route): picture.put(route)
        case .routeGone(let route): picture.remove(route)
        case .rule(let rule): picture.put(rule)
        case .ruleGone(let rule): picture.remove(rule)
        case .lost(let reason): resynchronize(because: reason)
        }
    }

    /// Dumps everything anew: at start, and after a notification was lost.
    func resynchronize(because reason: String?) {
        if let reason { log(.warning, "events of the kernel were lost (\(reason)), looking at everything anew") }
        do throws(NetlinkError) {
            try kernel.dump(into: &picture)
            alarms.clear(.netlink)
        } catch {
            alarms.raise(
                .netlink, "the kernel's state could not be read: \(error)", .error, rest: ", trying again each second")
            loop.schedule(at: Clock.boottime() + 1_000_000_000) { [weak self] in self?.resynchronize(because: "retry") }
            return
        }
        refreshAttachments(isAll: !hasLooked)
        if hasLooked { repairIfNeeded() } else { takeOver() }
    }

    /// Tells the engine which uplinks are attached otherwise than before.
    func refreshAttachments(isAll: Bool = false) {
        let found = attachments.refresh(picture, inForce.uplinks, isAll: isAll)
        for number in found.changed { attachProbes(of: number) }
        guard !found.reports.isEmpty else { return }
        let isChanged = isAll || !found.changed.isEmpty
        // The tables of the uplinks come first, so that the first probes find their way; and where the selected one is gone
        // this already is the step to the next rung. What must go waits until the flows on it are let go. Where nothing
        // changed, what differs is somebody else's doing: a repair.
        newsSince = Daemon.moment()
        if isChanged { reconcile(keepingOld: true) }
        feed(.attached(found.reports))
        newsSince = nil
        if isChanged { reconcile() }
    }

    private func attachProbes(of number: UplinkNumber) {
        guard let attachment = attachments[number] else {
            prober.detach(uplink: number)
            alarms.clear(.probing(number))
            return
        }
        if let done = KernelSettings.loosenReversePathFilter(attachment.interface) {
            note(kind: "sysctl", uplink: name(number), done)
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

    // MARK: what we want of it

    /// What the kernel should have, and the metrics in `main` where another program's default stands in place of ours.
    ///
    /// `ip route replace` would take that default's place: it stays, and our mirror waits.
    private func plane() -> (wanted: KernelState, taken: [UInt32]) {
        var wanted = WantedState.make(
            uplinks: dataplaneUplinks(), ladder: engine.decision.ladder, mark: policy.mark, strict: inForce.strict,
            relay: standsBy && site?.isOrphan != true ? relay() : nil)
        let taken = wanted.routes.keys.filter { key in
            key.table == .main && key.destination.isDefault
                && picture.foreignDefaults.contains {
                    $0.table == .main && $0.metric == key.metric && $0.tos == 0
                }
        }
        for key in taken { wanted.routes[key] = nil }
        return (wanted, taken.map(\.metric).sorted())
    }

    private func tellOfTaken(_ metrics: [UInt32]) {
        guard let metric = metrics.first else { return alarms.clear(.mirror) }
        alarms.raise(
            .mirror, "another program's default route has metric \(metric) in main; ours is not shown there")
    }

    /// The way of this box's own traffic while another one carries the LAN's.
    private func relay() -> Relay? {
        // No route can be put on a link that is not up yet.
        guard let vrrp, let link = picture.links.values.first(where: { $0.name == vrrp.interface }),
            link.flags.contains(.up)
        else { return nil }
        let sources = (picture.addresses[link.index] ?? []).compactMap(\.local.v4).filter {
            .v4($0) != vrrp.address.address
        }
        return Relay(interface: link.index, gateway: vrrp.address.address, sources: sources)
    }

    /// Brings routes, rules and the table's maps to what is wanted; `nil`, or what went wrong. `keepingOld`: what must go
    /// stays for now, as it does while a policy is exchanged.
    @discardableResult
    func reconcile(keepingOld: Bool = false) -> String? {
        // First the routes: a mark never leads to a table that is not filled yet.
        defer { steer() }
        // Before the uplinks were looked at once, what stands is an earlier daemon's and carries traffic.
        let keepsOld = keepingOld || former != nil || !hasLooked
        let (wanted, taken) = plane()
        tellOfTaken(taken)
        let steps = changes(from: picture.found, to: wanted).filter { !keepsOld || !$0.isRemoval }
        guard !steps.isEmpty else {
            alarms.clear(.routes)
            return nil
        }
        let failures = kernel.apply(steps, to: &picture.found)
        guard !failures.isEmpty else {
            alarms.clear(.routes)
            return nil
        }
        let text = failures.joined(separator: "; ")
        alarms.raise(.routes, "the kernel refused: \(text)", .error, rest: ", looking at everything anew")
        repair(.plane, because: [])
        return text
    }

    // MARK: repairs

    /// Something of ours is not as it should be although we changed nothing: somebody else did.
    private func repairIfNeeded() {
        let steps = changes(from: picture.found, to: plane().wanted)
        if steps.isEmpty { return }
        repair(
            .plane, because: ["\(steps.count) of our routes and rules were changed by another program (\(steps[0]))"])
    }

    /// Now, or when its pace allows it.
    private func repair(_ part: Repairs.Part, because reasons: [String]) {
        let now = Daemon.moment()
        let due = repairs.need(part, because: reasons, at: now)
        // Without a table nothing of the LAN gets out: that is no matter of minutes, whoever takes it away.
        if part == .table, due > now + .seconds(1), !kernel.translates() {
            repairs.need(part, because: [], at: now, within: .seconds(1))
        }
        repairWhatIsDue()
    }

    private func repairWhatIsDue() {
        for (part, reasons) in repairs.take(at: Daemon.moment()) {
            var outcome = ", put back"
            switch part {
            case .table:
                replaceTable(isRepair: true)
                if tableFault != nil { outcome = "; the nft table is refused" }
            case .plane:
                do throws(NetlinkError) {
                    try kernel.dump(into: &picture)
                } catch {
                    log(.error, "the kernel's state could not be read: \(error), trying again")
                    repairs.need(.plane, because: reasons, at: Daemon.moment() + .seconds(1))
                    continue
                }
                reconcile()
            }
            if !reasons.isEmpty { note(kind: "repair", reasons.joined(separator: "; ") + outcome) }
        }
        if let repairTimer { loop.cancel(repairTimer) }
        repairTimer = repairs.next.map { due in
            loop.schedule(at: due.nanoseconds) { [weak self] in self?.repairWhatIsDue() }
        }
    }
}
