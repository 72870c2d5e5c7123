internal import NetworkTypes
internal import WANModel

// The chain `classify`: maps and statements, tier by tier.
extension Ruleset {
    /// Beyond so many elements a rule becomes a statement of its own, which costs what it costs for each packet that comes to
    /// it, rather than a map that grows with the product of its lists.
    static let mostElements = 64

    static func addClassifyChain(_ text: inout TableText, _ site: RulesetSite) {
        let rules = site.input.rules
        if rules.isEmpty { return }
        var byTier: [[Int]] = []
        for (index, tier) in tiers(of: rules.map(\.match)).enumerated() {
            guard let tier else { continue }
            while byTier.count <= tier { byTier.append([]) }
            byTier[tier].append(index)
        }
        let shapes = rules.map { RuleShape($0.match) }
        let sets = addAddressSets(&text, rules)
        var statements: [String] = []
        for (tier, indices) in byTier.enumerated() {
            var maps: [[RuleField]: [Int]] = [:]
            var alone: [Int] = []
            for index in indices {
                if fitsMap(rules[index].match, shapes[index]) {
                    maps[shapes[index].fields, default: []].append(index)
                } else {
                    alone.append(index)
                }
            }
            let shared = maps.filter { $0.value.count > 1 }.sorted { $0.value[0] < $1.value[0] }
            for (number, (fields, indices)) in shared.enumerated() {
                let name = "tier_\(tier)_\(number)"
                addMap(&text, name, fields, indices.map { ($0, shapes[$0]) })
                let key = fields.map(\.selector).joined(separator: " . ")
                statements.append("\(key) vmap @\(name)")
            }
            alone += maps.values.filter { $0.count == 1 }.flatMap { $0 }
            statements += alone.sorted().map { statement($0, rules[$0].match, shapes[$0], sets) }
        }
        text.chain("classify", statements)
    }

    private static func fitsMap(_ match: PolicyRule.Match, _ shape: RuleShape) -> Bool {
        guard (match.mark?.mask ?? 0) == 0, !shape.parts.isEmpty, let count = shape.elementCount else { return false }
        return count <= mostElements
    }

    private static func addMap(
        _ text: inout TableText, _ name: String, _ fields: [RuleField], _ rules: [(index: Int, shape: RuleShape)]
    ) {
        let hasRanges = rules.contains { $0.shape.parts.contains(where: \.hasRanges) }
        text.collection(
            .map, name,
            ["type \(fields.map(\.type).joined(separator: " . ")) : verdict"] + (hasRanges ? ["flags interval"] : []),
            rules.flatMap { index, shape in shape.keys.map { "\($0) : goto \(TableNames.rule(index))" } })
    }

    /// Address sets too long for a statement, each once, by the name it has in the table.
    private static func addAddressSets(_ text: inout TableText, _ rules: [ClassifyingRule]) -> [AddressSet: String] {
        var names: [AddressSet: String] = [:]
        for set in rules.flatMap({ [$0.match.source, $0.match.destination] }).compactMap(\.self)
        where set.ranges.count > mostElements && names[set] == nil {
            let name = "addresses_\(names.count)"
            names[set] = name
            text.collection(.set, name, ["type ipv4_addr", "flags interval"], set.ranges.map(String.addresses))
        }
        return names
    }

    private static func statement(
        _ index: Int, _ match: PolicyRule.Match, _ shape: RuleShape, _ sets: [AddressSet: String]
    ) -> String {
        var words = shape.parts.map { part in
            let set = part.field == .source ? match.source : part.field == .destination ? match.destination : nil
            if let name = set.flatMap({ sets[$0] }) { return "\(part.field.selector) @\(name)" }
            return "\(part.field.selector) \(part.values.count == 1 ? part.values[0] : .list(part.values))"
        }
        if let mark = match.mark, mark.mask != 0 {
            words.append("meta mark and \(String.hex(mark.mask)) == \(String.hex(mark.value))")
        }
        return (words + ["goto \(TableNames.rule(index))"]).joined(separator: " ")
    }
}
