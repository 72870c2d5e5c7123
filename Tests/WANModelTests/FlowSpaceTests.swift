import NetworkTypes
import Testing
import WANModel

@Suite("the geometry of matches")
struct FlowSpaceTests {
    @Test(
        "covers, overlaps and isEmpty say what asking every packet says", arguments: [UInt64.random(in: 1 ... .max), 7])
    func bruteForce(seed: UInt64) {
        var random = SplitMix64(state: seed)
        let matches = [PolicyRule.Match()] + (0..<70).map { _ in PolicyRule.Match(from: &random) }
        let packets = SmallWorld.packets
        /// Which packets each match has, 64 to a word.
        let members = matches.map { match in
            stride(from: 0, to: packets.count, by: 64).map { start in
                packets[start..<min(start + 64, packets.count)].enumerated().reduce(0 as UInt64) { word, packet in
                    match.isTrue(of: packet.element) ? word | 1 << UInt64(packet.offset) : word
                }
            }
        }
        var covered = 0
        var apart = 0
        for (a, mine) in zip(matches, members) {
            #expect(a.isEmpty == mine.allSatisfy { $0 == 0 }, "seed \(seed): \(a)")
            for (b, theirs) in zip(matches, members) {
                let covers = zip(mine, theirs).allSatisfy { $0 & $1 == $1 }
                let overlaps = zip(mine, theirs).contains { $0 & $1 != 0 }
                if a.covers(b) != covers { Issue.record("seed \(seed): \(a) covers \(b)? \(covers)") }
                if a.overlaps(b) != overlaps { Issue.record("seed \(seed): \(a) overlaps \(b)? \(overlaps)") }
                covered += covers ? 1 : 0
                apart += overlaps ? 0 : 1
            }
        }
        // Both answers came up often enough to mean something.
        #expect(covered > 300 && apart > 300, "seed \(seed)")
    }

    @Test(
        "a tracked flow matches, does not, or may: it depends on the fields conntrack forgot",
        arguments: [UInt64.random(in: 1 ... .max)])
    func trackedFlows(seed: UInt64) {
        var random = SplitMix64(state: seed)
        /// By the original tuple: packets that differ only in what is not known.
        let flows = Dictionary(grouping: SmallWorld.packets) {
            [$0.source, $0.destination, UInt32($0.transport), UInt32($0.sourcePort ?? 0), UInt32($0.port ?? 0)]
        }
        var answers: [PolicyRule.Match.Answer: Int] = [:]
        for _ in 0..<40 {
            let match = PolicyRule.Match(from: &random)
            for packets in flows.values {
                guard let first = packets.first else { continue }
                let count = packets.count(where: match.isTrue)
                let wanted: PolicyRule.Match.Answer = count == 0 ? .no : count == packets.count ? .yes : .maybe
                let answer = match.matches(
                    source: IPv4Address(bits: first.source), destination: IPv4Address(bits: first.destination),
                    transport: first.transport, sourcePort: first.sourcePort, port: first.port)
                if answer != wanted { Issue.record("seed \(seed): \(match) and \(first): \(answer), not \(wanted)") }
                answers[wanted, default: 0] += 1
            }
        }
        #expect(answers.count == 3, "seed \(seed)")
    }

    @Test("ports that touch are one range")
    func unions() {
        #expect(
            PortRanges.union([80...90, 1...79, 443...443, 91...91, 60000...65535, 65535...65535]) == [
                1...91, 443...443, 60000...65535,
            ])
        #expect(PortRanges.union([]) == [])
        var wide = PolicyRule.Match()
        wide.ports = [1...79, 80...90]
        var narrow = PolicyRule.Match()
        narrow.ports = [70...85]
        #expect(wide.covers(narrow))
        #expect(!narrow.covers(wide))
    }

    @Test("everything is what has no field, or the whole of each")
    func everything() {
        var match = PolicyRule.Match()
        #expect(match.isEverything)
        match.source = AddressSet([0...0x7fff_ffff, 0x8000_0000 ... .max])
        #expect(match.isEverything)
        match.transport = 6
        #expect(!match.isEverything)
    }

    @Test("a thousand rules are compared with each other in well under a second, in a debug build too")
    func quick() {
        // The dearest kind: all alike but in their last field, so that no early answer helps.
        let matches = (0..<1000).map { index in
            var match = PolicyRule.Match()
            let base: UInt32 = 0x0a00_0000
            match.source = AddressSet([base...(base + 255), (base + 1024)...(base + 2047)])
            match.destination = AddressSet([(base + UInt32(index) * 16)...(base + UInt32(index) * 16 + 15)])
            match.transport = 6
            match.ports = [443...443, 8000...8010]
            return match
        }
        let clock = ContinuousClock()
        func pairs(where holds: (PolicyRule.Match, PolicyRule.Match) -> Bool) -> (count: Int, took: Duration) {
            var count = 0
            let took = clock.measure {
                for later in matches.indices {
                    for earlier in 0..<later where holds(matches[earlier], matches[later]) { count += 1 }
                }
            }
            return (count, took)
        }
        let overlapping = pairs { $0.overlaps($1) }
        let covering = pairs { $0.covers($1) }
        print("499,500 pairs: overlaps \(overlapping.took), covers \(covering.took)")
        #expect([overlapping.count, covering.count] == [0, 0])
        #expect(overlapping.took + covering.took < .seconds(5))  // a machine with other work needs a multiple
    }
}
