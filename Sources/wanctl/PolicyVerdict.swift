import JSONText
import WANModel
import WANPolicy

/// What a look at a policy file found, as `wanctl check` prints it.
struct PolicyVerdict {
    /// The policy is refused for these.
    var faults: [PolicyFault] = []
    /// In order, but this release cannot obey it: a daemon refuses it as well.
    var unsupported: [PolicyFault] = []
    /// Valid, but hardly meant.
    var warnings: [PolicyFault] = []
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

extension PolicyFault {
    fileprivate var json: JSONValue {
        [
            "file": .string(file), "line": .integer(Int64(line)), "column": .integer(Int64(column)),
            "problem": .string(problem), "advice": JSONValue(advice),
        ]
    }
}
