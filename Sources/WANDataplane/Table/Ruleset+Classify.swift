internal import WANModel

// New flows from the LAN that would leave by an uplink are given one, by the first rule that matches.
//
// Rules stand in tiers (`tiers(of:)`). Those of one tier that ask for the same fields share one map, whose key is these fields;
// what fits into no map is a statement of its own at the end of the tier. Each rule has a chain that counts and notes the
// class: in the packet's mark, as a number, for the few instructions until `assign` reads it. A jump from there to the class
// would be shorter, but then a kernel that checks every path from a base chain walks each class's maps once for each of its
// rules, whenever one element of one map changes: with 1000 rules and a shared step, a quarter of a million chains.
extension Ruleset {
    /// What is new, and not for the router itself, for a group, or for another network of the LAN. `fib` looks up what the
    /// packet would meet without a mark of ours, and so knows the uplinks that the ladder leads to; a destination without
    /// any route may be one of a class that has a rule of its own. (nft 1.0.6 takes no named set behind `fib … oifname`.)
    static func classifying(_ site: RulesetSite) -> [String] {
        guard hasClassify(site) else { return [] }
        let start =
            "iifname != @uplinks ct state new \(site.mark.isUnset("ct")) \(site.mark.isUnset("meta")) "
            + "meta nfproto ipv4 fib daddr type unicast "
        return [
            start + "fib daddr . mark oif missing goto assign",
            start + "fib daddr . mark oifname \(site.interfaceList) goto assign",
        ]
    }

    static func addRules(_ text: inout TableText, _ site: RulesetSite) {
        guard hasClassify(site) else { return }
        for (index, rule) in site.input.rules.enumerated() {
            text.counter(TableNames.rule(index))
            text.chain(TableNames.rule(index), counting(index, as: rule.classIndex, site))
        }
        addClassifyChain(&text, site)
        let elements = site.input.classes.indices.filter { site.input.hasChain($0) }.compactMap { classIndex in
            note(classIndex, site).map { "\(String.hex($0)) : goto \(TableNames.classChain(classIndex))" }
        }
        var statements = site.input.rules.isEmpty ? [] : ["jump classify"]
        if !elements.isEmpty { statements.append("meta mark and \(site.mark.mask) vmap \(String.list(elements))") }
        text.chain("assign", statements)
    }

    private static func hasClassify(_ site: RulesetSite) -> Bool {
        !site.input.rules.isEmpty || site.input.hasDefaultChain
    }

    /// The chain of a rule. Class 0 is what has no note.
    private static func counting(_ index: Int, as classIndex: Int, _ site: RulesetSite) -> [String] {
        let count = "counter name \(String.quoted(TableNames.rule(index)))"
        guard site.input.classes.indices.contains(classIndex), classIndex != 0 else { return [count] }
        if let note = note(classIndex, site) { return ["\(count) \(site.mark.set("meta", to: note))"] }
        // More classes than our bits can tell apart: right, if slower to change on a kernel that walks every path. What is
        // marked with its uplink then must not be read as a note.
        return ["\(count) jump \(TableNames.classChain(classIndex))", "accept"]
    }

    /// A class's index in our bits of the mark.
    private static func note(_ classIndex: Int, _ site: RulesetSite) -> UInt32? {
        let shift = UInt32(site.mark.layout.mask.trailingZeroBitCount)
        guard let number = UInt32(exactly: classIndex), number <= site.mark.layout.mask >> shift else { return nil }
        return number << shift
    }
}
