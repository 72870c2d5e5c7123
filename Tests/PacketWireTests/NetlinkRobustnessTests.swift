import NetworkTypes
import PacketWire
import Testing

/// Whatever the bytes are, reading ends with a value or a `WireError`; it never traps and never goes round in circles.
@Suite("netlink: bytes that lie")
struct NetlinkRobustnessTests {
    /// Reads the datagram as everything it could be.
    private func readAll(_ datagram: [UInt8]) -> WireError? {
        var fault: WireError?
        func attempt(_ body: () throws(WireError) -> Void) {
            do throws(WireError) { try body() } catch { fault = error }
        }
        attempt { () throws(WireError) in
            try forEachMessage(in: datagram.span.bytes) { (header, payload) throws(WireError) in
                attempt { () throws(WireError) in _ = try NetlinkControl(header, payload) }
                attempt { () throws(WireError) in _ = try KernelEvent(header, payload) }
                attempt { () throws(WireError) in _ = try NftablesEvent(header, payload) }
                attempt { () throws(WireError) in _ = try NftablesCounter(header, payload) }
                attempt { () throws(WireError) in _ = try NftablesFlowtable(header, payload) }
                switch header.type {
                case 16...18: attempt { () throws(WireError) in _ = try LinkMessage(payload) }
                case 20...22:  // RTM_NEWADDR and SOCK_DIAG_BY_FAMILY share a number
                    attempt { () throws(WireError) in _ = try AddressMessage(payload) }
                    attempt { () throws(WireError) in _ = try DiagnosedSocket(payload, transport: 6).localV4 }
                case 24...26: attempt { () throws(WireError) in _ = try RouteMessage(payload) }
                case 32...34: attempt { () throws(WireError) in _ = try RuleMessage(payload) }
                case 0x100...0x1ff:
                    attempt { () throws(WireError) in _ = try ConntrackEntry(payload) }
                    attempt { () throws(WireError) in _ = try ConntrackRequest.total(in: payload) }
                default: attempt { () throws(WireError) in _ = try GenericNetlinkRequest.familyNumber(in: payload) }
                }
            }
        }
        return fault
    }

    @Test("every cut of a datagram is refused", arguments: NetlinkDumps.answers.indices)
    func cut(index: Int) throws {
        let dump = NetlinkDumps.answers[index]
        var ends: Set<Int> = [0]  // a cut between two messages leaves a good datagram
        var offset = 0
        try forEachMessage(in: dump.span.bytes) { (header, _) throws(WireError) in
            offset += (Int(header.length) + 3) & ~3
            ends.insert(offset)
        }
        for length in dump.indices where !ends.contains(length) {
            #expect(throws: WireError.self) {
                _ = try read(Array(dump[..<length])) { (_, _) throws(WireError) in () }
            }
        }
    }

    @Test("every cut of a message's inside is read or refused", arguments: NetlinkDumps.answers.indices)
    func cutInside(index: Int) throws {
        let dump = NetlinkDumps.answers[index]
        let header = try NetlinkHeader(in: dump.span.bytes)
        for length in NetlinkHeader.size..<Int(header.length) {
            var cut = Array(dump[..<length])
            cut[0] = UInt8(length & 0xff)
            cut[1] = UInt8(length >> 8)
            _ = readAll(cut)
        }
    }

    @Test(
        "a header that lies about its length is refused", arguments: [0, 1, 15, 0x7fff_ffff, 0xffff_ffff] as [UInt32])
    func lyingHeader(length: UInt32) {
        var lie = NetlinkDumps.route
        for index in 0..<4 { lie[index] = UInt8(truncatingIfNeeded: length >> (8 * UInt32(index))) }
        #expect(readAll(lie) != nil)
    }

    @Test("an attribute that lies about its length is refused", arguments: [0, 1, 3, 0x7fff, 0xffff] as [UInt16])
    func lyingAttribute(length: UInt16) {
        var lie = NetlinkDumps.route
        lie[28] = UInt8(length & 0xff)
        lie[29] = UInt8(length >> 8)
        #expect(readAll(lie) != nil)
    }

    @Test("thousands of mutations of every dump are read or refused", arguments: [1, 2, 3, 20_261_121] as [UInt64])
    func mutations(seed: UInt64) {
        var numbers = SeededNumbers(seed: seed)
        for dump in NetlinkDumps.answers {
            for _ in 0..<400 {
                var mutated = dump
                for _ in 0..<Int.random(in: 1...8, using: &numbers) {
                    let index = Int.random(in: mutated.indices, using: &numbers)
                    mutated[index] =
                        [0, 0xff, 1, 0x7f, UInt8.random(in: .min ... .max, using: &numbers)]
                        .randomElement(using: &numbers) ?? 0
                }
                if Bool.random(using: &numbers) {
                    mutated.removeLast(Int.random(in: 0..<mutated.count, using: &numbers))
                }
                _ = readAll(mutated)
            }
        }
    }

    @Test("random bytes are read or refused", arguments: [4, 5] as [UInt64])
    func noise(seed: UInt64) {
        var numbers = SeededNumbers(seed: seed)
        for _ in 0..<2000 {
            let count = Int.random(in: 0...300, using: &numbers)
            _ = readAll((0..<count).map { _ in UInt8.random(in: .min ... .max, using: &numbers) })
        }
    }
}
