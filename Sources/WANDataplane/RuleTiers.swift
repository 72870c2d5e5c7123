package import WANModel

/// Rules in tiers: those of one tier do not overlap, so within it their order does not matter and a map may stand for it; and
/// whoever must come after another rule is in a later tier. Trying the tiers in order finds the first match.
///
/// The tier of each rule: one more than the last tier of an earlier rule that it overlaps. Where all rules overlap each has a
/// tier to itself, and asking tier by tier is the walk it must be. A rule that nothing matches has none.
package func tiers(of matches: [PolicyRule.Match]) -> [Int?] {
    var tiers: [Int?] = []
    tiers.reserveCapacity(matches.count)
    for (place, match) in matches.enumerated() {
        if match.isEmpty {
            tiers.append(nil)
            continue
        }
        var tier = 0
        for earlier in 0..<place {
            // Asked last: most rules are in the first tiers, where it cannot matter any more.
            if let other = tiers[earlier], other >= tier, matches[earlier].overlaps(match) { tier = other + 1 }
        }
        tiers.append(tier)
    }
    return tiers
}
