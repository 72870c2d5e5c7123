internal import NetworkTypes
package import WANControl
package import WANModel

/// The last hello of each other box of the site, and when it was heard. A value: time comes in.
package struct PeerBook: Sendable {
    private struct Entry: Sendable {
        var node: Node
        var hello: PeerHello?
        var at = Moment.zero
        /// The run before the present one: hellos of it that come late are not news.
        var formerRun: Int64?
    }

    /// In the order of the policy.
    private var entries: [Entry]

    package init(peers: [Node]) { entries = peers.map { Entry(node: $0) } }

    /// After a reload: who is still there at the same address keeps its hello.
    package mutating func keep(peers: [Node]) {
        let former = entries
        entries = peers.map { node in former.first { $0.node == node } ?? Entry(node: node) }
    }

    /// Notes a hello; `false` where it is no peer's, or not newer than the one that is here.
    @discardableResult
    package mutating func hear(_ hello: PeerHello, at now: Moment) -> Bool {
        guard let index = entries.firstIndex(where: { $0.node.name == hello.node }) else { return false }
        if let last = entries[index].hello {
            // Only against one that still speaks: a stray or forged hello must not silence its node for good.
            let isFresh = now - entries[index].at <= PeerReport.freshness
            if hello.run == last.run {
                if isFresh, hello.sequence <= last.sequence { return false }
            } else {
                if isFresh, hello.run == entries[index].formerRun { return false }
                entries[index].formerRun = last.run
            }
        }
        entries[index].hello = hello
        entries[index].at = now
        return true
    }

    /// The last hello of a peer, however old, and its age; `nil` where none was heard.
    package func last(of node: String, at now: Moment) -> (hello: PeerHello, age: Duration)? {
        guard let entry = entries.first(where: { $0.node.name == node }), let hello = entry.hello else { return nil }
        return (hello, max(.zero, now - entry.at))
    }

    /// What a peer says now: its hello while it is fresh (`PeerReport.freshness`).
    package func present(_ node: String, at now: Moment) -> PeerHello? {
        last(of: node, at: now).flatMap { $0.age <= PeerReport.freshness ? $0.hello : nil }
    }

    /// Who has the virtual address, as far as this box can know: the only one that says it is master; `nil` for none or several.
    package func holder(own node: String, role: BoxRole, at now: Moment) -> String? {
        var masters = role == .master ? [node] : []
        masters += entries.map(\.node.name).filter { present($0, at: now)?.role == .master }
        return masters.count == 1 ? masters.first : nil
    }

    /// The peers for `wanctl status`, in the order of the policy.
    package func reports(at now: Moment) -> [PeerReport] {
        entries.map { entry in
            var report = PeerReport(node: entry.node.name, address: entry.node.address.description)
            guard let hello = entry.hello else { return report }
            report.role = hello.role
            report.health = hello.health
            report.selected = hello.selected
            report.uplinks = hello.uplinks
            report.pinned = hello.pinned
            report.heard = max(.zero, now - entry.at)
            return report
        }
    }

    /// Why moving the site to an uplink of a peer cannot work, as far as can be known; `nil` where nothing speaks against it.
    ///
    /// A box that stands aside has the health `NodeHealth.held`: the address moves only to one that has more.
    package func objection(to uplink: String, on node: String, at now: Moment) -> String? {
        guard entries.contains(where: { $0.node.name == node }) else { return "\(node) is no other node of this site" }
        guard let (hello, age) = last(of: node, at: now) else {
            return "\(node), which has \(uplink), has not been heard since this daemon started"
        }
        if age > PeerReport.freshness {
            return "\(node), which has \(uplink), was last heard \(age.spokenText) ago"
        }
        if let found = hello.uplinks.first(where: { $0.name == uplink }) {
            if !found.state.isUsable {
                return "\(uplink) is \(found.state.rawValue) on \(node)"
            }
        } else if hello.leftOut == 0 {
            return "\(node) knows no uplink \(uplink): its policy is another one"
        }
        // Who is best takes the address, whomever it was meant for.
        let better = entries.first { entry in
            entry.node.name != node && (present(entry.node.name, at: now)?.health ?? 0) > hello.health
        }
        if let better {
            return "\(better.node.name) is better than \(node) and would take the address; let it stand aside first"
        }
        switch hello.health {
        case NodeHealth.yield: return "\(node) is giving the virtual address away itself"
        case ...NodeHealth.none: return "\(node) says that it has no usable uplink"
        case NodeHealth.held:
            return
                "\(node) is not fit to be master: its uplink has to hold first or works badly, or it stands aside itself"
        default: return nil
        }
    }
}
