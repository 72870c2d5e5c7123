internal import CLinux
internal import Glibc

/// Small IPv4 datagrams collected to be sent by one call (sendmmsg(2)).
package final class SendBatch {
    package let capacity: Int
    package private(set) var count = 0
    private let slot: Int
    private let bytes: UnsafeMutableRawPointer
    private let names: UnsafeMutablePointer<sockaddr_in>
    private let parts: UnsafeMutablePointer<iovec>
    private let messages: UnsafeMutablePointer<wan_mmsghdr>

    package init(capacity: Int = 64, slot: Int = 32) {
        self.capacity = capacity
        self.slot = slot
        bytes = .allocate(byteCount: capacity * slot, alignment: 64)
        bytes.initializeMemory(as: UInt8.self, repeating: 0, count: capacity * slot)
        names = .allocate(capacity: capacity)
        parts = .allocate(capacity: capacity)
        messages = .allocate(capacity: capacity)
        for index in 0..<capacity {
            var name = sockaddr_in()
            name.sin_family = sa_family_t(AF_INET)
            (names + index).initialize(to: name)
            (parts + index).initialize(to: iovec(iov_base: bytes + index * slot, iov_len: 0))
            var message = wan_mmsghdr()
            message.msg_hdr.msg_name = UnsafeMutableRawPointer(names + index)
            message.msg_hdr.msg_namelen = socklen_t(MemoryLayout<sockaddr_in>.size)
            message.msg_hdr.msg_iov = parts + index
            message.msg_hdr.msg_iovlen = 1
            (messages + index).initialize(to: message)
        }
    }

    deinit {
        messages.deallocate()
        parts.deallocate()
        names.deallocate()
        bytes.deallocate()
    }

    package var isFull: Bool { count == capacity }

    package func removeAll() { count = 0 }

    /// Adds a datagram for an address in host order; `write` fills the slot and returns how many bytes count.
    ///
    /// The batch must not be full.
    package func add(to address: UInt32, _ write: (inout MutableRawSpan) -> Int) {
        precondition(count < capacity, "SendBatch.add on a full batch")
        names[count].sin_addr.s_addr = address.bigEndian
        var span = UnsafeMutableRawBufferPointer(start: bytes + count * slot, count: slot).mutableBytes
        parts[count].iov_len = min(write(&span), slot)
        count += 1
    }

    /// Sends all, in order. One the kernel refuses is told to `failed` by its index and errno(3), and the others still go.
    package func send(through socket: borrowing OwnedDescriptor, failed: (Int, Int32) -> Void) {
        var next = 0
        while next < count {
            let sent = wan_sendmmsg(socket.raw, messages + next, UInt32(count - next), Int32(MSG_DONTWAIT))
            if sent > 0 {
                next += Int(sent)
            } else if Glibc.errno != EINTR {
                // An error of a later one shows up only when it is the first (sendmmsg(2), BUGS).
                failed(next, Glibc.errno)
                next += 1
            }
        }
    }
}
