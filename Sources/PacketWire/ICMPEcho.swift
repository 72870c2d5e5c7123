/// What our echo requests carry: a number nobody can guess, and the probe it belongs to.
///
/// An answer proves that its sender saw the request: identifier and sequence alone are 32 bits that anybody could try out.
package struct EchoPayload: Hashable, Sendable {
    package var nonce: UInt64
    package var sequence: UInt64

    package static let size = 16

    package init(nonce: UInt64, sequence: UInt64) {
        self.nonce = nonce
        self.sequence = sequence
    }
}

/// An echo request or reply, of ICMP (RFC 792, types 8 and 0) or ICMPv6 (RFC 4443 section 4, types 128 and 129).
package struct ICMPEcho: Hashable, Sendable {
    package enum Direction: Hashable, Sendable { case request, reply }

    package var direction: Direction
    package var identifier: UInt16
    package var sequence: UInt16
    /// `nil` where the data has not the size of ours; an echo of somebody else's ping.
    package var payload: EchoPayload?

    /// Type, code, checksum, identifier, sequence.
    package static let headerSize = 8
    /// A message with our payload.
    package static let size = headerSize + EchoPayload.size

    package init(_ direction: Direction, identifier: UInt16, sequence: UInt16, payload: EchoPayload?) {
        self.direction = direction
        self.identifier = identifier
        self.sequence = sequence
        self.payload = payload
    }

    /// Writes an ICMP message with its checksum into the first bytes of `buffer` and returns how many.
    ///
    /// `buffer` holds at least `size` bytes; that is the caller's promise.
    @discardableResult
    package func write(v4 buffer: inout MutableRawSpan) -> Int {
        let count = write(type: direction == .request ? 8 : 0, into: &buffer)
        store(InternetChecksum.of(buffer.bytes.extracting(first: count)), at: 2, in: &buffer)
        return count
    }

    /// Writes an ICMPv6 message with a checksum of zero: the kernel fills it in (RFC 3542 section 3.1).
    @discardableResult
    package func write(v6 buffer: inout MutableRawSpan) -> Int {
        write(type: direction == .request ? 128 : 129, into: &buffer)
    }

    private func write(type: UInt8, into buffer: inout MutableRawSpan) -> Int {
        store(UInt16(type) << 8, at: 0, in: &buffer)
        store(0 as UInt16, at: 2, in: &buffer)
        store(identifier, at: 4, in: &buffer)
        store(sequence, at: 6, in: &buffer)
        guard let payload else { return Self.headerSize }
        store(payload.nonce, at: 8, in: &buffer)
        store(payload.sequence, at: 16, in: &buffer)
        return Self.size
    }

    /// Reads what follows type, code and checksum; `data` is false where bytes after the header are missing by design.
    init(_ direction: Direction, message: RawSpan, wholeData: Bool) throws(WireError) {
        self.direction = direction
        identifier = try message.networkOrder(at: 4)
        sequence = try message.networkOrder(at: 6)
        if wholeData, message.byteCount == Self.size {
            payload = EchoPayload(
                nonce: try message.networkOrder(at: 8), sequence: try message.networkOrder(at: 16))
        }
    }
}
