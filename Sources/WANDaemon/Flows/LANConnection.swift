internal import NetworkTypes
internal import PacketWire

/// A TCP connection of a host of the LAN, as that host sees it.
struct LANConnection: Hashable {
    var host: IPv4Address
    var hostPort: UInt16
    var peer: IPv4Address
    var peerPort: UInt16

    /// `nil` for what is no open connection, or has no host of the LAN at its end: the router's own.
    init?(_ entry: ConntrackEntry) {
        guard entry.original.transport == 6, entry.isAlive else { return nil }
        // One that a host opened is translated at its source, a forwarded one at its destination.
        let end: ConntrackEntry.Tuple
        if entry.status.contains(.sourceTranslated) {
            end = entry.original
        } else if entry.status.contains(.destinationTranslated) {
            end = entry.reply
        } else {
            return nil
        }
        guard case .v4(let host) = end.source, case .v4(let peer) = end.destination else { return nil }
        self.host = host
        self.peer = peer
        hostPort = end.sourcePort
        peerPort = end.destinationPort
    }
}
