package import JSONText

/// What `wanctl status --rules` shows: the policy's rules in their order, where each leads and what it took.
package struct RulesReport: Hashable, Sendable {
    package struct Rule: Hashable, Sendable {
        package var name: String
        /// In the policy's words.
        package var match: String
        package var order: String
        /// `reject`, `default` or `drop`.
        package var otherwise: String
        /// The uplinks its new flows take now; empty: what `otherwise` says.
        package var uplinks: [String]
        /// New flows that matched since the daemon started or the rule came; `nil` where the kernel did not tell.
        package var flows: UInt64?

        package init(
            name: String, match: String, order: String, otherwise: String, uplinks: [String], flows: UInt64?
        ) {
            self.name = name
            self.match = match
            self.order = order
            self.otherwise = otherwise
            self.uplinks = uplinks
            self.flows = flows
        }
    }

    package var rules: [Rule]
    /// Where traffic without a rule goes.
    package var selected: [String]

    package init(rules: [Rule], selected: [String]) {
        self.rules = rules
        self.selected = selected
    }

    package var json: JSONValue {
        [
            "rules": .array(
                rules.map {
                    [
                        "name": .string($0.name), "match": .string($0.match), "order": .string($0.order),
                        "otherwise": .string($0.otherwise), "uplinks": .texts($0.uplinks), "flows": .whole($0.flows),
                    ]
                }), "selected": .texts(selected),
        ]
    }

    package init(json: JSONValue) throws(ReportError) {
        let reader = try ReportReader(json, at: "rules")
        rules = try reader.objects("rules") { (inner) throws(ReportError) in
            Rule(
                name: try inner.text("name"), match: try inner.text("match"), order: try inner.text("order"),
                otherwise: try inner.text("otherwise"), uplinks: try inner.texts("uplinks"),
                flows: try inner.optionalInteger("flows").map { UInt64(clamping: $0) })
        }
        selected = try reader.texts("selected")
    }
}
