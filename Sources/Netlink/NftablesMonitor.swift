internal import CMnl
package import LinuxIO
package import PacketWire

/// Hears what changes in the nftables rulesets: `nft monitor`.
///
/// It is how a daemon learns within the moment that somebody deleted or changed its table. It is here and not beside
/// libnftables because that library has no monitor; the socket is libmnl's.
package struct NftablesMonitor: ~Copyable {
    private let socket: NetlinkSocket

    /// Opens a socket in the calling thread's network namespace; it stays in it.
    ///
    /// - Parameter filter: What it hears of all that; where the kernel does not take it, all.
    package init(filter: [FilterInstruction] = []) throws(NetlinkError) {
        socket = try NetlinkSocket.open(
            bus: NETLINK_NETFILTER, groups: [7], receiveBuffer: 1 << 20, purpose: "nft monitor",  // NFNLGRP_NFTABLES
            filter: filter)
    }

    /// For the event loop: readable when `read()` has something.
    package var descriptor: Int32 { socket.descriptor }

    /// What happened since the last call, in order, without waiting. The kernel tells of a transaction before its sender
    /// has the answer, so after `NftablesContext.apply` its own events are all here.
    package func read() throws(NetlinkError) -> [NftablesEvent] {
        var events: [NftablesEvent] = []
        try socket.drain("nft monitor", lost: { events.append(NftablesEvent(.lost(reason: $0))) }) {
            (header, payload) throws(WireError) in
            if let event = try NftablesEvent(header, payload) { events.append(event) }
        }
        return events
    }
}
