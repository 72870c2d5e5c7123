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

    @Test("the header says who, how long and how far")
    func header() throws {
        let header = try ICMPDumps.header(of: ICMPDumps.reply)
        #expect(header.source == IPv4Address(192, 0, 2, 2))
        #expect(header.destination == IPv4Address(192, 0, 2, 1))
        #expect(header.totalLength == 44)
        #expect(header.headerLength == 20)
        #expect(header.timeToLive == 64)
        #expect(header.protocolNumber == 1)
        #expect(header.fragmentOffset == 0)
        #expect(!header.moreFragments)
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

    @Test("a host that is unreachable: which echo it was about")
    func unreachable() throws {
        guard case .error(let error) = try ICMPDumps.parse(ICMPDumps.unreachable) else {
            Issue.record("no error")
            return
        }
        #expect(error.reason == .unreachable(code: 1))
        #expect(error.quoted?.source == IPAddress("192.0.2.1"))
        #expect(error.quoted?.destination == IPAddress("198.51.100.1"))
        #expect(error.quoted?.echo.identifier == 0x261b)
        #expect(error.quoted?.echo.sequence == 1)
        #expect(error.quoted?.echo.payload?.nonce == 0x2518_016b_0000_0000)
    }

    @Test("a hop limit that ran out: which echo it was about")
    func timeExceeded() throws {
        guard case .error(let error) = try ICMPDumps.parse(ICMPDumps.timeExceeded) else {
            Issue.record("no error")
            return
        }
        #expect(error.reason == .timeExceeded(code: 0))
        #expect(error.quoted?.destination == IPAddress("203.0.113.1"))
        #expect(error.quoted?.echo.identifier == 0x261c)
    }

    @Test("an error that quotes only header and 8 bytes still names identifier and sequence")
    func shortQuote() throws {
        var packet = Array(ICMPDumps.unreachable.prefix(20 + 8 + 20 + 8))
        packet[3] = UInt8(packet.count)
        packet.setChecksum(of: 20..<packet.count)
        guard case .error(let error) = try ICMPDumps.parse(packet) else {
            Issue.record("no error")
            return
        }
        #expect(error.quoted?.echo.identifier == 0x261b)
        #expect(error.quoted?.echo.payload == nil)
    }

    @Test("an error that quotes less, a fragment, UDP or an echo reply names no echo", arguments: 0..<4)
    func otherQuotes(kind: Int) throws {
        var packet = ICMPDumps.unreachable
        let quote = 28
        switch kind {
        case 0:
            packet = Array(packet.prefix(quote + 20 + 7))
            packet[3] = UInt8(packet.count)
        case 1: packet[quote + 7] = 3  // fragment offset
        case 2: packet[quote + 9] = 17
        default: packet[quote + 20] = 0
        }
        packet.setChecksum(of: 20..<packet.count)
        guard case .error(let error) = try ICMPDumps.parse(packet) else {
            Issue.record("no error")
            return
        }
        #expect(error.quoted == nil)
    }

    @Test("fragmentation needed tells the next hop's MTU (RFC 1191)")
    func packetTooBig() throws {
        var packet = ICMPDumps.unreachable
        packet[21] = 4
        packet[26] = 0x05
        packet[27] = 0xac
        packet.setChecksum(of: 20..<packet.count)
        guard case .error(let error) = try ICMPDumps.parse(packet) else {
            Issue.record("no error")
            return
        }
        #expect(error.reason == .packetTooBig(mtu: 1452))
    }

    @Test("a message we write is, to the byte, one that the kernel would")
    func write() {
        let echo = ICMPEcho(.reply, identifier: 0x2618, sequence: 1, payload: payload)
        #expect(echo.bytes { echo.write(v4: &$0) } == Array(ICMPDumps.reply[20...]))
        let request = ICMPEcho(.request, identifier: 0x2618, sequence: 1, payload: payload)
        #expect(request.bytes { request.write(v4: &$0) } == Array(ICMPDumps.request[20...]))
    }
}

@Suite("ICMPv6, as the kernel sends it")
struct ICMPv6Tests {
    private let payload = EchoPayload(nonce: 0x2518_016b_0000_0000, sequence: 0x15e7_0d00_0000_0000)

    @Test("an echo reply and its request are read")
    func reply() throws {
        #expect(
            try ICMPDumps.parseV6(ICMPDumps.replyV6[40...])
                == .echo(ICMPEcho(.reply, identifier: 0x261d, sequence: 1, payload: payload)))
        #expect(
            try ICMPDumps.parseV6(ICMPDumps.requestV6[40...])
                == .echo(ICMPEcho(.request, identifier: 0x261d, sequence: 1, payload: payload)))
    }

    @Test("errors name the echo they are about")
    func errors() throws {
        guard case .error(let unreachable) = try ICMPDumps.parseV6(ICMPDumps.unreachableV6[40...]),
            case .error(let exceeded) = try ICMPDumps.parseV6(ICMPDumps.timeExceededV6[40...])
        else {
            Issue.record("no error")
            return
        }
        #expect(unreachable.reason == .unreachable(code: 0))
        #expect(unreachable.quoted?.source == IPAddress("2001:db8::1"))
        #expect(unreachable.quoted?.destination == IPAddress("2001:db8:1::1"))
        #expect(unreachable.quoted?.echo.identifier == 0x261e)
        #expect(exceeded.reason == .timeExceeded(code: 0))
        #expect(exceeded.quoted?.destination == IPAddress("2001:db8:2::1"))
        #expect(exceeded.quoted?.echo.payload?.sequence == 0x0a0c_0e00_0000_0000)
    }

    @Test("the checksum covers the pseudo-header", arguments: ICMPDumps.v6)
    func checksum(packet: [UInt8]) throws {
        var message = Array(packet[40...])
        let stored = UInt16(message[2]) << 8 | UInt16(message[3])
        message[2] = 0
        message[3] = 0
        let source = try #require(IPv6Address(octets: Array(packet[8..<24])))
        let destination = try #require(IPv6Address(octets: Array(packet[24..<40])))
        let sum = InternetChecksum.ofICMPv6(message.span.bytes, from: source, to: destination)
        #expect(sum == stored)
    }

    @Test("a message we write differs from the kernel's only in the checksum, which the kernel fills in")
    func write() {
        let echo = ICMPEcho(.request, identifier: 0x261d, sequence: 1, payload: payload)
        var expected = Array(ICMPDumps.requestV6[40...])
        expected[2] = 0
        expected[3] = 0
        #expect(echo.bytes { echo.write(v6: &$0) } == expected)
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
