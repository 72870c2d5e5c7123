package import WANModel

/// Rules in tiers: those of one tier do not overlap, so within it their order does not matter and a map may stand for it; and
/// whoever must come after another rule is in a later tier. Trying the tiers in order finds the first match.
///
/// The tier of each rule: one more than the last tier of an earlier rule that it overlaps. Where all rules overlap each has a
/// tier to itself, and asking tier by tier is the walk it must be. A rule that nothing matches has none.
package func tiers(of matches: [PolicyRule.Match]) -> [Int?] {
    var tiers: [Int?] = []
    var members: [[Int]] = []
    for (index, match) in matches.enumerated() {
        if match.isEmpty {
            tiers.append(nil)
            continue
        }
        // The last tier with a rule that it overlaps, from the end: where many overlap it is found at once.
        let last = members.lastIndex { $0.contains { matches[$0].overlaps(match) } }
        let tier = last.map { $0 + 1 } ?? 0
        tiers.append(tier)
        if tier == members.count { members.append([]) }
        members[tier].append(index)
    }
    return tiers
}
