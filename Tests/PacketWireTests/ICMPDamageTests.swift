import NetworkTypes
import PacketWire
import Testing

@Suite("ICMP, damaged or false")
struct ICMPDamageTests {
    @Test("a packet cut anywhere is refused, with how much is missing", arguments: ICMPDumps.v4)
    func cuts(packet: [UInt8]) {
        for count in 0..<packet.count {
            #expect(throws: WireError.self) { try ICMPDumps.parse(Array(packet.prefix(count))) }
        }
    }

    @Test("a packet cut, with a length that fits the cut, has a wrong checksum or no message")
    func honestCuts() {
        // The last bytes of ping's data are zero: without them the sum is the same.
        for count in 20..<38 {
            var packet = Array(ICMPDumps.reply.prefix(count))
            packet[3] = UInt8(count)
            #expect(throws: WireError.self, "\(count) bytes") { try ICMPDumps.parse(packet) }
        }
    }

    @Test("a header length below 20 bytes or beyond the packet is refused", arguments: ICMPDumps.v4, 0...15)
    func headerLengths(packet: [UInt8], words: Int) {
        var packet = packet
        packet[0] = 0x40 | UInt8(words)
        let header = try? ICMPDumps.header(of: packet)
        #expect((header != nil) == (words >= 5 && words * 4 <= packet.count))
        _ = try? ICMPDumps.parse(packet)
    }

    @Test("a total length beyond the packet or short of its header is refused", arguments: ICMPDumps.v4)
    func totalLengths(packet: [UInt8]) {
        let headerLength = Int(packet[0] & 0xf) * 4
        for length in 0...0xffff {
            var packet = packet
            packet[2] = UInt8(length >> 8)
            packet[3] = UInt8(length & 0xff)
            let header = try? ICMPDumps.header(of: packet)
            if (header != nil) != (headerLength...packet.count).contains(length) { Issue.record("length \(length)") }
            _ = try? ICMPDumps.parse(packet)
        }
    }

    @Test("every single flipped bit in the message is noticed", arguments: ICMPDumps.v4)
    func flippedBits(packet: [UInt8]) {
        let header = Int(packet[0] & 0xf) * 4
        for bit in (header * 8)..<(packet.count * 8) {
            var packet = packet
            packet[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(throws: WireError.self) { try ICMPDumps.parse(packet) }
        }
    }

    @Test("IPv6 and versions that do not exist are no IPv4", arguments: [0, 1, 2, 3, 5, 6, 15])
    func versions(version: UInt8) {
        var packet = ICMPDumps.reply
        packet[0] = version << 4 | 5
        #expect(throws: WireError(.badValue(field: "IP version", value: Int(version)), at: 0)) {
            try ICMPDumps.parse(packet)
        }
    }

    @Test("random damage never does more than throw", arguments: [UInt64.random(in: 0...UInt64.max), 1, 87])
    func mutations(seed: UInt64) {
        var random = SplitMix(seed: seed)
        for packet in ICMPDumps.v4 {
            for _ in 0..<4000 {
                var packet = packet
                for _ in 0...(random.next() % 6) {
                    let index = Int(random.next() % UInt64(packet.count))
                    packet[index] = UInt8(truncatingIfNeeded: random.next())
                }
                if random.next() % 4 == 0 { packet.removeLast(Int(random.next() % UInt64(packet.count))) }
                if random.next() % 2 == 0, packet.count > 24 { packet.setChecksum(of: 20..<packet.count) }
                _ = try? ICMPDumps.parse(packet)
            }
        }
    }
}

@Suite("The Internet checksum")
struct ChecksumTests {
    @Test("the example of RFC 1071 section 3")
    func example() {
        let bytes: [UInt8] = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]
        #expect(bytes.checksum == ~0xddf2)
    }

    @Test("equals the definition word by word, for every length", arguments: [UInt64.random(in: 0...UInt64.max), 7])
    func definition(seed: UInt64) {
        var random = SplitMix(seed: seed)
        for count in 0...200 {
            let bytes = (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            var sum: UInt32 = 0
            for offset in stride(from: 0, to: count, by: 2) {
                sum += UInt32(bytes[offset]) << 8 | (offset + 1 < count ? UInt32(bytes[offset + 1]) : 0)
            }
            while sum > 0xffff { sum = (sum & 0xffff) + (sum >> 16) }
            #expect(bytes.checksum == ~UInt16(sum), "length \(count)")
        }
    }

    @Test("a message with its checksum adds up, with any other it does not")
    func validity() {
        var bytes: [UInt8] = [8, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7]
        bytes.setChecksum(of: 0..<bytes.count)
        #expect(bytes.hasValidChecksum)
        bytes[3] ^= 1
        #expect(!bytes.hasValidChecksum)
    }
}

/// A small seeded generator (Steele, Lea, Flood: SplitMix64), so that a failure names the seed that repeats it.
private struct SplitMix: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
