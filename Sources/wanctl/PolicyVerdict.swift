import JSONText
import WANModel

/// What a look at a policy file found, as `wanctl check` prints it.
struct PolicyVerdict {
    /// One remark about one place.
    struct Remark {
        var file: String
        var line: Int
        var column: Int
        var problem: String
        var advice: String?

        func text(_ kind: String) -> String {
            "\(file):\(line):\(column): \(kind)\(problem)\(advice.map { "; \($0)" } ?? "")"
        }

        var json: JSONValue {
            [
                "file": .string(file), "line": .integer(Int64(line)), "column": .integer(Int64(column)),
                "problem": .string(problem),
                "advice": JSONValue(advice),
            ]
        }
    }

    /// The policy is refused for these.
    var faults: [Remark] = []
    /// In order, but this release cannot obey it: a daemon refuses it as well.
    var unsupported: [Remark] = []
    /// Valid, but hardly meant.
    var warnings: [Remark] = []
    var uplinks: [String] = []
    /// Boxes of the site; empty for one box.
    var nodes: [String] = []
    /// In the order in which they are asked.
    var rules: [PolicyRule] = []
    /// The whole of it, where it has no faults.
    var policy: Policy?

    var isAccepted: Bool { faults.isEmpty && unsupported.isEmpty }

    var json: JSONValue {
        [
            "accepted": .bool(isAccepted), "faults": .array(faults.map(\.json)),
            "unsupported": .array(unsupported.map(\.json)), "warnings": .array(warnings.map(\.json)),
            "uplinks": .array(uplinks.map { .string($0) }), "nodes": .array(nodes.map { .string($0) }),
            "rules": .array(rules.map(\.json)), "site": siteJSON,
        ]
    }
}
