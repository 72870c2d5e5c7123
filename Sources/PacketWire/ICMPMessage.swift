/// One ICMP message, as far as somebody who sends echo requests wants to know it.
package enum ICMPMessage: Hashable, Sendable {
    case echo(ICMPEcho)
    case other(type: UInt8, code: UInt8)

    /// Reads an ICMP message (RFC 792) without its IP header.
    ///
    /// The checksum is verified here because nobody else does: Linux hands packets to raw sockets before its own ICMP looks
    /// at them (net/ipv4/ip_input.c, `raw_local_deliver`).
    package init(v4 message: RawSpan) throws(WireError) {
        guard message.byteCount >= 8 else {
            throw WireError(.truncated(needed: 8, available: message.byteCount), at: 0)
        }
        guard InternetChecksum.isValid(message) else { throw WireError(.badChecksum, at: 2) }
        switch try message.networkOrder(at: 0, as: UInt8.self) {
        case 0: self = .echo(try ICMPEcho(.reply, message: message))
        case 8: self = .echo(try ICMPEcho(.request, message: message))
        case let type: self = .other(type: type, code: try message.networkOrder(at: 1))
        }
    }
}
