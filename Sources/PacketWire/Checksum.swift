package import NetworkTypes

/// The Internet checksum: the one's complement of the one's complement sum of 16-bit words (RFC 1071).
package enum InternetChecksum {
    /// What belongs into the checksum field of `bytes`, whose own checksum field holds zero; as a number in host order.
    package static func of(_ bytes: RawSpan) -> UInt16 { ~folded(sum(bytes)) }

    /// Whether bytes that contain their own checksum add up.
    package static func isValid(_ bytes: RawSpan) -> Bool { folded(sum(bytes)) == 0xffff }

    /// What belongs into the checksum field of a TCP segment over IPv4, whose own holds zero: it covers a pseudo-header too
    /// (RFC 9293 section 3.1).
    package static func ofTCP(_ segment: RawSpan, from source: IPv4Address, to destination: IPv4Address) -> UInt16 {
        ~folded(sum(segment) + UInt64(source.bits) + UInt64(destination.bits) + 6 + UInt64(segment.byteCount))
    }

    /// Adds big-endian 32-bit words: folding makes of them what 16-bit words would have made (RFC 1071 section 2 (C)).
    private static func sum(_ bytes: RawSpan) -> UInt64 {
        var total: UInt64 = 0
        var offset = 0
        while offset + 4 <= bytes.byteCount {
            total += UInt64(bytes.loaded(at: offset, as: UInt32.self))
            offset += 4
        }
        if offset + 2 <= bytes.byteCount {
            total += UInt64(bytes.loaded(at: offset, as: UInt16.self))
            offset += 2
        }
        // An odd last byte counts as if a zero followed it.
        if offset < bytes.byteCount { total += UInt64(bytes.loaded(at: offset, as: UInt8.self)) << 8 }
        return total
    }

    private static func folded(_ total: UInt64) -> UInt16 {
        var total = total
        while total > 0xffff { total = (total & 0xffff) + (total >> 16) }
        return UInt16(total)
    }
}
