package import WANModel

/// Which uplink of a shared step each of 256 buckets of flows goes to.
///
/// A pure function of the members and of which of them are active, without a memory, and yet no flow moves that need not:
/// each bucket has the members in an order of its own and goes to the first active one. So when an uplink leaves, only its
/// own buckets go elsewhere, whichever left before it; and when it returns it gets the same ones back.
///
/// The orders are drawn up so that every set of active members comes near its weights. The first ones fill the buckets by
/// weight (largest remainder, so each member is less than one bucket from its share). The next one of those whose members
/// so far are the set S are given, one by one, to whom of the others most is lacking while S is away.
package enum ShareTable {
    package static let size = 256

    /// `nil` where nobody is active. Weights below 1 count as 1; a member named twice counts once.
    package static func make(_ members: [ClassChoice.Member], active: [UplinkNumber]) -> [UplinkNumber]? {
        var seen: Set<UplinkNumber> = []
        let members = members.filter { seen.insert($0.uplink).inserted }.sorted { $0.uplink < $1.uplink }
        let isActive = members.map { active.contains($0.uplink) }
        guard isActive.contains(true) else { return nil }
        let weights = members.map { Double(max(1, $0.weight)) }
        var orders = firstMembers(weights).map { [$0] }
        while true {
            // Buckets whose members so far are all away, by the set of them.
            var away: [Set<Int>: [Int]] = [:]
            for (bucket, order) in orders.enumerated() {
                if let last = order.last, !isActive[last] { away[Set(order), default: []].append(bucket) }
            }
            if away.isEmpty { break }
            for (set, buckets) in away { extend(&orders, buckets, without: set, weights) }
        }
        return orders.compactMap { $0.last.map { members[$0].uplink } }
    }

    /// The member of each bucket while all are active.
    private static func firstMembers(_ weights: [Double]) -> [Int] {
        let total = weights.reduce(0, +)
        let shares = weights.map { $0 * Double(size) / total }
        var counts = shares.map { Int($0) }
        let byRemainder = shares.indices.sorted {
            let (a, b) = (shares[$0] - Double(counts[$0]), shares[$1] - Double(counts[$1]))
            return a != b ? a > b : $0 < $1
        }
        for member in byRemainder.prefix(max(0, size - counts.reduce(0, +))) { counts[member] += 1 }
        return counts.enumerated().flatMap { Array(repeating: $0, count: $1) }
    }

    /// Gives `buckets`, whose orders hold exactly the members of `set`, their next member. What the others have meanwhile does
    /// not depend on who else is away, and so neither does what is chosen here.
    private static func extend(
        _ orders: inout [[Int]], _ buckets: [Int], without set: Set<Int>, _ weights: [Double]
    ) {
        let others = weights.indices.filter { !set.contains($0) }
        let total = others.reduce(0) { $0 + weights[$1] }
        var lacking = weights.indices.map { set.contains($0) ? 0 : weights[$0] * Double(size) / total }
        for order in orders {
            if let owner = order.first(where: { !set.contains($0) }) { lacking[owner] -= 1 }
        }
        for bucket in buckets {
            // The first of equals: the lowest number.
            guard let next = others.max(by: { lacking[$0] < lacking[$1] || lacking[$0] == lacking[$1] && $0 > $1 })
            else { return }
            orders[bucket].append(next)
            lacking[next] -= 1
        }
    }
}
