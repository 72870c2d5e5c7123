/// A site's policy has no such box.
package struct UnknownNode: Error, Hashable, Sendable, CustomStringConvertible {
    package var name: String
    package var known: [String]

    package init(name: String, known: [String]) {
        self.name = name
        self.known = known
    }

    package var description: String {
        "the policy has no node \"\(name)\"; its nodes are \(known.joined(separator: ", ")): name one with --node, or add this one"
    }
}

/// What a box knows of its site beside its own part of the policy.
package struct SitePosition: Hashable, Sendable {
    package var node: Node
    /// The other boxes, in the order of the file.
    package var peers: [Node]
    /// For each of its own uplinks that `failover` names, how many of the site stand before it: 0 is the best.
    package var ranks: [String: Int]
    /// How many uplinks `failover` names, on all boxes.
    package var count: Int

    package init(node: Node, peers: [Node], ranks: [String: Int], count: Int) {
        self.node = node
        self.peers = peers
        self.ranks = ranks
        self.count = count
    }
}

extension Policy {
    /// The uplinks of `failover.order`, best first; those that share a step as they are written there.
    package var siteOrder: [String] { failover.order.flatMap { $0.members.map(\.uplink) } }

    /// What one box of the site obeys: its own uplinks, and of orders, rules and forwards what concerns them.
    ///
    /// A rule of which no uplink is here stays with an empty order, so that `otherwise` applies and no later rule takes its
    /// traffic; a forward of which none is here goes. A policy without nodes is the part of every box.
    package func part(of node: String) throws(UnknownNode) -> Policy {
        if nodes.isEmpty { return self }
        try check(node)
        var part = self
        part.uplinks = uplinks.filter { $0.node == node }
        let own = Set(part.uplinks.map(\.name))
        part.failover.order = failover.order.restricted(to: own)
        for index in part.rules.indices { part.rules[index].order = rules[index].order.restricted(to: own) }
        part.forwards = forwards.compactMap { forward in
            var forward = forward
            forward.uplinks.removeAll { !own.contains($0) }
            return forward.uplinks.isEmpty ? nil : forward
        }
        return part
    }

    /// Where a box stands in its site; `nil` for a policy without nodes. To be asked of the whole policy, not of a part.
    package func position(of node: String) throws(UnknownNode) -> SitePosition? {
        if nodes.isEmpty { return nil }
        let found = try check(node)
        let own = Set(uplinks.filter { $0.node == node }.map(\.name))
        let order = siteOrder
        let ranks = order.enumerated().filter { own.contains($0.element) }.map { ($0.element, $0.offset) }
        return SitePosition(
            node: found, peers: nodes.filter { $0.name != node },
            ranks: Dictionary(ranks, uniquingKeysWith: { first, _ in first }), count: order.count)
    }

    @discardableResult
    private func check(_ name: String) throws(UnknownNode) -> Node {
        guard let node = nodes.first(where: { $0.name == name }) else {
            throw UnknownNode(name: name, known: nodes.map(\.name))
        }
        return node
    }
}

extension [Failover.Step] {
    /// Without the members that are not among these, and without the steps that leaves empty.
    fileprivate func restricted(to uplinks: Set<String>) -> [Failover.Step] {
        compactMap { step in
            let members = step.members.filter { uplinks.contains($0.uplink) }
            return members.isEmpty ? nil : Failover.Step(members)
        }
    }
}
