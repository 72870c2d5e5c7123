internal import NetworkTypes

/// One ICMP or ICMPv6 message, as far as somebody who sends echo requests wants to know it.
package enum ICMPMessage: Hashable, Sendable {
    case echo(ICMPEcho)
    /// A router or host could not deliver something.
    case error(ICMPError)
    case other(type: UInt8, code: UInt8)

    /// Reads an ICMP message (RFC 792) without its IP header.
    ///
    /// The checksum is verified here because nobody else does: Linux hands packets to raw sockets before its own ICMP looks
    /// at them (net/ipv4/ip_input.c, `raw_local_deliver`).
    package init(v4 message: RawSpan) throws(WireError) {
        let (type, code) = try Self.typeAndCode(of: message)
        guard InternetChecksum.isValid(message) else { throw WireError(.badChecksum, at: 2) }
        let quoted = message.extracting(droppingFirst: 8)
        switch type {
        case 0: self = .echo(try ICMPEcho(.reply, message: message, wholeData: true))
        case 8: self = .echo(try ICMPEcho(.request, message: message, wholeData: true))
        case 3 where code == 4:  // fragmentation needed, RFC 1191 section 4
            let mtu = UInt32(try message.networkOrder(at: 6, as: UInt16.self))
            self = .error(ICMPError(.packetTooBig(mtu: mtu), quotedV4: quoted))
        case 3: self = .error(ICMPError(.unreachable(code: code), quotedV4: quoted))
        case 11: self = .error(ICMPError(.timeExceeded(code: code), quotedV4: quoted))
        case 12: self = .error(ICMPError(.parameterProblem(code: code), quotedV4: quoted))
        default: self = .other(type: type, code: code)
        }
    }

    /// Reads an ICMPv6 message (RFC 4443). Its checksum covers addresses that are not here; the kernel verified it.
    package init(v6 message: RawSpan) throws(WireError) {
        let (type, code) = try Self.typeAndCode(of: message)
        let quoted = message.extracting(droppingFirst: 8)
        switch type {
        case 129: self = .echo(try ICMPEcho(.reply, message: message, wholeData: true))
        case 128: self = .echo(try ICMPEcho(.request, message: message, wholeData: true))
        case 1: self = .error(ICMPError(.unreachable(code: code), quotedV6: quoted))
        case 2:
            self = .error(ICMPError(.packetTooBig(mtu: try message.networkOrder(at: 4)), quotedV6: quoted))
        case 3: self = .error(ICMPError(.timeExceeded(code: code), quotedV6: quoted))
        case 4: self = .error(ICMPError(.parameterProblem(code: code), quotedV6: quoted))
        default: self = .other(type: type, code: code)
        }
    }

    private static func typeAndCode(of message: RawSpan) throws(WireError) -> (UInt8, UInt8) {
        guard message.byteCount >= 8 else {
            throw WireError(.truncated(needed: 8, available: message.byteCount), at: 0)
        }
        return (try message.networkOrder(at: 0), try message.networkOrder(at: 1))
    }
}
