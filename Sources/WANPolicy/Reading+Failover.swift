internal import WANModel

extension Reading {
    /// Which uplink carries the traffic; without an order, the one of the file with the metered uplinks last.
    mutating func failover(_ field: Field?, uplinks known: [Uplink]) -> Failover {
        var failover = Failover()
        let byDefault = known.filter { !$0.metered } + known.filter(\.metered)
        failover.order = byDefault.map { Failover.Step($0.name) }
        guard let section = section(field, .failover, path: "failover") else { return failover }
        failover.order = order(section["order"]) ?? failover.order
        failover.hold = duration(section["hold"], in: Self.untilADay) ?? failover.hold
        failover.drain = drain(section["drain"]) ?? failover.drain
        failover.grace = duration(section["grace"], in: .zero ... .seconds(60)) ?? failover.grace
        failover.sticky = sticky(section, order: failover.order)
        failover.ownSockets = word(section["own-sockets"], of: Failover.OwnSockets.self) ?? failover.ownSockets
        return failover
    }

    private mutating func drain(_ field: Field?) -> Failover.Drain? {
        guard let section = section(field, .drain, path: "failover.drain") else { return nil }
        var drain = Failover.Drain()
        drain.default = duration(section["default"], in: Self.untilADay) ?? drain.default
        drain.metered = duration(section["metered"], in: Self.untilADay) ?? drain.metered
        drain.idle = duration(section["idle"], in: .zero ... .seconds(3600)) ?? drain.idle
        let most = ByteSize(bytes: 1_000_000_000_000)
        drain.meteredBytes = size(section["metered-bytes"], in: ByteSize(bytes: 1000)...most).map { UInt64($0.bytes) }
        return drain
    }

    static let untilADay = Duration.zero ... .seconds(86400)

    /// An uplink that no order names is probed and never used: probably forgotten.
    mutating func warnAboutForgotten(_ policy: Policy) {
        let steps = policy.failover.order + policy.rules.flatMap(\.order)
        let named = Set(steps.flatMap { $0.members.map(\.uplink) })
        for uplink in policy.uplinks where !named.contains(uplink.name) {
            warn(
                positions["uplinks.\(uplink.name)"] ?? .start, "uplink \(uplink.name.quoted) is in no order",
                "it is probed but never carries traffic; add it to failover.order")
        }
    }

    /// A list of steps: a name, `{ftth: 3, jcom: 1}`, or `[ftth, jcom]` for equal shares. No uplink twice.
    mutating func order(_ field: Field?) -> [Failover.Step]? {
        guard let elements = elements(field, limit: Int(UplinkNumber.range.upperBound)) else { return nil }
        var seen: [String: SourcePosition] = [:]
        var steps: [Failover.Step] = []
        for element in elements {
            let members = step(element).filter { isNew($0, &seen) }
            if members.count > 1 { use(.weights, at: element.position) }
            if !members.isEmpty {
                steps.append(Failover.Step(members.map { Failover.Member(uplink: $0.uplink, weight: $0.weight) }))
            }
        }
        return steps.isEmpty ? nil : steps
    }

    /// A list of uplinks, none twice.
    mutating func uplinkList(_ field: Field?) -> [String] {
        var seen: [String: SourcePosition] = [:]
        return (elements(field, limit: Int(UplinkNumber.range.upperBound)) ?? [])
            .compactMap { uplinkName($0.node, in: $0.name) }
            .filter { isNew($0, &seen) }
            .map(\.uplink)
    }

    private struct Named {
        var uplink: String
        var weight = 1
        var position: SourcePosition
    }

    private mutating func step(_ field: Field) -> [Named] {
        switch field.node.content {
        case .scalar: return uplinkName(field.node, in: field.name).map { [$0] } ?? []
        case .sequence:
            let members = elements(field, limit: Int(UplinkNumber.range.upperBound)) ?? []
            return members.compactMap { uplinkName($0.node, in: $0.name) }
        case .mapping:
            return (entries(field) ?? []).compactMap { entry in
                let name = YAMLNode(.scalar(entry.key, quoted: false), at: entry.position)
                let named = uplinkName(name, in: field.name)
                let weight = integer(Field(name: "weight of \(entry.key)", node: entry.value), in: 1...100)
                return named.map { Named(uplink: $0.uplink, weight: weight ?? 1, position: $0.position) }
            }
        }
    }

    private mutating func uplinkName(_ node: YAMLNode, in list: String) -> Named? {
        guard let name = text(Field(name: list, node: node), "the name of an uplink") else { return nil }
        if uplinks.contains(name) { return Named(uplink: name, position: node.position) }
        unknown("uplink", name, at: node.position, known: firstUplinks)
        return nil
    }

    private mutating func isNew(_ named: Named, _ seen: inout [String: SourcePosition]) -> Bool {
        if let first = seen[named.uplink] {
            fault(
                named.position, "uplink \(named.uplink.quoted) is named twice",
                "it has its place at \(first.line):\(first.column) already")
            return false
        }
        seen[named.uplink] = named.position
        return true
    }
}
