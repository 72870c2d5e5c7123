/// A message of netlink itself, below the protocols (netlink(7), types below NLMSG_MIN_TYPE = 16).
package enum NetlinkControl: Hashable, Sendable {
    /// NLMSG_NOOP, or a number nobody has used yet.
    case nothing
    /// NLMSG_ERROR, which is also how success is said.
    case answered(NetlinkVerdict)
    /// NLMSG_DONE: the dump is over.
    case done(NetlinkVerdict)
    /// NLMSG_OVERRUN: messages were lost.
    case overrun

    /// `nil` where the message belongs to a protocol.
    package init?(_ header: NetlinkHeader, _ payload: RawSpan) throws(WireError) {
        guard header.type < 16 else { return nil }
        switch Kind(rawValue: header.type) {
        case .error: self = .answered(try NetlinkVerdict(header, payload, request: true))
        case .done: self = .done(try NetlinkVerdict(header, payload, request: false))
        case .overrun: self = .overrun
        case .noop, nil: self = .nothing
        }
    }

    /// NLMSG_*, by the kernel's numbers.
    private enum Kind: UInt16 {
        case noop = 1
        case error = 2
        case done = 3
        case overrun = 4
    }
}

/// What the kernel thought of a request, and why.
package struct NetlinkVerdict: Hashable, Sendable {
    /// As in errno(3); 0 is success.
    package var errno: Int32
    /// The kernel's own sentence (extended ACK, linux/netlink.h NLMSGERR_ATTR_MSG); it may accompany a success.
    package var sentence: String?

    package init(errno: Int32, sentence: String? = nil) {
        self.errno = errno
        self.sentence = sentence
    }

    fileprivate init(_ header: NetlinkHeader, _ payload: RawSpan, request: Bool) throws(WireError) {
        // A DONE without a number is older than its number; it means success.
        let code: Int32 = request || payload.byteCount >= 4 ? try payload.native(at: 0) : 0
        errno = code == .min ? .max : -min(code, 0)
        guard header.flags.contains(.explained) else { return }
        var start = 4
        if request {
            let repeated = try NetlinkHeader(in: payload, at: 4)
            guard repeated.length >= UInt32(NetlinkHeader.size), let length = Int(exactly: repeated.length) else {
                throw WireError(.badLength(Int(clamping: repeated.length)), at: 4)
            }
            start += header.flags.contains(.capped) ? NetlinkHeader.size : (length + 3) & ~3
        }
        guard start <= payload.byteCount else {
            throw WireError(.truncated(needed: start, available: payload.byteCount), at: 4)
        }
        try forEachAttribute(in: payload.extracting(droppingFirst: start)) { (kind, payload) throws(WireError) in
            if kind == 1 { sentence = payload.text }  // NLMSGERR_ATTR_MSG
        }
    }
}
