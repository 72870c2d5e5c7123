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
        store(0x4500 as UInt16, at: 0, in: &buffer)  // version 4, five words, no DSCP
        store(UInt16(Self.size), at: 2, in: &buffer)
        store(0 as UInt16, at: 4, in: &buffer)
        store(0x4000 as UInt16, at: 6, in: &buffer)  // don't fragment: then the identification may be 0 (RFC 6864)
        store(64 << 8 | 6 as UInt16, at: 8, in: &buffer)  // time to live, protocol TCP
        store(0 as UInt16, at: 10, in: &buffer)
        store(source.bits, at: 12, in: &buffer)
        store(destination.bits, at: 16, in: &buffer)
        store(sourcePort, at: 20, in: &buffer)
        store(destinationPort, at: 22, in: &buffer)
        store(0 as UInt32, at: 24, in: &buffer)
        store(0 as UInt32, at: 28, in: &buffer)
        store(0x5010 as UInt16, at: 32, in: &buffer)  // five words, ACK
        store(0 as UInt16, at: 34, in: &buffer)  // no window: nothing is to be sent here
        store(0 as UInt32, at: 36, in: &buffer)  // checksum, no urgent data
        store(InternetChecksum.of(buffer.bytes.extracting(0..<20)), at: 10, in: &buffer)
        store(
            InternetChecksum.ofTCP(buffer.bytes.extracting(20..<40), from: source, to: destination), at: 36, in: &buffer
        )
        return Self.size
    }
}
