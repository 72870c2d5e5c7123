internal import WANModel

extension Reading {
    /// Rules that can never match: the first one that matches counts, and traffic from an uplink has its uplink already.
    mutating func warnAboutRules(_ rules: [(rule: PolicyRule, position: SourcePosition)]) {
        for (index, (rule, position)) in rules.enumerated() where !rule.match.isEmpty {
            let problem = "rule \(rule.name.quoted) can never match"
            if let uplink = rule.match.interface.flatMap({ interfacesOfUplinks[$0] }) {
                warn(
                    position,
                    "\(problem): what comes in by \(rule.match.interface ?? "") belongs to uplink \(uplink.quoted)",
                    "rules are for traffic from the LAN; name an interface of the LAN")
                continue
            }
            guard let first = rules[..<index].first(where: { $0.rule.match.covers(rule.match) }) else { continue }
            let what = first.rule.match.isEverything ? "everything" : "all of it"
            warn(
                position,
                "\(problem): rule \(first.rule.name.quoted) before it (line \(first.position.line)) takes \(what)",
                "the first rule that matches counts; move it up, or remove it")
        }
    }

    /// Rules are for what comes from the LAN.
    mutating func warnAboutInterface(_ field: Field?, of match: PolicyRule.Match, lan: [String]) {
        guard let field, let interface = match.interface, !lan.isEmpty, !lan.contains(interface),
            interfacesOfUplinks[interface] == nil
        else { return }
        warn(
            field.position, "interface \(interface) is not in lan.interfaces",
            "it may be one of a VPN or of another network; if it is the LAN's, name it there: \(lan.joined(separator: ", "))"
        )
    }

    /// How long sources stay where they are, of `failover` or of a rule; without a shared step there is nothing to stay with.
    mutating func sticky(_ section: Section, order: [Failover.Step]?) -> Duration? {
        guard let sticky = duration(section["sticky"], in: .seconds(1)...(.seconds(86400))) else { return nil }
        if let order, order.allSatisfy({ $0.members.count < 2 }) {
            warn(
                section.keyPosition("sticky") ?? section.position, "sticky \(sticky.policyText) has no effect",
                "it keeps a source on one uplink of a step that several share, and this order has no such step")
        }
        return sticky
    }
}
