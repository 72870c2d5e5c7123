import ControlText
import JSONText
import NetworkTypes
import WANControl
import WANModel

/// What one box of a site will do, as `wanctl check --node` tells it.
struct SitePart {
    let node: String
    let site: Policy
    /// What the box obeys.
    let part: Policy
    /// `nil` for a policy without nodes: the box is alone.
    let position: SitePosition?

    init(of node: String, in policy: Policy) throws(UnknownNode) {
        self.node = node
        site = policy
        part = try policy.part(of: node)
        position = try policy.position(of: node)
    }

    /// All of it, with the rules as the box has them.
    func text(_ style: TextStyle) -> String {
        let rules = part.rules.text(style)
        return lines(style).map { $0 + "\n" }.joined() + (rules.isEmpty ? "" : "\n" + rules)
    }

    func lines(_ style: TextStyle) -> [String] {
        guard let position, let vrrp = site.vrrp else {
            return ["The policy has no nodes: every box obeys all of it."]
        }
        var lines = ["\(printable(node)), \(position.node.address), of \(names(site.nodes))"]
        lines += paragraph("uplinks", uplinksText(position), style)
        lines += paragraph("order", part.failover.order.map(\.description).joined(separator: ", "), style)
        lines += paragraph("priority", prioritiesText(vrrp, position), style)
        lines += paragraph("as master", masterText, style)
        lines += paragraph("as backup", backupText(vrrp), style)
        lines += paragraph("keepalived", "health in \(vrrp.trackFile), role from \(vrrp.notifyFIFO)", style)
        let elsewhere = part.rules.filter(\.order.isEmpty).map(fate)
        if !elsewhere.isEmpty { lines += paragraph("elsewhere", elsewhere.joined(separator: "; "), style) }
        if !part.forwards.isEmpty {
            lines += paragraph("forwards", part.forwards.map(\.text).joined(separator: ", "), style)
        }
        return lines
    }

    /// What becomes here of the traffic of a rule that names uplinks of other boxes alone.
    private func fate(of rule: PolicyRule) -> String {
        let named = site.rules.first { $0.name == rule.name }?.order.flatMap { $0.members.map(\.uplink) } ?? []
        let uplinks = named.map { "\($0) of \(site.uplink(named: $0)?.node ?? "another box")" }
        let end =
            switch rule.otherwise {
            case .default: "follows failover"
            case .reject: "is rejected"
            case .drop: "is dropped"
            }
        return
            "the uplinks of rule \(rule.name) (\(uplinks.joined(separator: ", "))): while this box is master, its traffic \(end)"
    }

    private func paragraph(_ title: String, _ text: String, _ style: TextStyle) -> [String] {
        let label = "  " + title + String(repeating: " ", count: max(1, 12 - title.count))
        let wrapped = style.wrap(printable(text.isEmpty ? "none" : text), indent: 14, firstIndent: 14)
        return wrapped.enumerated().map { $0.offset == 0 ? label + $0.element.dropFirst(14) : $0.element }
    }

    private func names(_ nodes: [Node]) -> String { nodes.map { printable($0.name) }.joined(separator: ", ") }

    private func uplinksText(_ position: SitePosition) -> String {
        part.uplinks.map { uplink in
            let rank = position.ranks[uplink.name].map { ", \($0 + 1) of \(position.count)" } ?? ", in no order"
            return "\(uplink.name) (\(uplink.interface)\(rank)\(uplink.metered ? ", metered" : ""))"
        }.joined(separator: ", ")
    }

    /// `253 with ftth, 151 with a held one alone, 100 with none`
    private func prioritiesText(_ vrrp: VRRP, _ position: SitePosition) -> String {
        let cases = priorities(vrrp, position).map { "\($0.priority) with \($0.name)" }
        let (held, none) = (NodeHealth.held, NodeHealth.none)
        let others = [(held, "a held one alone"), (none, "none")].compactMap { value, name in
            priority(value, vrrp, position).map { "\($0) with \(name)" }
        }
        return (cases + others).joined(separator: ", ")
    }

    /// Of each of its uplinks while it is the best that is usable, best first.
    private func priorities(_ vrrp: VRRP, _ position: SitePosition) -> [(name: String, priority: Int)] {
        position.ranks.sorted { $0.value < $1.value }.compactMap { name, rank in
            let candidate = NodeHealth.Candidate(rank: rank, isUsable: true, isHeld: false)
            return priority(NodeHealth.value(of: [candidate], count: position.count), vrrp, position).map { (name, $0) }
        }
    }

    private func priority(_ value: Int, _ vrrp: VRRP, _ position: SitePosition) -> Int? {
        NodeHealth.priority(value: value, base: vrrp.priority, count: position.count)
    }

    private var forwardingText: String {
        switch part.lan.forwarding {
        case .on where part.lan.interfaces.isEmpty: "forwards as it is set"
        case .on: "forwards for \(part.lan.interfaces.joined(separator: ", "))"
        case .leave: "leaves forwarding as it is"
        }
    }

    private var masterText: String {
        let classes = part.uplinks.compactMap { uplink in
            uplink.soracom.map { "\(uplink.name) in class \($0.selected) while it carries the traffic" }
        }
        return (["own traffic by its best uplink", forwardingText] + classes).joined(separator: "; ")
    }

    private func backupText(_ vrrp: VRRP) -> String {
        let isOff = vrrp.backupForwarding == .off && !part.lan.interfaces.isEmpty
        let forwarding = isOff ? "forwards nothing" : forwardingText
        let classes = part.uplinks.compactMap { uplink in
            uplink.soracom.map { "\(uplink.name) in class \($0.standby)" }
        }
        return (["own traffic to \(vrrp.address.address)", forwarding] + classes).joined(separator: "; ")
    }

    var json: JSONValue {
        guard let position, let vrrp = site.vrrp else { return ["name": .string(node)] }
        let priorities = Dictionary(priorities(vrrp, position), uniquingKeysWith: { first, _ in first })
        return [
            "name": .string(node), "address": .string(position.node.address.description),
            "uplinks": .array(
                part.uplinks.map { uplink in
                    [
                        "name": .string(uplink.name), "interface": .string(uplink.interface),
                        "place": JSONValue(position.ranks[uplink.name].map { Int64($0) }),
                        "priority": JSONValue(priorities[uplink.name].map { Int64($0) }),
                    ]
                }),
            "priority_held": JSONValue(priority(NodeHealth.held, vrrp, position).map { Int64($0) }),
            "priority_none": JSONValue(priority(NodeHealth.none, vrrp, position).map { Int64($0) }),
            "backup_forwards": .bool(vrrp.backupForwarding == .leave),
        ]
    }
}
