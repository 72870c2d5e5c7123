internal import WANModel

/// What orders cannot do in a site: each box has its own uplinks alone, so traffic is shared by the uplinks of one box.
extension Reading {
    mutating func warnAboutSharing(_ policy: Policy) {
        let homes = Dictionary(policy.uplinks.map { ($0.name, $0.node) }) { first, _ in first }
        warnAbout(policy.failover.order, homes, at: positions["failover.order"] ?? .start)
        for (index, rule) in policy.rules.enumerated() {
            warnAbout(rule.order, homes, at: positions["rules.\(index).order"] ?? .start)
        }
    }

    private mutating func warnAbout(_ order: [Failover.Step], _ homes: [String: String?], at position: SourcePosition) {
        for step in order {
            let nodes = step.members.compactMap { homes[$0.uplink] ?? nil }.reduce(into: [String]()) { found, node in
                if !found.contains(node) { found.append(node) }
            }
            guard nodes.count > 1 else { continue }
            let names = nodes.dropLast().map(\.quoted).joined(separator: ", ") + " and " + (nodes.last ?? "").quoted
            warn(
                position, "\(step) cannot be shared: its uplinks are on \(names), and each box uses its own alone",
                "the one that is written first comes first, as in a plain order; share between uplinks of one box")
        }
    }
}
