import Testing
import WANModel

@Suite("sets of addresses")
struct AddressSetTests {
    @Test("overlaps and isSuperset say what comparing range by range says", arguments: [UInt64.random(in: 1 ... .max)])
    func bruteForce(seed: UInt64) {
        var random = SplitMix64(state: seed)
        let sets = (0..<120).map { _ in
            AddressSet(
                (0..<Int.random(in: 0...6, using: &random)).map { _ in
                    let low = UInt32.random(in: 0...40, using: &random)
                    return low...(low + UInt32.random(in: 0...6, using: &random))
                })
        }
        for a in sets {
            let mine = Set(a.ranges.flatMap { Array($0) })
            for b in sets {
                let theirs = Set(b.ranges.flatMap { Array($0) })
                if a.overlaps(b) == mine.isDisjoint(with: theirs) { Issue.record("seed \(seed): \(a) overlaps \(b)") }
                if a.isSuperset(of: b) != mine.isSuperset(of: theirs) { Issue.record("seed \(seed): \(a) holds \(b)") }
            }
        }
    }
}
