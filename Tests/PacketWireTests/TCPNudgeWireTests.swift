import NetworkTypes
import PacketWire
import Testing

@Suite("a nudge in bytes")
struct TCPNudgeWireTests {
    @Test("a nudge is an empty ACK whose checksums add up")
    func bytes() throws {
        let nudge = TCPNudge(
            source: IPv4Address(203, 0, 113, 9), sourcePort: 443, destination: IPv4Address(10, 0, 0, 2),
            destinationPort: 50000)
        var packet = [UInt8](repeating: 0xff, count: TCPNudge.size)
        var span = packet.mutableSpan
        var raw = span.mutableBytes
        #expect(nudge.write(into: &raw) == 40)
        let header = try IPv4Header(packet.span.bytes)
        #expect(header.source == nudge.source && header.destination == nudge.destination)
        #expect(header.protocolNumber == 6 && header.totalLength == 40)
        #expect(InternetChecksum.isValid(packet.span.bytes.extracting(0..<20)) == true)
        // The segment with its pseudo-header in front (RFC 9293 section 3.1), the sum the receiver makes.
        let pseudo = nudge.source.octets + nudge.destination.octets + [0, 6, 0, 20] + packet[20...]
        #expect(InternetChecksum.isValid(pseudo.span.bytes) == true)
        #expect(packet[20..<24] == [1, 187, 0xc3, 0x50])
        #expect(packet[32..<36] == [0x50, 0x10, 0, 0])  // five words, ACK alone, no window
    }
}
