import NetworkTypes
import PacketWire
import Testing

@Suite("ICMP, as the kernel sends it")
struct ICMPTests {
    /// The first 16 bytes of ping's data: struct timeval, then nothing.
    private let payload = EchoPayload(nonce: 0x2518_016b_0000_0000, sequence: 0x405b_0d00_0000_0000)

    @Test("an echo reply and its request are read with identifier, sequence and payload")
    func reply() throws {
        let echo = ICMPEcho(.reply, identifier: 0x2618, sequence: 1, payload: payload)
        #expect(try ICMPDumps.parse(ICMPDumps.reply) == .echo(echo))
        var request = echo
        request.direction = .request
        #expect(try ICMPDumps.parse(ICMPDumps.request) == .echo(request))
    }

    @Test("the header says who and how long")
    func header() throws {
        let header = try ICMPDumps.header(of: ICMPDumps.reply)
        #expect(header.source == IPv4Address(192, 0, 2, 2))
        #expect(header.destination == IPv4Address(192, 0, 2, 1))
        #expect(header.totalLength == 44)
        #expect(header.headerLength == 20)
        #expect(header.protocolNumber == 1)
    }

    @Test("IP options before the reply are skipped")
    func options() throws {
        #expect(try ICMPDumps.header(of: ICMPDumps.replyWithRoute).headerLength == 60)
        guard case .echo(let echo) = try ICMPDumps.parse(ICMPDumps.replyWithRoute) else {
            Issue.record("no echo")
            return
        }
        #expect(echo.identifier == 0x2619)
        #expect(echo.payload?.nonce == 0x2518_016b_0000_0000)
    }

    @Test("what follows the packet in the buffer is no part of it")
    func trailingBytes() throws {
        #expect(try ICMPDumps.parse(ICMPDumps.reply + [1, 2, 3, 4, 5]) == ICMPDumps.parse(ICMPDumps.reply))
    }

    @Test("an error of a router or host is no echo")
    func errors() throws {
        #expect(try ICMPDumps.parse(ICMPDumps.unreachable) == .other(type: 3, code: 1))
        #expect(try ICMPDumps.parse(ICMPDumps.timeExceeded) == .other(type: 11, code: 0))
    }

    @Test("a message we write is, to the byte, one that the kernel would")
    func write() {
        let echo = ICMPEcho(.reply, identifier: 0x2618, sequence: 1, payload: payload)
        #expect(echo.bytes { echo.write(v4: &$0) } == Array(ICMPDumps.reply[20...]))
        let request = ICMPEcho(.request, identifier: 0x2618, sequence: 1, payload: payload)
        #expect(request.bytes { request.write(v4: &$0) } == Array(ICMPDumps.request[20...]))
    }
}

extension ICMPEcho {
    func bytes(_ write: (inout MutableRawSpan) -> Int) -> [UInt8] {
        var buffer = [UInt8](repeating: 0xee, count: 32)
        var span = buffer.mutableSpan
        var raw = span.mutableBytes
        let count = write(&raw)
        return Array(buffer.prefix(count))
    }
}

extension [UInt8] {
    var checksum: UInt16 { InternetChecksum.of(span.bytes) }
    var hasValidChecksum: Bool { InternetChecksum.isValid(span.bytes) }

    /// Puts the Internet checksum of a message into its bytes 2 and 3.
    mutating func setChecksum(of message: Range<Int>) {
        self[message.lowerBound + 2] = 0
        self[message.lowerBound + 3] = 0
        let sum = Array(self[message]).checksum
        self[message.lowerBound + 2] = UInt8(sum >> 8)
        self[message.lowerBound + 3] = UInt8(sum & 0xff)
    }
}
