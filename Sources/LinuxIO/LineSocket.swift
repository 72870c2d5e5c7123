internal import CLinux
internal import Glibc

/// Lines over a stream, one at a time, with a bound on their length and a deadline for each.
package struct LineSocket: ~Copyable {
    package enum Line: Hashable, Sendable {
        /// Without its newline.
        case line([UInt8])
        /// Nobody will send any more.
        case ended
        /// The deadline passed.
        case timeout
        /// More than the limit and still no newline: the stream is of no further use.
        case tooLong
    }

    private let socket: OwnedDescriptor
    private let limit: Int
    private var pending: [UInt8] = []

    package init(taking socket: consuming OwnedDescriptor, limit: Int = 64 << 10) {
        self.socket = socket
        self.limit = limit
    }

    /// The next line, at the latest when `Clock.boottime` reaches the deadline.
    package mutating func next(until deadline: Int64) throws(SystemCallError) -> Line {
        while true {
            if let end = pending.firstIndex(of: 10) {
                let line = Array(pending[..<end])
                pending.removeSubrange(...end)
                return line.count > limit ? .tooLong : .line(line)
            }
            if pending.count > limit { return .tooLong }
            let left = deadline - Clock.boottime()
            if left <= 0 { return .timeout }
            var wait = pollfd(fd: socket.raw, events: Int16(POLLIN), revents: 0)
            let milliseconds = Int32(min((left + 999_999) / 1_000_000, 1_000_000))
            guard try checked("poll(2)", "", { poll(&wait, 1, milliseconds) }) > 0 else { continue }
            var chunk = [UInt8](repeating: 0, count: 8192)
            let raw = socket.raw
            let count = read(raw, &chunk, chunk.count)
            if count > 0 {
                pending += chunk[..<count]
            } else if count == 0 || Glibc.errno == ECONNRESET {
                return .ended
            } else if Glibc.errno != EINTR && Glibc.errno != EAGAIN {
                throw SystemCallError(call: "read(2)", errno: Glibc.errno)
            }
        }
    }

    /// Sends a line (the newline is added); waits for room. EPIPE says that nobody reads.
    package func send(_ line: [UInt8]) throws(SystemCallError) {
        try checkedToTheEnd("send(2)", "", line + [10]) { rest, _ in
            Glibc.send(socket.raw, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL))
        }
    }
}
