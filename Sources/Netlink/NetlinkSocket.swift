internal import CMnl
internal import Glibc
internal import LinuxIO
internal import PacketWire

/// A netlink socket (libmnl) and the buffer its datagrams are read into; both go when the owner goes.
struct NetlinkSocket: ~Copyable {
    private let handle: OpaquePointer
    private let buffer: UnsafeMutableRawBufferPointer
    /// What the kernel calls this socket (`nlmsg_pid`).
    let port: UInt32
    private var lastSequence: UInt32

    /// Large enough for what the kernel puts into one datagram of a dump (32 KiB since Linux 4.6).
    private static let datagramSize = 65536

    private init(taking handle: OpaquePointer) {
        self.handle = handle
        buffer = .allocate(byteCount: Self.datagramSize, alignment: 16)
        port = mnl_socket_get_portid(handle)
        lastSequence = UInt32(truncatingIfNeeded: time(nil))
    }

    /// Opens and binds a socket and joins multicast groups.
    static func open(
        bus: Int32, groups: [UInt32] = [], receiveBuffer: Int32, purpose: String, filter: [FilterInstruction] = []
    ) throws(NetlinkError) -> NetlinkSocket {
        guard let handle = mnl_socket_open2(bus, Int32(SOCK_CLOEXEC.rawValue)) else {
            throw NetlinkError(operation: "\(purpose): mnl_socket_open2(3)", errno: errno)
        }
        guard mnl_socket_bind(handle, 0, MNL_SOCKET_AUTOPID) == 0 else {
            let reason = errno
            mnl_socket_close(handle)
            throw NetlinkError(operation: "\(purpose): mnl_socket_bind(3)", errno: reason)
        }
        let socket = NetlinkSocket(taking: handle)  // from here every way out closes it
        socket.configure(receiveBuffer: receiveBuffer)
        if !filter.isEmpty { try? filter.attach(to: socket.descriptor) }
        for group in groups {
            guard socket.option(NETLINK_ADD_MEMBERSHIP, Int32(group)) else {
                throw NetlinkError(operation: "\(purpose): NETLINK_ADD_MEMBERSHIP \(group)", errno: errno)
            }
        }
        return socket
    }

    private func configure(receiveBuffer: Int32) {
        // Linux before 4.12 and 4.20 lacks these; everything works without, with poorer errors and longer dumps.
        _ = option(NETLINK_EXT_ACK, 1)
        _ = option(NETLINK_CAP_ACK, 1)
        _ = option(NETLINK_GET_STRICT_CHK, 1)
        var size = receiveBuffer
        if setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &size, 4) != 0 {
            // Without CAP_NET_ADMIN the kernel's limit net.core.rmem_max holds.
            _ = setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, 4)
        }
        var patience = timeval(tv_sec: 1, tv_usec: 0)
        _ = setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit {
        mnl_socket_close(handle)
        buffer.deallocate()
    }

    var descriptor: Int32 { mnl_socket_get_fd(handle) }

    private func option(_ number: Int32, _ value: Int32) -> Bool {
        var value = value
        return mnl_socket_setsockopt(handle, number, &value, 4) == 0
    }

    /// A number no request of this socket had lately.
    mutating func nextSequence() -> UInt32 {
        lastSequence &+= 1
        if lastSequence == 0 { lastSequence = 1 }  // 0 is for notifications
        return lastSequence
    }

    /// Makes the send buffer large enough for a datagram of this many bytes: the kernel refuses larger ones with EMSGSIZE
    /// (half of the buffer is for its own bookkeeping).
    func makeRoom(forSending count: Int) {
        var size: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &size, &length) == 0, count + 1024 > Int(size) else {
            return
        }
        size = Int32(clamping: count + 1024)
        // It says twice what it is told; without CAP_NET_ADMIN net.core.wmem_max holds, and sending will say so.
        if setsockopt(descriptor, SOL_SOCKET, SO_SNDBUFFORCE, &size, length) != 0 {
            _ = setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &size, length)
        }
    }

    func send(_ bytes: [UInt8], for operation: @autoclosure () -> String) throws(NetlinkError) {
        while true {
            let count = bytes.withUnsafeBytes { mnl_socket_sendto(handle, $0.baseAddress, $0.count) }
            if count == bytes.count { return }
            if count >= 0 || errno != EINTR {
                throw NetlinkError(operation: operation(), errno: count >= 0 ? EMSGSIZE : errno)
            }
        }
    }

    enum Arrival {
        case datagram
        /// Nothing there (EAGAIN), or in a blocking read nothing within a second.
        case nothing
        /// The kernel dropped messages because the buffer was full (ENOBUFS).
        case overrun
    }

    /// Reads one datagram of the kernel's and calls `body` with each of its messages.
    ///
    /// Datagrams of other processes are dropped: netlink(7) lets a privileged process send to any port.
    func receive(
        wait: Bool, for operation: @autoclosure () -> String,
        _ body: (NetlinkHeader, RawSpan) throws(WireError) -> Void
    ) throws(NetlinkError) -> Arrival {
        let flags = Int32(MSG_TRUNC) | (wait ? 0 : Int32(MSG_DONTWAIT))
        while true {
            var sender = sockaddr_nl()
            var length = socklen_t(MemoryLayout<sockaddr_nl>.size)
            let count = withUnsafeMutablePointer(to: &sender) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    recvfrom(descriptor, buffer.baseAddress, buffer.count, flags, $0, &length)
                }
            }
            if count < 0 {
                switch errno {
                case EINTR: continue
                case EAGAIN: return .nothing
                case ENOBUFS: return .overrun
                default: throw NetlinkError(operation: operation(), errno: errno)
                }
            }
            if sender.nl_pid != 0 { continue }
            guard count <= buffer.count else { throw NetlinkError(operation: operation(), errno: EMSGSIZE) }
            let datagram = RawSpan(_unsafeBytes: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            do throws(WireError) {
                try forEachMessage(in: datagram, body)
            } catch {
                throw NetlinkError(operation(), error)
            }
            return .datagram
        }
    }

    /// Reads what has arrived, without waiting; at most so many datagrams that a storm cannot hold its reader for ever.
    ///
    /// What could not be read and what the kernel had to drop is told to `lost`.
    func drain(
        _ operation: String, lost: (String) -> Void, _ body: (NetlinkHeader, RawSpan) throws(WireError) -> Void
    ) throws(NetlinkError) {
        for _ in 0..<1024 {
            do throws(NetlinkError) {
                switch try receive(wait: false, for: operation, body) {
                case .datagram: continue
                case .nothing: return
                case .overrun: lost("ENOBUFS: the kernel dropped notifications")
                }
            } catch {
                guard error.errno == EBADMSG || error.errno == EMSGSIZE else { throw error }
                lost("\(error)")
            }
        }
    }
}

