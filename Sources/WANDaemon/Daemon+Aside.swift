internal import LinuxIO
internal import WANControl
internal import WANEngine
internal import WANModel

/// `wanctl failover` to an uplink of another box: this one stands aside, and VRRP moves the address there.
extension Daemon {
    /// The box of the site that has this uplink, where it is not this one.
    func otherBox(of uplink: String) -> Node? {
        guard let name = loaded.sitePolicy.uplink(named: uplink)?.node, name != node else { return nil }
        return loaded.sitePolicy.nodes.first { $0.name == name }
    }

    func standAside(
        _ uplink: String, on other: Node, for span: Duration?, force: Bool, _ peer: Peer, _ reply: ControlReply
    ) {
        guard vrrp != nil else {
            return reply.fail(
                .refused, "\(uplink) is an uplink of \(other.name), and the policy has no vrrp to move there")
        }
        if !force, let refusal = refusal(of: uplink, on: other) {
            return reply.fail(.refused, "\(refusal); --force to give the address away all the same")
        }
        // The operator wants one thing at a time.
        if engine.pin != nil { feed(.operatorCommand(.auto)) }
        state.aside = (uplink, nil)
        asideSince = Daemon.moment()
        asideUntil = span.map { Daemon.moment() + $0 }
        let end = span.map { " for \($0.policyText)" } ?? ""
        let done = "this box stands aside for \(other.name), which has \(uplink)\(end)"
        note(kind: "operator", "\(done) (by \(peer))")
        watchAside()
        writeHealth()
        remember()
        recorder.flush()
        let notes =
            standsBy ? ["this box is backup: the address is not here to be given away"] : []
        reply.finish(ActionReport(done: done, warnings: notes).json)
    }

    /// Ends when its time is over, by the clock that never jumps.
    func watchAside() {
        if let asideTimer { loop.cancel(asideTimer) }
        asideTimer = nil
        guard let aside = state.aside else { return }
        guard otherBox(of: aside.uplink) != nil else {
            return endAside(because: "the policy has no such uplink of another box any more")
        }
        guard let asideUntil else { return }
        guard asideUntil > Daemon.moment() else { return endAside(because: "its time is over") }
        asideTimer = loop.schedule(at: asideUntil.nanoseconds) { [weak self] in self?.watchAside() }
    }

    /// `nil`: the operator said so, and that is told already.
    func endAside(because reason: String?) {
        guard let aside = state.aside else { return }
        state.aside = nil
        asideUntil = nil
        if let reason { note(kind: "auto", "this box stands aside for \(aside.uplink) no more: \(reason)") }
        watchAside()
        writeHealth()
        remember()
    }
}
