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

/// An echo request or reply of ICMP (RFC 792, types 8 and 0).
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
        let count = payload == nil ? Self.headerSize : Self.size
        store(direction == .request ? 0x0800 as UInt16 : 0, at: 0, in: &buffer)
        store(0 as UInt16, at: 2, in: &buffer)
        store(identifier, at: 4, in: &buffer)
        store(sequence, at: 6, in: &buffer)
        if let payload {
            store(payload.nonce, at: 8, in: &buffer)
            store(payload.sequence, at: 16, in: &buffer)
        }
        store(InternetChecksum.of(buffer.bytes.extracting(first: count)), at: 2, in: &buffer)
        return count
    }

    /// Reads what follows type, code and checksum.
    init(_ direction: Direction, message: RawSpan) throws(WireError) {
        self.direction = direction
        identifier = try message.networkOrder(at: 4)
        sequence = try message.networkOrder(at: 6)
        if message.byteCount == Self.size {
            payload = EchoPayload(
                nonce: try message.networkOrder(at: 8), sequence: try message.networkOrder(at: 16))
        }
    }
}