extension NetlinkSocket {
    /// Sends a question and hands out each message of the answer that is not a control message.
    ///
    /// Returns the kernel's verdict: a dump's NLMSG_DONE, an NLMSG_ERROR, or success once one plain message has come.
    /// A dump that the kernel says was interrupted by a change comes back as `nil`; it is complete by then.
    mutating func ask(
        isDump: Bool, expectsMessage: Bool = true, for operation: @autoclosure () -> String,
        _ write: (inout NetlinkWriter, UInt32) -> Void, _ body: (NetlinkHeader, RawSpan) throws(WireError) -> Void
    ) throws(NetlinkError) -> NetlinkVerdict? {
        let sequence = nextSequence()
        var question = NetlinkWriter(capacity: 128)
        write(&question, sequence)
        try send(question.bytes, for: operation())
        var verdict: NetlinkVerdict?
        var interrupted = false
        while verdict == nil {
            let arrival = try receive(wait: true, for: operation()) { (header, payload) throws(WireError) in
                guard header.sequence == sequence, header.port == port, verdict == nil else { return }
                if header.flags.contains(.dumpInterrupted) { interrupted = true }
                switch try NetlinkControl(header, payload) {
                case nil:
                    try body(header, payload)
                    if !isDump, expectsMessage { verdict = NetlinkVerdict(errno: 0) }
                case .answered(let answer), .done(let answer): verdict = answer
                case .overrun: verdict = NetlinkVerdict(errno: ENOBUFS)
                case .nothing: break
                }
            }
            switch arrival {
            case .datagram: break
            case .nothing: throw NetlinkError(operation: operation(), errno: ETIMEDOUT)
            case .overrun: throw NetlinkError(operation: operation(), errno: ENOBUFS)
            }
        }
        return interrupted ? nil : verdict
    }

    /// A dump, asked again as long as changes interrupt it.
    ///
    /// What comes after `limit` values is read from the kernel, since a dump cannot be broken off, but not kept.
    mutating func dump<Value>(
        for operation: String, limit: Int = .max, _ write: (inout NetlinkWriter, UInt32) -> Void,
        _ read: (NetlinkHeader, RawSpan) throws(WireError) -> Value?
    ) throws(NetlinkError) -> [Value] {
        for _ in 0..<Self.attempts {
            var values: [Value] = []
            let verdict = try ask(isDump: true, for: operation, write) { (header, payload) throws(WireError) in
                if values.count < limit, let value = try read(header, payload) { values.append(value) }
            }
            guard let verdict else { continue }
            if verdict.errno != 0 { throw NetlinkError(operation, verdict) }
            return values
        }
        throw NetlinkError(
            operation: operation, errno: EAGAIN, sentence: "interrupted by changes \(Self.attempts) times in a row")
    }

    private static var attempts: Int { 8 }
}

extension NetlinkSocket {
    /// Sends several requests as one datagram, each asking for an acknowledgement, and returns the kernel's verdicts in order.
    ///
    /// A refused request does not keep the later ones from being carried out.
    mutating func exchange<Requests: Collection>(
        _ requests: Requests, for operation: @autoclosure () -> String,
        _ write: (Requests.Element, inout NetlinkWriter, UInt32) -> Void
    ) throws(NetlinkError) -> [NetlinkVerdict] {
        if requests.isEmpty { return [] }
        var datagram = NetlinkWriter(capacity: requests.count * 96)
        let first = nextSequence()
        var sequence = first
        for request in requests {
            write(request, &datagram, sequence)
            sequence = nextSequence()
        }
        try send(datagram.bytes, for: operation())
        var verdicts = [NetlinkVerdict?](repeating: nil, count: requests.count)
        var missing = requests.count
        while missing > 0 {
            let arrival = try receive(wait: true, for: operation()) { (header, payload) throws(WireError) in
                let index = Int(header.sequence &- first)
                guard header.port == port, index < verdicts.count, verdicts[index] == nil,
                    case .answered(let verdict) = try NetlinkControl(header, payload)
                else { return }
                verdicts[index] = verdict
                missing -= 1
            }
            switch arrival {
            case .datagram: break
            case .nothing: throw NetlinkError(operation: operation(), errno: ETIMEDOUT)
            case .overrun: throw NetlinkError(operation: operation(), errno: ENOBUFS)
            }
        }
        return verdicts.compactMap(\.self)
    }
}

extension Array {
    /// Its elements in parts that may share a datagram.
    func slices(of most: Int) -> [ArraySlice<Element>] {
        stride(from: 0, to: count, by: most).map { self[$0..<Swift.min($0 + most, count)] }
    }
}
