internal import WANModel

/// A set that fills while the table stands: the next table begins with what is in it.
package struct TableMemory: Hashable, Sendable {
    package var name: String
    /// How long an element lives.
    package var lifetime: Duration
}

extension RulesetInput {
    /// Sources that stay with their uplink, and connections that are owed a reset.
    ///
    /// - Parameter old: What the table of before was made from. `nil` where an earlier run made it: mostly from the same policy, and a
    ///   source that stays with another member for once harms nobody.
    package func memories(since old: RulesetInput?) -> [TableMemory] {
        guard !uplinks.isEmpty else { return [] }
        let sticky = classes.indices.flatMap { classIndex -> [TableMemory] in
            let traffic = classes[classIndex]
            guard let lifetime = traffic.sticky, traffic.isSticky, hasChain(classIndex) else { return [] }
            if let old, !old.classes.indices.contains(classIndex) || old.classes[classIndex].sharing != traffic.sharing
            {
                return []
            }
            // One that left has lost its sources, and does not get them back.
            return steering(of: classIndex).holds.keys.sorted().map {
                TableMemory(name: TableNames.sticky(classIndex, $0), lifetime: lifetime)
            }
        }
        return [TableMemory(name: TableNames.torn, lifetime: Ruleset.tornSpan)] + sticky
    }
}
