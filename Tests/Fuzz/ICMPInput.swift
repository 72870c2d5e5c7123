import NetworkTypes
import PacketWire

/// A packet as a raw socket delivers it, with its IPv4 header, and the same bytes as a bare message with a
/// checksum put right, since no fuzzer guesses one.
func readICMP(_ packet: [UInt8]) {
    let bytes = packet.span.bytes
    attempt { () throws(WireError) in
        let header = try IPv4Header(bytes)
        precondition(header.payloadRange(in: bytes.byteCount).upperBound <= bytes.byteCount, "a payload past the end")
        check(try ICMPMessage(v4: bytes.extracting(header.payloadRange(in: bytes.byteCount))))
    }
    var mended = packet
    guard mended.count >= 8 else { return }
    mended[2] = 0
    mended[3] = 0
    let sum = InternetChecksum.of(mended.span.bytes)
    mended[2] = UInt8(sum >> 8)
    mended[3] = UInt8(sum & 0xff)
    attempt { () throws(WireError) in check(try ICMPMessage(v4: mended.span.bytes)) }
}

/// An echo of ours, written again, is read as the same.
private func check(_ message: ICMPMessage) {
    guard case .echo(let echo) = message, echo.payload != nil else { return }
    var bytes = [UInt8](repeating: 0xff, count: ICMPEcho.size)
    var span = bytes.mutableSpan
    var raw = span.mutableBytes
    echo.write(v4: &raw)
    precondition((try? ICMPMessage(v4: bytes.span.bytes)) == message, "what was written is not what was read")
}
