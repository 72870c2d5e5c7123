internal import NetworkTypes
package import WANControl
package import WANModel

/// What people and scripts hear of the site.
extension SiteRole {
    /// Who has the virtual address, as far as this box can know.
    package func holder(at now: Moment) -> String? {
        book.holder(own: settings.position.node.name, role: role, at: now)
    }

    /// Why the site's traffic cannot go to this uplink of another box, as far as that is known.
    package func refusal(of uplink: String, on other: Node, at now: Moment) -> String? {
        if hasKeepalived == false { return "keepalived, which would give the address away, does not run here" }
        return book.objection(to: uplink, on: other.name, at: now)
    }

    /// A box that could take the site over, and by which uplink.
    package func successor(at now: Moment) -> (node: String, uplink: String)? {
        // Who is best takes the address.
        let best = settings.position.peers.compactMap { book.present($0.name, at: now) }
            .max { $0.health < $1.health }
        guard let best, best.health > NodeHealth.held, let uplink = best.uplinks.first(where: { $0.state == .up })
        else { return nil }
        return (best.node, uplink.name)
    }

    /// Adds what a box of a site says of itself and the others.
    package func add(to report: inout StatusReport, fingerprint: String, at now: Moment) {
        report.roleReason = reason
        report.virtualAddress = StatusReport.VirtualAddress(
            address: settings.vrrp.address.address.description, holder: holder(at: now))
        report.peers = book.reports(at: now)
        report.warnings += disagreements(fingerprint, now) + vainHandOver(now)
    }

    /// One file for all boxes; what each has in force may be another one.
    private func disagreements(_ fingerprint: String, _ now: Moment) -> [String] {
        settings.position.peers.compactMap { peer in
            guard let theirs = book.present(peer.name, at: now)?.policy, theirs != fingerprint else { return nil }
            return
                "\(peer.name) has another policy in force: nodes, vrrp or failover.order differ; put the same file on every box, "
                + "reload, and make keepalived's configuration anew (`wanctl export keepalived`)"
        }
    }

    /// The address is here although the operator wants it elsewhere.
    private func vainHandOver(_ now: Moment) -> [String] {
        guard let handOver, role == .master, now - max(since, handOver.since) > .seconds(5) else { return [] }
        return [
            "this box stands aside for \(handOver.uplink), but no other box takes the address; `wanctl auto` ends that"
        ]
    }

    /// The same for `wanctl why`.
    package func lines(at now: Moment) -> [String] {
        var lines = ["this box is \(role.rawValue) for \((now - since).spokenText): \(reason)"]
        let value = told.map { "\($0)" } ?? "not told yet"
        lines.append("its health for keepalived is \(value) (the best of this site is \(settings.position.count + 1))")
        if let notice { lines.append("keepalived last said: \(notice.line)") }
        if let handOver { lines.append("it stands aside for \(handOver.uplink), by the operator's word") }
        if role == .backup { lines.append("its own traffic goes to \(settings.vrrp.address.address)") }
        return lines
    }
}
