import TestSupport
import Testing
import WANDataplane
import WANModel

private func members(_ weights: [Int]) -> [ClassChoice.Member] {
    weights.enumerated().map { ClassChoice.Member(uplink: UplinkNumber(rawValue: UInt8($0 + 1)), weight: $1) }
}

@Suite("the table of a shared step")
struct ShareTableTests {
    @Test("every member has its share to less than one bucket", arguments: [[1, 1], [3, 1], [1, 1, 1], [7, 2, 1]])
    func shares(weights: [Int]) throws {
        let members = members(weights)
        let table = try #require(ShareTable.make(members, active: members.map(\.uplink)))
        #expect(table.count == ShareTable.size)
        let total = weights.reduce(0, +)
        for member in members {
            let ideal = 256 * Double(member.weight) / Double(total)
            #expect(abs(Double(table.count { $0 == member.uplink }) - ideal) < 1)
        }
    }

    @Test(
        "whoever leaves or returns, in any order, moves only what must move, and comes back to what was",
        arguments: 1...20 as ClosedRange<UInt64>)
    func walk(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let members = members(
            (0..<Int.random(in: 2...6, using: &random)).map { _ in Int.random(in: 1...20, using: &random) })
        let all = members.map(\.uplink)
        let total = Double(members.reduce(0) { $0 + $1.weight })
        let whole = try #require(ShareTable.make(members, active: all))
        var active = Set(all)
        var table = whole
        for _ in 0..<60 {
            let one = all[Int.random(in: 0..<all.count, using: &random)]
            let isLeaving = active.contains(one)
            if isLeaving, active.count == 1 { continue }
            if isLeaving { active.remove(one) } else { active.insert(one) }
            let next = try #require(ShareTable.make(members, active: active.shuffled(using: &random)))
            for (old, new) in zip(table, next) where old != new {
                #expect(isLeaving ? old == one : new == one, "seed \(seed)")
            }
            #expect(!next.contains { !active.contains($0) }, "seed \(seed)")
            let weight = Double(members.filter { active.contains($0.uplink) }.reduce(0) { $0 + $1.weight })
            for member in members where active.contains(member.uplink) {
                let count = Double(next.count { $0 == member.uplink })
                let ideal = 256 * Double(member.weight) / weight
                // Exact while at most one is away; further away the tables of all the other sets bind it too.
                let limit = all.count - active.count <= 1 ? 1.0 + 256 / total : 3.0
                #expect(abs(count - ideal) < limit, "seed \(seed): \(count) of \(ideal)")
            }
            table = next
        }
        #expect(ShareTable.make(members, active: all) == whole)
    }

    @Test("nobody active is no table; strangers and names said twice do not count")
    func corners() {
        #expect(ShareTable.make(members([1, 1]), active: []) == nil)
        #expect(ShareTable.make([], active: [UplinkNumber(rawValue: 1)]) == nil)
        #expect(ShareTable.make(members([1, 1]), active: [UplinkNumber(rawValue: 9)]) == nil)
        let one = UplinkNumber(rawValue: 1)
        let twice = members([1, 1]) + members([5])
        #expect(ShareTable.make(twice, active: [one, one]) == Array(repeating: one, count: 256))
        let many = members(Array(repeating: 1, count: 64))
        let half = many.map(\.uplink).filter { $0.rawValue % 2 == 0 }
        let table = ShareTable.make(many, active: half)
        #expect(Set(table ?? []) == Set(half))
    }
}
