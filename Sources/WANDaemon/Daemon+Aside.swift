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
        let until = span.map { Clock.realtime() / 1_000_000_000 + $0.components.seconds }
        state.aside = (uplink, until)
        let end = span.map { " for \($0.policyText)" } ?? ""
        let done = "this box stands aside for \(other.name), which has \(uplink)\(end)"
        note(kind: "operator", "\(done) (by \(peer))")
        isStateUnwritten = true
        watchAside()
        writeHealth()
        writeDown()
        let notes =
            standsBy ? ["this box is backup: the address is not here to be given away"] : []
        reply.finish(ActionReport(done: done, warnings: notes).json)
    }

    /// Ends when its time is over; a clock that jumps moves that, as it moves what the operator meant.
    func watchAside() {
        if let asideTimer { loop.cancel(asideTimer) }
        asideTimer = nil
        guard let aside = state.aside else { return }
        guard otherBox(of: aside.uplink) != nil else {
            return endAside(because: "the policy has no such uplink of another box any more")
        }
        guard let until = aside.until else { return }
        let left = until - Clock.realtime() / 1_000_000_000
        guard left > 0 else { return endAside(because: "its time is over") }
        asideTimer = loop.schedule(at: Clock.boottime() + min(left, 60) * 1_000_000_000) { [weak self] in
            self?.watchAside()
        }
    }

    /// `nil`: the operator said so, and that is told already.
    func endAside(because reason: String?) {
        guard let aside = state.aside else { return }
        state.aside = nil
        isStateUnwritten = true
        if let reason { note(kind: "auto", "this box stands aside for \(aside.uplink) no more: \(reason)") }
        watchAside()
        writeHealth()
        remember()
    }
}
