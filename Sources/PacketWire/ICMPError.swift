package import NetworkTypes

/// What an ICMP error says, and about which echo request, if it was about one.
package struct ICMPError: Hashable, Sendable {
    package enum Reason: Hashable, Sendable {
        /// Codes of RFC 792 and RFC 1812 (0 net, 1 host, 3 port, 13 administratively prohibited) or RFC 4443 section 3.1.
        case unreachable(code: UInt8)
        case packetTooBig(mtu: UInt32)
        /// Code 0: the hop limit ran out on the way; 1: reassembly.
        case timeExceeded(code: UInt8)
        case parameterProblem(code: UInt8)
    }

    package var reason: Reason
    /// `nil` where the packet quoted is no echo request, or not enough of it is here to tell.
    package var quoted: QuotedEcho?

    init(_ reason: Reason, quotedV4 packet: RawSpan) {
        self.reason = reason
        quoted = QuotedEcho(v4: packet)
    }

    init(_ reason: Reason, quotedV6 packet: RawSpan) {
        self.reason = reason
        quoted = QuotedEcho(v6: packet)
    }
}

/// The echo request inside an ICMP error.
///
/// A router must quote the IP header and 8 bytes (RFC 792), so identifier and sequence are always there; most quote enough
/// (RFC 1812 section 4.3.2.3) that our nonce is too.
package struct QuotedEcho: Hashable, Sendable {
    package var source: IPAddress
    package var destination: IPAddress
    package var echo: ICMPEcho

    /// A quote that does not hold what it should is no error of the message around it: `nil`.
    init?(v4 packet: RawSpan) {
        guard let header = try? IPv4Header(packet, cut: true), header.protocolNumber == 1, header.fragmentOffset == 0
        else { return nil }
        let message = packet.extracting(header.payloadRange(in: packet.byteCount))
        guard message.byteCount >= ICMPEcho.headerSize, message.loaded(at: 0, as: UInt16.self) == 8 << 8,
            let echo = try? ICMPEcho(
                .request, message: message, wholeData: header.totalLength <= packet.byteCount)
        else { return nil }
        source = .v4(header.source)
        destination = .v4(header.destination)
        self.echo = echo
    }

    /// We send no extension headers, so a quote with one is not about a packet of ours.
    init?(v6 packet: RawSpan) {
        let headerSize = 40
        guard packet.byteCount >= headerSize + ICMPEcho.headerSize, packet.loaded(at: 0, as: UInt8.self) >> 4 == 6,
            packet.loaded(at: 6, as: UInt8.self) == 58
        else { return nil }
        let length = Int(packet.loaded(at: 4, as: UInt16.self))
        let message = packet.extracting(headerSize..<min(headerSize + length, packet.byteCount))
        guard message.byteCount >= ICMPEcho.headerSize, message.loaded(at: 0, as: UInt16.self) == 128 << 8,
            let echo = try? ICMPEcho(
                .request, message: message, wholeData: headerSize + length <= packet.byteCount)
        else { return nil }
        source = .v6(packet.address(at: 8))
        destination = .v6(packet.address(at: 24))
        self.echo = echo
    }
}

extension RawSpan {
    fileprivate func address(at offset: Int) -> IPv6Address {
        IPv6Address(
            high: loaded(at: offset, as: UInt64.self), low: loaded(at: offset + 8, as: UInt64.self))
    }
}
