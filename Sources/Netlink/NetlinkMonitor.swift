internal import CMnl
package import LinuxIO
package import NetworkTypes
package import PacketWire

/// Hears what changes in links, addresses, routes and rules: `ip monitor link address route rule`.
///
/// Open it before the first dump; what changes while the dump goes on is then waiting here. The kernel takes the routes of an
/// interface that went down or away without telling: only the link event does.
package struct NetlinkMonitor: ~Copyable {
    private let socket: NetlinkSocket

    /// Opens a socket in the calling thread's network namespace; it stays in it.
    ///
    /// - Parameter filter: What it hears of all that; where the kernel does not take it, all.
    package init(families: Set<AddressFamily> = [.v4], filter: [FilterInstruction] = []) throws(NetlinkError) {
        // RTNLGRP_* (linux/rtnetlink.h).
        var groups: [UInt32] = [1]  // LINK
        if families.contains(.v4) { groups += [5, 7, 8] }  // IPV4_IFADDR, IPV4_ROUTE, IPV4_RULE
        if families.contains(.v6) { groups += [9, 11, 19] }
        socket = try NetlinkSocket.open(
            bus: NETLINK_ROUTE, groups: groups, receiveBuffer: 4 << 20, purpose: "ip monitor", filter: filter)
    }

    /// For the event loop: readable when `read()` has something.
    package var descriptor: Int32 { socket.descriptor }

    /// What happened since the last call, in order, without waiting.
    ///
    /// A `lost` among them means that a dump is needed, begun after this call has returned. One call reads a bounded
    /// number of datagrams; a level-triggered loop calls again for the rest.
    package func read() throws(NetlinkError) -> [KernelEvent] {
        var events: [KernelEvent] = []
        try socket.drain("ip monitor", lost: { events.append(KernelEvent(.lost(reason: $0), port: 0)) }) {
            (header, payload) throws(WireError) in
            if let event = try KernelEvent(header, payload) { events.append(event) }
        }
        return events
    }
}
