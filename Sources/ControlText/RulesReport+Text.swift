package import WANControl

extension RulesReport {
    /// A line for each rule, in the order they are asked, and last what no rule names.
    package func text(_ style: TextStyle) -> String {
        let rest = selected.isEmpty ? "nothing" : selected.map { printable($0) }.joined(separator: " and ")
        guard !rules.isEmpty else { return "The policy has no rules; all traffic is on \(rest).\n" }
        let table = TextTable(
            columns: [
                .init(title: "RULE"), .init(title: "NOW ON"), .init(title: "FLOWS", isRight: true),
                .init(title: "ORDER", dispensable: 2), .init(title: "OTHERWISE", dispensable: 1),
            ],
            noteTitle: "MATCH",
            rows: rules.map { rule in
                TextTable.Row(
                    cells: [
                        .init(printable(rule.name), .strong), rule.destination(default: rest),
                        .init(rule.flows.map(String.init) ?? "–"), .init(printable(rule.order)),
                        .init(printable(rule.otherwise), .faint),
                    ],
                    note: printable(rule.match))
            })
        let lines = table.lines(style) + ["", "Traffic without a rule is on \(rest)."]
        return lines.joined(separator: "\n") + "\n"
    }
}

extension RulesReport.Rule {
    fileprivate func destination(default rest: String) -> TextTable.Cell {
        if !uplinks.isEmpty { return TextTable.Cell(uplinks.map { printable($0) }.joined(separator: " and "), .good) }
        switch otherwise {
        case "reject": return TextTable.Cell("rejected", .bad)
        case "drop": return TextTable.Cell("dropped", .bad)
        default: return TextTable.Cell("\(rest) (default)", .doubtful)
        }
    }
}
