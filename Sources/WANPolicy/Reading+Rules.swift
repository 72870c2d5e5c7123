internal import NetworkTypes
internal import WANModel

extension Reading {
    mutating func rules(_ section: Section) -> [PolicyRule] {
        guard let field = section["rules"] else { return [] }
        use(.rules, at: section.keyPosition("rules") ?? field.position)
        var names: [String: SourcePosition] = [:]
        var rules: [PolicyRule] = []
        var sound: [(rule: PolicyRule, position: SourcePosition)] = []
        for (index, element) in (elements(field, limit: 1000) ?? []).enumerated() {
            let faultsBefore = faults.count
            guard let rule = rule(element, path: "rules.\(index)", &names) else { continue }
            rules.append(rule)
            // A rule with a fault may match more than its author wrote: nothing follows from it.
            if faults.count == faultsBefore { sound.append((rule, names[rule.name] ?? element.position)) }
        }
        warnAboutRules(sound)
        return rules
    }

    private mutating func rule(_ field: Field, path: String, _ names: inout [String: SourcePosition]) -> PolicyRule? {
        let rule = Field(name: "a rule", node: field.node)
        guard let section = section(rule, .rule, path: path) else { return nil }
        for key in ["name", "match", "order"] where section[key] == nil {
            fault(section.position, "this rule has no \(key)")
        }
        let name = label(section["name"])
        if let name, let position = section["name"]?.position {
            if let first = names[name] {
                fault(position, "rule \(name.quoted) is there twice", "the first is in line \(first.line)")
            }
            names[name] = position
        }
        let match = match(section["match"], path: "\(path).match")
        let order = order(section["order"])
        let otherwise = word(section["otherwise"], of: PolicyRule.Otherwise.self) ?? .default
        let sticky = sticky(section, order: order)
        let drain = duration(section["drain"], in: Self.untilADay)
        guard let name, let match, let order else { return nil }
        var found = PolicyRule(name: name, match: match, order: order, otherwise: otherwise)
        found.sticky = sticky
        found.drain = drain
        return found
    }

    private mutating func match(_ field: Field?, path: String) -> PolicyRule.Match? {
        guard let section = section(field, .match, path: path) else { return nil }
        var match = PolicyRule.Match()
        match.source = addressSet(section["source"], path: "\(path).source")
        match.destination = addressSet(section["destination"], path: "\(path).destination")
        let transport = word(section["protocol"], of: Transport.self)
        match.transport = transport?.number
        match.ports = portList(section["port"])
        match.sourcePorts = portList(section["source-port"])
        match.interface = interface(section["interface"])
        warnAboutInterface(section["interface"], of: match, lan: lanInterfaces)
        match.dscp = dscp(section["dscp"])
        match.mark = foreignMark(section["fwmark"])
        // A protocol that could not be read may have meant one with ports.
        guard transport != nil || section["protocol"] == nil else { return match }
        let hasPorts = transport.map { Transport.hasPorts($0.number) } ?? false
        for key in ["port", "source-port"] where !hasPorts {
            guard let position = section.keyPosition(key) else { continue }
            if let transport {
                fault(position, "\(transport.rawValue) has no ports", "remove \(key), or write protocol: tcp or udp")
            } else {
                fault(position, "a \(key) needs its protocol", "add protocol: tcp or udp")
            }
        }
        return match
    }
}
