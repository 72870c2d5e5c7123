internal import CLinux
internal import Glibc

/// A raw socket that sends whole IPv4 packets, header and source address as the caller wrote them (raw(7), IP_HDRINCL).
///
/// It hears nothing. Needs CAP_NET_RAW. It belongs to the network namespace of the thread that opened it.
package struct RawIPv4Socket: ~Copyable, Sendable {
    package let descriptor: OwnedDescriptor

    /// - Parameter mark: what routing rules and nftables see on what is sent (SO_MARK; needs CAP_NET_ADMIN).
    package init(mark: UInt32) throws(SystemCallError) {
        let kind = Int32(SOCK_RAW.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        // IPPROTO_RAW implies IP_HDRINCL.
        let made = OwnedDescriptor(
            taking: try checked("socket(2)", "SOCK_RAW RAW") { socket(AF_INET, kind, Int32(IPPROTO_RAW)) })
        let raw = made.raw
        var value = mark
        _ = try checked("setsockopt(2)", "SO_MARK") {
            setsockopt(raw, SOL_SOCKET, SO_MARK, &value, socklen_t(MemoryLayout<UInt32>.size))
        }
        descriptor = made
    }

    /// What became of a batch.
    package struct Outcome: Hashable, Sendable {
        package var sent: Int
        /// How many the kernel refused, and why it refused the first of them.
        package var refused: Int
        package var reason: SystemCallError?

        package init(sent: Int = 0, refused: Int = 0, reason: SystemCallError? = nil) {
            self.sent = sent
            self.refused = refused
            self.reason = reason
        }
    }

    /// Sends one small packet (at most 64 bytes) for each value, in order, many to a call.
    ///
    /// `write` fills the packet and returns its length; `destination` is the address in it, in host order, by which the kernel
    /// chooses the route. A packet that is refused (no route, a firewall, no room in the socket) is counted and the others
    /// still go.
    package borrowing func send<Packets: Collection>(
        _ packets: Packets, to destination: (Packets.Element) -> UInt32,
        _ write: (Packets.Element, inout MutableRawSpan) -> Int
    ) -> Outcome {
        var outcome = Outcome()
        let batch = SendBatch(capacity: min(max(1, packets.count), 64), slot: 64)
        func flush() {
            var refused = 0
            batch.send(through: descriptor) { _, errno in
                refused += 1
                outcome.reason = outcome.reason ?? SystemCallError(call: "sendmmsg(2)", errno: errno)
            }
            outcome.sent += batch.count - refused
            outcome.refused += refused
            batch.removeAll()
        }
        for packet in packets {
            batch.add(to: destination(packet)) { write(packet, &$0) }
            if batch.isFull { flush() }
        }
        flush()
        return outcome
    }
}
