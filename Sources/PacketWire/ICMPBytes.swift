extension RawSpan {
    /// A number in network order; the only place where ICMP code reads memory. Traps past the end, as a subscript does.
    @inline(__always)
    func loaded<Number: FixedWidthInteger & BitwiseCopyable>(at offset: Int, as type: Number.Type) -> Number {
        Number(bigEndian: unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: Number.self))
    }

    /// A number in network order from bytes that somebody else wrote.
    @inline(__always)
    func networkOrder<Number: FixedWidthInteger & BitwiseCopyable>(
        at offset: Int, as type: Number.Type = Number.self
    ) throws(WireError) -> Number {
        guard offset >= 0, offset + MemoryLayout<Number>.size <= byteCount else {
            throw WireError(
                .truncated(needed: offset + MemoryLayout<Number>.size, available: byteCount), at: offset)
        }
        return loaded(at: offset, as: type)
    }
}

/// Stores a number in network order. No method of the span: Swift 6.2 refuses `mutating` in an extension of it.
@inline(__always)
func store<Number: FixedWidthInteger & BitwiseCopyable>(
    _ number: Number, at offset: Int, in buffer: inout MutableRawSpan
) {
    buffer.storeBytes(of: number.bigEndian, toByteOffset: offset, as: Number.self)
}
