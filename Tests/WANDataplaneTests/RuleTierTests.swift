import NetworkTypes
import TestSupport
import Testing
import WANDataplane
import WANModel

@Suite("rules in tiers")
struct RuleTierTests {
    private func random(_ random: inout SeededRandom) -> PolicyRule.Match {
        var match = PolicyRule.Match()
        if Bool.random(using: &random) {
            let low = UInt32.random(in: 0...12, using: &random)
            match.source = AddressSet([low...(low + UInt32.random(in: 0...4, using: &random))])
        }
        if Bool.random(using: &random) { match.transport = [6, 17, 1][Int.random(in: 0...2, using: &random)] }
        if let transport = match.transport, transport != 1, Bool.random(using: &random) {
            let low = UInt16.random(in: 1...10, using: &random)
            match.ports = [low...(low + 2)]
        }
        if Int.random(in: 0...3, using: &random) == 0 {
            match.interface = "eth\(Int.random(in: 0...1, using: &random))"
        }
        return match
    }

    @Test(
        "no two of one tier overlap, and an earlier rule is in an earlier tier",
        arguments: 1...20 as ClosedRange<UInt64>)
    func order(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let matches = (0..<60).map { _ in self.random(&random) }
        let tiers = tiers(of: matches)
        for (later, match) in matches.enumerated() {
            for earlier in 0..<later where matches[earlier].overlaps(match) {
                #expect((tiers[earlier] ?? 0) < (tiers[later] ?? 0), "seed \(seed): \(earlier), \(later)")
            }
        }
    }

    @Test("rules apart from each other share the first tier; those that all overlap have one each; nobody's has none")
    func extremes() throws {
        let apart = (0..<50).map { index in
            var match = PolicyRule.Match()
            match.source = AddressSet([UInt32(index)...UInt32(index)])
            return match
        }
        #expect(tiers(of: apart) == Array(repeating: 0, count: 50))
        #expect(tiers(of: Array(repeating: PolicyRule.Match(), count: 4)) == [0, 1, 2, 3])
        var nobody = PolicyRule.Match()
        nobody.source = AddressSet([])
        #expect(tiers(of: [PolicyRule.Match(), nobody, PolicyRule.Match()]) == [0, nil, 1])
    }
}
