import NetworkTypes
import PacketWire
import Testing
import WANProbes

@Suite("Probes that may still be answered")
struct OutstandingProbesTests {
    private let target = IPAddress.peer(1)

    private func entry(_ number: UInt64, at time: Int64) -> OutstandingProbes.Entry {
        OutstandingProbes.Entry(
            target: target, sequence: number, nonce: number &* 0x9e37_79b9_7f4a_7c15,
            sent: ClockReading(boottime: time, realtime: time), lossInterval: 1_000_000_000)
    }

    private func payload(_ number: UInt64) -> EchoPayload {
        EchoPayload(nonce: number &* 0x9e37_79b9_7f4a_7c15, sequence: number)
    }

    @Test("an answer counts for 10 s after the probe was sent, also where that probe is long lost")
    func retention() {
        for (after, counts) in [(0, true), (10_000_000_000, true), (10_000_000_001, false)] as [(Int64, Bool)] {
            var probes = OutstandingProbes()
            let wire = probes.add(entry(1, at: 5))
            #expect(probes.match(wire, from: target, payload: payload(1), at: 5 + after).isAnswer == counts)
        }
    }

    @Test("what the kernel refused to send cannot be answered")
    func unsent() {
        var probes = OutstandingProbes()
        let wire = probes.add(entry(1, at: 0))
        probes.setUnsent(wire)
        #expect(probes.match(wire, from: target, payload: payload(1), at: 1).isForged)
    }

    @Test("the ring grows with the rate and no further: one a second needs 64 slots, a thousand 16384")
    func growth() {
        var slow = OutstandingProbes()
        for number in 0..<10_000 as Range<UInt64> {
            _ = slow.add(entry(number, at: Int64(number) * 1_000_000_000))
        }
        #expect(slow.capacity == 64)
        #expect(slow.count <= 11)
        var quick = OutstandingProbes()
        for number in 0..<200_000 as Range<UInt64> {
            _ = quick.add(entry(number, at: Int64(number) * 1_000_000))
        }
        #expect(quick.capacity == 16384)
        #expect(quick.forgotten == 0)
    }

    @Test("more than 65535 in 10 s: the oldest are forgotten, and their answers credit nobody else")
    func overflow() {
        var probes = OutstandingProbes(firstSequence: 65000)
        var wires: [UInt16] = []
        for number in 0..<150_000 as Range<UInt64> {
            wires.append(probes.add(entry(number, at: Int64(number) * 1000)))
        }
        #expect(probes.capacity == 65536)
        #expect(probes.count == 65535)
        #expect(probes.forgotten == 150_000 - 65535)
        let now: Int64 = 150_000_000
        #expect(probes.match(wires[0], from: target, payload: payload(0), at: now).isForged)
        #expect(probes.match(wires[84_464], from: target, payload: payload(84_464), at: now).isForged)
        #expect(probes.match(wires[84_465], from: target, payload: payload(84_465), at: now).isAnswer)
        #expect(probes.match(wires[149_999], from: target, payload: payload(149_999), at: now).isAnswer)
    }

    @Test(
        "behaves as a list of everything ever asked would",
        arguments: [UInt64.random(in: 0...UInt64.max), 1, 2, 3])
    func model(seed: UInt64) {
        var random = Generator(state: seed)
        var probes = OutstandingProbes(firstSequence: UInt16(truncatingIfNeeded: random.next()))
        var all: [(wire: UInt16, sent: Int64, answered: Bool)] = []
        var now: Int64 = 0
        for _ in 0..<20_000 {
            now += Int64(random.next() % (random.next() % 50 == 0 ? 3_000_000_000 : 20_000_000))
            if random.next() % 3 > 0 || all.isEmpty {
                all.append((probes.add(entry(UInt64(all.count), at: now)), now, false))
            } else {
                let number = all.count - 1 - Int(random.next() % UInt64(min(all.count, 3000)))
                let match = probes.match(
                    all[number].wire, from: target, payload: payload(UInt64(number)), at: now)
                let isKnown = now - all[number].sent <= OutstandingProbes.retention
                #expect(match.isForged == !isKnown)
                #expect(match.isAnswer == (isKnown && !all[number].answered))
                if match.isAnswer { all[number].answered = true }
            }
        }
        #expect(probes.forgotten == 0)
    }

    private struct Generator {
        var state: UInt64
        /// xorshift64* (Vigna); the seed must not be 0.
        mutating func next() -> UInt64 {
            if state == 0 { state = 1 }
            state ^= state >> 12
            state ^= state << 25
            state ^= state >> 27
            return (state &* 0x2545_f491_4f6c_dd1d) >> 16
        }
    }
}

extension OutstandingProbes.Match {
    var isAnswer: Bool { if case .answer = self { true } else { false } }
    var isForged: Bool { if case .forged = self { true } else { false } }
}
