import ControlText
import JSONText
import WANControl
import WANModel

extension [PolicyRule] {
    /// The rules as a table, in the order in which they are asked; nothing where there are none.
    func text(_ style: TextStyle) -> String {
        let rules = self
        if rules.isEmpty { return "" }
        let rows = rules.map { rule in
            TextTable.Row(
                cells: [
                    .init(printable(rule.name), .strong), .init(rule.orderText), .init(rule.otherwise.rawValue),
                ],
                note: printable(rule.match.description + rule.timesText))
        }
        let table = TextTable(
            columns: [.init(title: "rule"), .init(title: "order"), .init(title: "otherwise")], noteTitle: "match",
            rows: rows)
        return table.lines(style).map { $0 + "\n" }.joined()
    }
}

extension PolicyRule {
    /// `{ftth: 3, jcom: 1}, lte`
    fileprivate var orderText: String { order.isEmpty ? "none here" : order.map(\.description).joined(separator: ", ") }

    /// What the rule says of time, behind what it matches.
    fileprivate var timesText: String {
        (sticky.map { "; sticky \($0.policyText)" } ?? "") + (drain.map { "; drain \($0.policyText)" } ?? "")
    }

    /// Durations in milliseconds; `match` in the policy's words.
    var json: JSONValue {
        [
            "name": .string(name), "match": .string(match.description),
            "order": .array(
                order.map { step in
                    .array(
                        step.members.map { ["uplink": .string($0.uplink), "weight": .integer(Int64($0.weight))] })
                }),
            "otherwise": .string(otherwise.rawValue), "sticky_ms": JSONValue(sticky?.milliseconds),
            "drain_ms": JSONValue(drain?.milliseconds),
        ]
    }
}
