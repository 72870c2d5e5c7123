package import NetworkTypes

/// A TCP segment in somebody's name that makes the receiver say something: an empty ACK whose numbers cannot be right.
///
/// A receiver answers a segment outside its window with an ACK of its own (RFC 9293 section 3.10.7.4) and is not otherwise
/// moved. Sent to a LAN client in the name of its server, it makes an idle client speak now, and the ruleset can then tell it
/// that its connection is gone. (Known from CTDB as "tickle ACK".)
package struct TCPNudge: Hashable, Sendable {
    /// In whose name: the server, as the client knows it.
    package var source: IPv4Address
    package var sourcePort: UInt16
    package var destination: IPv4Address
    package var destinationPort: UInt16

    /// An IPv4 and a TCP header, both without options.
    package static let size = 40

    package init(source: IPv4Address, sourcePort: UInt16, destination: IPv4Address, destinationPort: UInt16) {
        self.source = source
        self.sourcePort = sourcePort
        self.destination = destination
        self.destinationPort = destinationPort
    }

    /// Writes the packet with its checksums into the first bytes of `buffer` and returns how many.
    ///
    /// The sequence and acknowledgement numbers are 0. That they are within the receiver's window by chance is a matter of its
    /// size (64 KiB: once in 65536); it then is an old acknowledgement, which is ignored. `buffer` holds at least `size` bytes;
    /// that is the caller's promise.
    @discardableResult
    package func write(into buffer: inout MutableRawSpan) -> Int {
        buffer.store(0x4500 as UInt16, at: 0)  // version 4, five words, no DSCP
        buffer.store(UInt16(Self.size), at: 2)
        buffer.store(0 as UInt16, at: 4)
        buffer.store(0x4000 as UInt16, at: 6)  // don't fragment: then the identification may be 0 (RFC 6864)
        buffer.store(64 << 8 | 6 as UInt16, at: 8)  // time to live, protocol TCP
        buffer.store(0 as UInt16, at: 10)
        buffer.store(source.bits, at: 12)
        buffer.store(destination.bits, at: 16)
        buffer.store(sourcePort, at: 20)
        buffer.store(destinationPort, at: 22)
        buffer.store(0 as UInt32, at: 24)
        buffer.store(0 as UInt32, at: 28)
        buffer.store(0x5010 as UInt16, at: 32)  // five words, ACK
        buffer.store(0 as UInt16, at: 34)  // no window: nothing is to be sent here
        buffer.store(0 as UInt32, at: 36)  // checksum, no urgent data
        buffer.store(InternetChecksum.of(buffer.bytes.extracting(0..<20)), at: 10)
        buffer.store(
            InternetChecksum.ofTCP(buffer.bytes.extracting(20..<40), from: source, to: destination), at: 36)
        return Self.size
    }
}
