package import NetworkTypes

// Reading what netlink(7) messages are made of. The bounds are checked here, once, for every message.

extension RawSpan {
    /// The number at `offset` in the host's byte order, as rtnetlink(7) has it.
    package func native<Number: FixedWidthInteger & BitwiseCopyable>(
        at offset: Int, as: Number.Type = Number.self
    ) throws(WireError) -> Number {
        let size = MemoryLayout<Number>.size
        guard offset >= 0, offset <= byteCount, size <= byteCount - offset else {
            throw WireError(.truncated(needed: size, available: max(0, byteCount - max(0, offset))), at: offset)
        }
        // The only unchecked read of a netlink message; the guard above is its check.
        return unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: Number.self)
    }

    /// The number at `offset` in network byte order, as nfnetlink(7) and addresses have it.
    package func big<Number: FixedWidthInteger & BitwiseCopyable>(
        at offset: Int, as: Number.Type = Number.self
    ) throws(WireError) -> Number {
        Number(bigEndian: try native(at: offset))
    }

    /// Refuses a message that is shorter than its fixed header.
    package func require(header size: Int) throws(WireError) {
        guard byteCount >= size else { throw WireError(.truncated(needed: size, available: byteCount), at: 0) }
    }

    /// A copy of all bytes.
    package var octets: [UInt8] { unsafe withUnsafeBytes { unsafe [UInt8]($0) } }

    /// The text up to the first NUL, or all of it; what is no UTF-8 is repaired.
    package var text: String { String(decoding: octets.prefix { $0 != 0 }, as: UTF8.self) }

    /// An address: four bytes are IPv4, sixteen IPv6.
    package func address() throws(WireError) -> IPAddress {
        switch byteCount {
        case 4: .v4(IPv4Address(bits: try big(at: 0)))
        case 16: .v6(IPv6Address(high: try big(at: 0), low: try big(at: 8)))
        default: throw WireError(.badLength(byteCount), at: 0)
        }
    }

    /// An address that belongs to a prefix of `length` bits.
    package func prefix(length: UInt8) throws(WireError) -> IPPrefix {
        guard let prefix = IPPrefix(try address(), length: Int(length)) else {
            throw WireError(.badValue(field: "prefix length", value: Int(length)), at: 0)
        }
        return prefix
    }
}

/// Calls `body` with the kind and payload of each attribute (netlink(7) `struct nlattr`, rtnetlink(7) `struct rtattr`).
///
/// The two flag bits of the kind (NLA_F_NESTED, NLA_F_NET_BYTEORDER; linux/netlink.h) are taken off. Padding after the
/// last attribute may be missing.
package func forEachAttribute(
    in bytes: RawSpan, _ body: (UInt16, RawSpan) throws(WireError) -> Void
) throws(WireError) {
    var offset = 0
    while offset < bytes.byteCount {
        let length = Int(try bytes.native(at: offset, as: UInt16.self))
        let kind: UInt16 = try bytes.native(at: offset + 2)
        guard length >= 4, length <= bytes.byteCount - offset else { throw WireError(.badLength(length), at: offset) }
        try body(kind & 0x3fff, bytes.extracting((offset + 4)..<(offset + length)))
        offset += (length + 3) & ~3
    }
}
