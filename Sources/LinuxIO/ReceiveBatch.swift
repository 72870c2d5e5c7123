internal import CLinux
internal import Glibc

/// Buffers for many datagrams received by one call (recvmmsg(2)).
///
/// One serves all sockets of a thread, one after the other: what it holds is good until the next `receive`.
package final class ReceiveBatch {
    /// What the kernel says about a datagram beside its bytes.
    package struct Envelope: Hashable, Sendable {
        /// CLOCK_REALTIME, nanoseconds; `nil` where the socket does not ask for stamps.
        package var stamp: Int64?
        /// Where it came in; `nil` where the socket does not ask for packet info.
        package var interface: Int32?
    }

    package let capacity: Int
    private let slot: Int
    private let bytes: UnsafeMutableRawPointer
    private let control: UnsafeMutableRawPointer
    private let parts: UnsafeMutablePointer<iovec>
    private let messages: UnsafeMutablePointer<wan_mmsghdr>

    /// A timespec and an in_pktinfo with their headers take 32 + 32 bytes.
    private static let controlSize = 64

    /// Room for `capacity` datagrams of `slot` bytes; pages that are never filled are never resident.
    package init(capacity: Int = 64, slot: Int = 576) {
        self.capacity = capacity
        self.slot = slot
        bytes = .allocate(byteCount: capacity * slot, alignment: 64)
        control = .allocate(byteCount: capacity * Self.controlSize, alignment: 64)
        parts = .allocate(capacity: capacity)
        messages = .allocate(capacity: capacity)
        for index in 0..<capacity {
            (parts + index).initialize(to: iovec(iov_base: bytes + index * slot, iov_len: slot))
            var message = wan_mmsghdr()
            message.msg_hdr.msg_iov = parts + index
            message.msg_hdr.msg_iovlen = 1
            message.msg_hdr.msg_control = control + index * Self.controlSize
            (messages + index).initialize(to: message)
        }
    }

    deinit {
        messages.deallocate()
        parts.deallocate()
        control.deallocate()
        bytes.deallocate()
    }

    /// Takes what has arrived, at most `capacity` datagrams, and returns how many; never waits.
    package func receive(from socket: borrowing OwnedDescriptor) throws(SystemCallError) -> Int {
        for index in 0..<capacity { messages[index].msg_hdr.msg_controllen = Self.controlSize }
        while true {
            let count = wan_recvmmsg(socket.raw, messages, UInt32(capacity), Int32(MSG_DONTWAIT), nil)
            if count >= 0 { return Int(count) }
            switch Glibc.errno {
            case EINTR: continue
            case EAGAIN: return 0
            case let errno: throw SystemCallError(call: "recvmmsg(2)", errno: errno)
            }
        }
    }

    /// Shows the first `count` datagrams of the last `receive`.
    package func forEach(_ count: Int, _ body: (Envelope, RawSpan) -> Void) {
        for index in 0..<min(count, capacity) {
            let message = messages + index
            let length = min(Int(message.pointee.msg_len), slot)
            body(
                envelope(of: message.pointee.msg_hdr),
                UnsafeRawBufferPointer(start: bytes + index * slot, count: length).bytes)
        }
    }

    /// cmsg(3) without its macros: a header of 16 bytes, each entry aligned to 8 (LP64).
    private func envelope(of header: msghdr) -> Envelope {
        var envelope = Envelope()
        guard let base = header.msg_control else { return envelope }
        let total = Int(header.msg_controllen)
        let headerSize = MemoryLayout<cmsghdr>.size
        var offset = 0
        while offset + headerSize <= total {
            let entry = (base + offset).loadUnaligned(as: cmsghdr.self)
            let length = Int(entry.cmsg_len)
            guard length >= headerSize, offset + length <= total else { break }
            let data = base + offset + headerSize
            switch (entry.cmsg_level, entry.cmsg_type) {
            case (SOL_SOCKET, SO_TIMESTAMPNS) where length - headerSize >= MemoryLayout<timespec>.size:
                let time = data.loadUnaligned(as: timespec.self)
                envelope.stamp = Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
            case (Int32(IPPROTO_IP), IP_PKTINFO) where length - headerSize >= MemoryLayout<wan_in_pktinfo>.size:
                envelope.interface = data.loadUnaligned(as: wan_in_pktinfo.self).ipi_ifindex
            default: break
            }
            offset += (length + 7) & ~7
        }
        return envelope
    }
}
