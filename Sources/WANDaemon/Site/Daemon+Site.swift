internal import LinuxIO
internal import NetworkTypes
internal import PacketWire
internal import WANControl
internal import WANEngine
internal import WANModel

/// The site of several boxes, as the daemon sees it: `SiteLink` with what it asks and what it orders.
extension Daemon {
    /// The policy's VRRP where this box is one of several.
    var vrrp: VRRP? { site.role?.settings.vrrp }

    /// Another box carries the traffic.
    var isBackup: Bool { site.isBackup }

    /// On whatever interface: the kernel answers for it on all.
    private var hasAddress: Bool {
        guard let address = policy.vrrp?.address.address else { return false }
        return router.picture.addresses.values.contains { list in list.contains { $0.local == address } }
    }

    /// At start and after a reload.
    func takeSite(_ handOver: SiteRole.HandOver?) {
        let isPossible = handOver.map { policy.vrrp != nil && otherBox(of: $0.uplink) != nil } ?? false
        site.adopt(
            loaded, handOver: isPossible ? handOver : nil,
            SiteLink.Orders(
                fitness: { [unowned self] in fitness($0) }, hello: { [unowned self] in hello() },
                hasAddress: { [unowned self] in hasAddress }, awaitStrays: { [unowned self] in flows.awaitStrays() },
                steer: { [unowned self] in router.table.steer() },
                reroute: { [unowned self] in _ = router.reconcile() },
                role: { [unowned self] in take($0, isFirst: $1) },
                handOverEnded: { [unowned self] in endHandOver($0, because: "its time is over") },
                changed: { [unowned self] in watchers.statusHasChanged() },
                note: { [unowned self] in note($0, $1) }))
        guard !isPossible else { return }
        endHandOver(
            handOver,
            because: policy.vrrp == nil
                ? "the policy has no vrrp any more" : "the policy has no such uplink of another box any more")
    }

    private func fitness(_ position: SitePosition) -> SiteRole.Fitness {
        let now = Daemon.moment()
        func health(isTrusted: Bool) -> Int {
            engine.health(ranks: position.ranks, count: position.count, isTrusted: isTrusted, at: now)
        }
        return SiteRole.Fitness(
            health: health(isTrusted: false), trusted: health(isTrusted: true),
            // While a policy is exchanged, where an uplink is attached is not known yet.
            isProving: engine.isProving || !router.hasReadKernel || router.outgoingUplinks != nil,
            isUntranslated: router.table.fault?.isUntranslated == true,
            isUnreliable: site.isUnreliable || router.table.fault?.isFrozen == true)
    }

    private func hello() -> PeerHello {
        PeerHello(
            node: node, site: policy.site, version: wanctlVersion, policy: loaded.siteFingerprint,
            pinned: engine.pin.map { name($0.uplink) }, role: .alone, health: 0,
            selected: engine.decision.share.map(name),
            uplinks: engine.views(at: Daemon.moment()).map { view in
                PeerHello.Uplink(
                    name: view.name, state: view.state)
            })
    }

    private func take(_ role: BoxRole, isFirst: Bool) {
        feed(.isBackup(role == .backup))
        guard let site = site.role else { return }
        note(.role, "\(role.rawValue): \(site.reason)")
        if role == .master, !isFirst {
            // A switch of the site as this box sees it: proven as one between its own uplinks is.
            var decision = engine.decision
            decision.previous = []
            decision.cause = "this box is master: \(site.reason)"
            decision.faultSince = nil
            recordSwitch(decision, decidedAt: site.since, failure: nil)
        }
        service.notify("STATUS=\(summary())")
        watchers.statusHasChanged()
    }

    // MARK: `wanctl failover` to an uplink of another box

    /// The box of the site that has this uplink, where it is not this one.
    func otherBox(of uplink: String) -> Node? {
        guard let name = loaded.sitePolicy.uplink(named: uplink)?.node, name != node else { return nil }
        return loaded.sitePolicy.nodes.first { $0.name == name }
    }

    /// This box stands aside, and VRRP moves the address there.
    func handOver(
        to uplink: String, on other: Node, for span: Duration?, force: Bool, _ peer: Peer, _ reply: ControlReply
    ) {
        guard let role = site.role else {
            return reply.fail(
                .refused, "\(uplink) is an uplink of \(other.name), and the policy has no vrrp to move there")
        }
        let now = Daemon.moment()
        if !force, let refusal = role.refusal(of: uplink, on: other, at: now) {
            return reply.fail(.refused, "\(refusal); --force to give the address away all the same")
        }
        // The operator wants one thing at a time.
        if engine.pin != nil { feed(.operatorCommand(.auto)) }
        let end = span.map { " for \($0.policyText)" } ?? ""
        let done = "this box stands aside for \(other.name), which has \(uplink)\(end)"
        note(.operator, "\(done) (by \(peer))")
        site.setHandOver(SiteRole.HandOver(uplink: uplink, since: now, until: span.map { now + $0 }))
        remember()
        recorder.flush()
        let notes = isBackup ? ["this box is backup: the address is not here to be given away"] : []
        reply.finish(ActionReport(done: done, warnings: notes).json)
    }

    func endHandOver(_ handOver: SiteRole.HandOver?, because reason: String) {
        guard let handOver else { return }
        site.setHandOver(nil)
        note(.auto, "this box stands aside for \(handOver.uplink) no more: \(reason)")
        remember()
    }
}
