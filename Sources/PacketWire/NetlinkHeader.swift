/// The header of every netlink message (netlink(7) `struct nlmsghdr`).
package struct NetlinkHeader: Hashable, Sendable {
    /// Of the whole message, this header included.
    package var length: UInt32
    /// NLMSG_* below 16, else the protocol's own: RTM_*, or subsystem × 256 + message for nfnetlink.
    package var type: UInt16
    package var flags: NetlinkFlags
    /// The request's number, in every answer to it; 0 in notifications.
    package var sequence: UInt32
    /// The port of the socket whose request this answers or reports (`nlmsg_pid`); 0 where the kernel itself acted.
    package var port: UInt32

    package static let size = 16

    /// Reads the header at `offset`.
    package init(in bytes: RawSpan, at offset: Int = 0) throws(WireError) {
        length = try bytes.native(at: offset)
        type = try bytes.native(at: offset + 4)
        flags = NetlinkFlags(rawValue: try bytes.native(at: offset + 6))
        sequence = try bytes.native(at: offset + 8)
        port = try bytes.native(at: offset + 12)
    }
}

/// NLM_F_* (netlink(7)). Several bits mean one thing in a request and another in an answer.
package struct NetlinkFlags: OptionSet, Hashable, Sendable {
    package let rawValue: UInt16
    package init(rawValue: UInt16) { self.rawValue = rawValue }

    package static let request = NetlinkFlags(rawValue: 0x1)
    package static let acknowledge = NetlinkFlags(rawValue: 0x4)
    /// The table changed while it was being dumped: parts may be missing or doubled.
    package static let dumpInterrupted = NetlinkFlags(rawValue: 0x10)

    package static let dump = NetlinkFlags(rawValue: 0x300)

    package static let replace = NetlinkFlags(rawValue: 0x100)
    package static let exclusive = NetlinkFlags(rawValue: 0x200)
    package static let create = NetlinkFlags(rawValue: 0x400)

    /// In an NLMSG_ERROR: of the request only its header is repeated (NETLINK_CAP_ACK).
    package static let capped = NetlinkFlags(rawValue: 0x100)
    /// In an NLMSG_ERROR or NLMSG_DONE: attributes with the kernel's sentence follow (NETLINK_EXT_ACK).
    package static let explained = NetlinkFlags(rawValue: 0x200)
}

/// Calls `body` with each message of a datagram: its header, and what follows the header.
///
/// A header whose length cannot be true ends the walk with an error; the messages before it have been handed out.
package func forEachMessage(
    in datagram: RawSpan, _ body: (NetlinkHeader, RawSpan) throws(WireError) -> Void
) throws(WireError) {
    var offset = 0
    while offset < datagram.byteCount {
        let header = try NetlinkHeader(in: datagram, at: offset)
        guard let length = Int(exactly: header.length), length >= NetlinkHeader.size,
            length <= datagram.byteCount - offset
        else { throw WireError(.badLength(Int(clamping: header.length)), at: offset) }
        try body(header, datagram.extracting((offset + NetlinkHeader.size)..<(offset + length)))
        offset += (length + 3) & ~3
    }
}
