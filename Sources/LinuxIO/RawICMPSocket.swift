internal import CLinux
internal import Glibc

/// A raw socket for ICMP (raw(7)): it sends ICMP messages and hears, with their IPv4 header, all that the host receives.
///
/// Needs CAP_NET_RAW. It belongs to the network namespace of the thread that opened it.
package struct RawICMPSocket: ~Copyable, Sendable {
    package let descriptor: OwnedDescriptor

    package init() throws(SystemCallError) {
        let kind = Int32(SOCK_RAW.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        descriptor = OwnedDescriptor(
            taking: try checked("socket(2)", "SOCK_RAW ICMP") { socket(AF_INET, kind, Int32(IPPROTO_ICMP)) })
    }

    /// Sends and hears through one interface only, and tells its index.
    ///
    /// The kernel looks the name up once (SO_BINDTODEVICE, socket(7)): the socket stays with that ifindex when the name goes
    /// to another interface.
    package borrowing func bind(toInterface name: String) throws(SystemCallError) -> Int32 {
        let raw = descriptor.raw
        var bytes = Array(name.utf8)
        _ = try checked("setsockopt(2) SO_BINDTODEVICE", name) {
            setsockopt(raw, SOL_SOCKET, SO_BINDTODEVICE, &bytes, socklen_t(bytes.count))
        }
        var index: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        _ = try checked("getsockopt(2) SO_BINDTOIFINDEX", name) {
            getsockopt(raw, SOL_SOCKET, SO_BINDTOIFINDEX, &index, &size)
        }
        return index
    }

    /// Hears these ICMP types only (ICMP_FILTER, raw(7)).
    ///
    /// The kernel asks this before it copies a packet for the socket, and a filter program after.
    package borrowing func hear(types: [UInt8]) throws(SystemCallError) {
        // linux/icmp.h, which the Glibc module lacks: ICMP_FILTER is 1, and a set bit blocks.
        let blocked = types.reduce(UInt32.max) { $0 & ~(1 << UInt32($1 & 31)) }
        try set(Int32(SOL_RAW), 1, Int32(bitPattern: blocked), "ICMP_FILTER")
    }

    /// The mark that routing rules and nftables see on what is sent (SO_MARK).
    package borrowing func setMark(_ mark: UInt32) throws(SystemCallError) {
        try set(SOL_SOCKET, SO_MARK, Int32(bitPattern: mark), "SO_MARK")
    }

    /// The DSCP and ECN byte of what is sent (IP_TOS, ip(7)).
    package borrowing func setTypeOfService(_ value: UInt8) throws(SystemCallError) {
        try set(Int32(IPPROTO_IP), IP_TOS, Int32(value), "IP_TOS")
    }

    /// Adds to each datagram when the kernel received it, by CLOCK_REALTIME (SO_TIMESTAMPNS).
    ///
    /// Some milliseconds pass after the machine's first such socket before the kernel stamps on arrival (net_enable_timestamp
    /// leaves patching its code to a worker); until then it stamps when the datagram is read.
    package borrowing func enableReceiveStamps() throws(SystemCallError) {
        try set(SOL_SOCKET, SO_TIMESTAMPNS, 1, "SO_TIMESTAMPNS")
    }

    /// Adds to each datagram which interface it came in by (IP_PKTINFO, ip(7)).
    package borrowing func enablePacketInfo() throws(SystemCallError) {
        try set(Int32(IPPROTO_IP), IP_PKTINFO, 1, "IP_PKTINFO")
    }

    /// Room for datagrams not read yet; beyond net.core.rmem_max where we may (SO_RCVBUFFORCE needs CAP_NET_ADMIN).
    package borrowing func setReceiveBuffer(_ bytes: Int32) throws(SystemCallError) {
        var value = bytes
        let size = socklen_t(MemoryLayout<Int32>.size)
        if setsockopt(descriptor.raw, SOL_SOCKET, SO_RCVBUFFORCE, &value, size) == 0 { return }
        try set(SOL_SOCKET, SO_RCVBUF, bytes, "SO_RCVBUF")
    }

    private borrowing func set(
        _ level: Int32, _ option: Int32, _ value: Int32, _ name: String
    ) throws(SystemCallError) {
        let raw = descriptor.raw
        var value = value
        _ = try checked("setsockopt(2)", name) {
            setsockopt(raw, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
        }
    }
}
