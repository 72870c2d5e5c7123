import Testing
import WANModel

@Suite("a box's health, and the priority keepalived makes of it")
struct NodeHealthTests {
    private func value(_ candidates: [(rank: Int, usable: Bool, held: Bool)], of count: Int) -> Int {
        NodeHealth.value(
            of: candidates.map { NodeHealth.Candidate(rank: $0.rank, isUsable: $0.usable, isHeld: $0.held) },
            count: count)
    }

    @Test("the best usable uplink says it")
    func best() {
        #expect(value([(0, true, false)], of: 2) == 3)
        #expect(value([(1, true, false)], of: 2) == 2)
        #expect(value([(2, true, false), (1, true, false)], of: 3) == 3)
        #expect(value([(0, false, false), (2, true, false)], of: 3) == 2)
    }

    @Test("nothing usable is 0, only a held one is 1, less than the worst of another box")
    func poor() {
        #expect(value([], of: 2) == NodeHealth.none)
        #expect(value([(0, false, true)], of: 2) == NodeHealth.none)
        #expect(value([(0, true, true)], of: 2) == NodeHealth.held)
        #expect(value([(0, true, true), (2, true, false)], of: 3) == 2)
        #expect(NodeHealth.held < value([(63, true, false)], of: 64))
    }

    @Test("a rank out of range does no harm")
    func range() {
        #expect(value([(9, true, false)], of: 2) == 2)
        #expect(value([(-1, true, false)], of: 2) == 3)
        #expect(value([(0, true, false)], of: 0) == 2)
    }

    @Test("for every number of uplinks and every base that the policy takes, priorities rise with health within 1…254")
    func arithmetic() throws {
        for count in 1...64 {
            for base in [1, 50, 100, NodeHealth.highestBase(count: count)] {
                let priorities = try (0...count + 1).map { value in
                    try #require(NodeHealth.priority(value: value, base: base, count: count))
                }
                #expect(priorities.first == base)
                #expect(zip(priorities, priorities.dropFirst()).allSatisfy { $0 < $1 }, "\(count) \(base)")
                #expect(priorities.allSatisfy { (1...254).contains($0) }, "\(count) \(base)")
                // keepalived holds value × weight within −254…253 (track_file.c).
                #expect((count + 1) * NodeHealth.weight(base: base, count: count) <= 253)
            }
        }
        #expect(NodeHealth.weight(base: 100, count: 2) == 51)
        #expect(NodeHealth.weight(base: NodeHealth.highestBase(count: 64) + 1, count: 64) == 0)
    }

    @Test("to yield is FAULT, whatever the weight")
    func yield() {
        #expect(NodeHealth.priority(value: NodeHealth.yield, base: 100, count: 2) == nil)
        #expect(NodeHealth.yield * 1 < -253)
    }
}
