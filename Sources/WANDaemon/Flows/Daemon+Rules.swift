internal import WANControl
internal import WANEngine
internal import WANModel

/// The policy's rules as they work now.
extension Daemon {
    func rulesReport() -> RulesReport {
        let counts = router.table.flows()
        let choices = engine.choices
        return RulesReport(
            rules: zip(policy.rules, policy.classOfRule).map { rule, classIndex in
                RulesReport.Rule(
                    name: rule.name, match: "\(rule.match)",
                    order: rule.order.map(\.description).joined(separator: ", "), otherwise: rule.otherwise.rawValue,
                    uplinks: choices.indices.contains(classIndex) ? choices[classIndex].active.map(name) : [],
                    flows: counts?[rule.name])
            }, selected: engine.decision.share.map(name))
    }
}
