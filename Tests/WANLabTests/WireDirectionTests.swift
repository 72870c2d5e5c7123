import Testing
import WANLab

@Suite("One way of a wire")
struct WireDirectionTests {
    let packet = WireDirection.Endpoints(source: 1, destination: 2)

    @Test("delays every packet and keeps the order")
    func delaysInOrder() {
        var way = WireDirection(seed: 7)
        way.delay = 10_000
        way.jitter = 5_000
        var last: Int64 = 0
        for moment in stride(from: Int64(0), to: 100_000, by: 100) {
            guard case .arrives(let arrival) = way.fate(length: 100, endpoints: packet, at: moment) else {
                Issue.record("lost at \(moment)")
                continue
            }
            #expect(arrival >= moment + 10_000)
            #expect(arrival >= last)
            last = arrival
        }
    }

    @Test("loses the same packets for the same seed", arguments: [UInt64(1), 2, 3])
    func lossIsSeeded(seed: UInt64) {
        func run() -> [Bool] {
            var way = WireDirection(seed: seed)
            way.loss = 0.3
            return (0..<2000).map { way.fate(length: 100, endpoints: packet, at: Int64($0)) == .lost }
        }
        let first = run()
        #expect(first == run())
        #expect((500...700).contains(first.count { $0 }), "seed \(seed)")
    }

    @Test("a round trip's loss is met in two halves")
    func lossOfRoundTrip() {
        let half = WireDirection.oneWay(0.3)
        #expect(abs(1 - (1 - half) * (1 - half) - 0.3) < 1e-12)
    }

    @Test("a silence ends by itself")
    func silenceEnds() {
        var way = WireDirection(seed: 1)
        way.silentUntil = 500
        #expect(way.fate(length: 1, endpoints: packet, at: 499) == .lost)
        #expect(way.fate(length: 1, endpoints: packet, at: 500) == .arrives(at: 500))
        #expect(way.dropped == 1)
        #expect(way.passed == 1)
    }

    @Test("drops exactly the next IPv4 packets, whatever else passes")
    func dropsNext() {
        var way = WireDirection(seed: 1)
        way.dropNext = 2
        #expect(way.fate(length: 1, endpoints: nil, at: 0) == .arrives(at: 0))
        #expect(way.fate(length: 1, endpoints: packet, at: 1) == .lost)
        #expect(way.fate(length: 1, endpoints: packet, at: 2) == .lost)
        #expect(way.fate(length: 1, endpoints: packet, at: 3) == .arrives(at: 3))
    }

    @Test("a dead target loses what is sent to it and nothing else")
    func deadTarget() {
        var way = WireDirection(seed: 1)
        way.lossOf[2] = 1
        #expect(way.fate(length: 1, endpoints: packet, at: 0) == .lost)
        #expect(way.fate(length: 1, endpoints: .init(source: 1, destination: 3), at: 0) == .arrives(at: 0))
    }

    @Test("with its upstream dead only the gateway is reached, both ways, and ARP passes")
    func upstreamDead() {
        var way = WireDirection(seed: 1)
        way.reachableOnly = 9
        #expect(way.fate(length: 1, endpoints: packet, at: 0) == .lost)
        #expect(way.fate(length: 1, endpoints: .init(source: 1, destination: 9), at: 0) == .arrives(at: 0))
        #expect(way.fate(length: 1, endpoints: .init(source: 9, destination: 1), at: 0) == .arrives(at: 0))
        #expect(way.fate(length: 1, endpoints: nil, at: 0) == .arrives(at: 0))
    }

    @Test("a rate spaces packets and its queue is bounded")
    func rate() {
        var way = WireDirection(seed: 1)
        way.rate = 8_000_000  // a 1000-octet packet takes 1 ms
        let fates = (0..<300).map { _ in way.fate(length: 1000, endpoints: packet, at: 0) }
        #expect(fates[0] == .arrives(at: 1_000_000))
        #expect(fates[1] == .arrives(at: 2_000_000))
        #expect(fates.count { $0 != .lost } == 201)
        #expect(fates.last == .lost)
    }
}
