package import NetworkTypes

/// The header of an IPv4 packet (RFC 791 section 3.1), as a raw socket delivers it before the payload (raw(7)).
package struct IPv4Header: Hashable, Sendable {
    package var source: IPv4Address
    package var destination: IPv4Address
    /// As in /etc/protocols: 1 is ICMP.
    package var protocolNumber: UInt8
    /// With options, 20…60 bytes.
    package var headerLength: Int
    /// Of header and payload, as the sender says.
    package var totalLength: Int

    /// Reads a header and believes no length in it that the bytes do not bear out.
    package init(_ bytes: RawSpan) throws(WireError) {
        let first = try bytes.networkOrder(at: 0, as: UInt8.self)
        guard first >> 4 == 4 else { throw WireError(.badValue(field: "IP version", value: Int(first >> 4)), at: 0) }
        headerLength = Int(first & 0xf) * 4
        guard headerLength >= 20 else { throw WireError(.badLength(headerLength), at: 0) }
        guard headerLength <= bytes.byteCount else {
            throw WireError(.truncated(needed: headerLength, available: bytes.byteCount), at: 0)
        }
        totalLength = Int(try bytes.networkOrder(at: 2, as: UInt16.self))
        guard totalLength >= headerLength else { throw WireError(.badLength(totalLength), at: 2) }
        guard totalLength <= bytes.byteCount else {
            throw WireError(.truncated(needed: totalLength, available: bytes.byteCount), at: 2)
        }
        protocolNumber = try bytes.networkOrder(at: 9)
        source = IPv4Address(bits: try bytes.networkOrder(at: 12))
        destination = IPv4Address(bits: try bytes.networkOrder(at: 16))
    }

    /// Where the payload lies in the bytes the header was read from.
    package func payloadRange(in count: Int) -> Range<Int> { headerLength..<min(totalLength, count) }
}
