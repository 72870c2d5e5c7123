import LinuxIO
import Testing

@Suite("Entropy")
struct EntropyTests {
    @Test("numbers do not repeat, across refills of the pool")
    func distinct() throws {
        var entropy = Entropy()
        var seen: Set<UInt64> = []
        for _ in 0..<5000 { #expect(seen.insert(try entropy.next()).inserted) }
        // Each bit is set in about half of them: 2500 ± 8 standard deviations.
        for bit in 0..<64 {
            let count = seen.count { $0 >> UInt64(bit) & 1 == 1 }
            #expect((2217...2783).contains(count), "bit \(bit)")
        }
    }
}
