internal import NetworkTypes
internal import WANModel

extension Reading {
    /// What can only be said of the site as a whole, once all of it has been read.
    mutating func checkSite(_ policy: Policy) {
        guard let vrrp = policy.vrrp else { return }
        checkNodes(policy, vrrp)
        checkInterface(policy, vrrp)
        if vrrp.backupForwarding == .off, policy.lan.interfaces.isEmpty, let key = positions["vrrp.backup.forwarding"] {
            warn(
                key, "forwarding off has no effect",
                "it is turned off for lan.interfaces, and there are none: name them")
        }
        if vrrp.key == nil, policy.nodes.count > 1 {
            warn(
                positions["vrrp"] ?? .start,
                "the words of the boxes are not signed: any host of the LAN can forge them",
                "set vrrp.key, such as key: /etc/wanctl/site.key, see wanctl.yaml(5)")
        }
        warnAboutSharing(policy)
        let highest = NodeHealth.highestBase(count: policy.siteOrder.count)
        if vrrp.priority > highest, let key = positions["vrrp.priority"] {
            fault(
                key, "priority \(vrrp.priority) leaves no room for the health of \(policy.siteOrder.count) uplinks",
                "it may be 1 to \(highest): each adds one at least, and 254 is the end")
        }
        if policy.nodes.count == 1, let node = policy.nodes.first {
            warn(
                positions["nodes.\(node.name)"] ?? .start, "\(node.name.quoted) is the only node",
                "add the others, or remove nodes and vrrp")
        }
    }

    private mutating func checkNodes(_ policy: Policy, _ vrrp: VRRP) {
        // Where it fits no box it is the one that is wrong.
        let isHost =
            vrrp.address.length == IPPrefix(host: vrrp.address.address).length
            || isAlien(vrrp, policy)
        for node in policy.nodes {
            let position = positions["nodes.\(node.name).address"] ?? .start
            if node.address == vrrp.address.address {
                fault(
                    position, "address \(node.address) of node \(node.name.quoted) is the virtual one",
                    "each box keeps an address of its own, for only one has the virtual one")
            } else if !isHost, !vrrp.address.contains(node.address) {
                warn(
                    position, "address \(node.address) of node \(node.name.quoted) is outside of \(vrrp.address)",
                    "the boxes usually stand in the network of the address they share")
            }
            if !uplinksHaveNode(node.name, policy) {
                warn(
                    positions["nodes.\(node.name)"] ?? .start, "node \(node.name.quoted) has no uplink",
                    "with the address it would lead nowhere; give it one, or remove it")
            }
        }
    }

    private mutating func isAlien(_ vrrp: VRRP, _ policy: Policy) -> Bool {
        guard policy.nodes.count > 1, !policy.nodes.contains(where: { vrrp.address.contains($0.address) }),
            vrrp.address.length < IPPrefix(host: vrrp.address.address).length
        else { return false }
        warn(
            positions["vrrp.address"] ?? .start, "no node has an address in the network of \(vrrp.address)",
            "the boxes usually stand in the network of the address they share")
        return true
    }

    /// Uplinks with faults are not in the policy, and their nodes unknown: nothing is said then.
    private func uplinksHaveNode(_ node: String, _ policy: Policy) -> Bool {
        policy.uplinks.count < uplinks.count || policy.uplinks.contains { $0.node == node || $0.node == nil }
    }

    private mutating func checkInterface(_ policy: Policy, _ vrrp: VRRP) {
        let position = positions["vrrp.interface"] ?? .start
        if let uplink = policy.uplinks.first(where: { $0.interface == vrrp.interface }) {
            fault(
                position, "interface \(vrrp.interface) is the one of uplink \(uplink.name.quoted)",
                "the virtual address belongs on an interface of the LAN")
        } else if !policy.lan.interfaces.isEmpty, !policy.lan.interfaces.contains(vrrp.interface) {
            warn(
                position, "interface \(vrrp.interface) is not in lan.interfaces",
                "hosts that have the virtual address as their gateway are not routed")
        }
    }
}
