internal import LinuxIO
internal import Netlink
internal import NetworkTypes
internal import PacketWire
internal import WANDataplane
internal import WANEngine
internal import WANModel

/// Steps 2 and 3 of a switch: the flows that are still on an uplink that was left.
///
/// Their conntrack entries are deleted, so that the next packet finds the new way. A TCP connection cannot go on from another
/// address: its client in the LAN is told with a reset (the ruleset's set `torn`) instead of being left to hang, and, since
/// one that only waits would never hear of it, is nudged to speak.
extension Daemon {
    func moveFlows(_ uplink: UplinkNumber, _ movement: Movement, sweep: Int) {
        do {
            let deleted = try deleteFlows(uplink, movement, sweep: sweep)
            switches.flowsMoved(from: uplink, count: deleted, sweep: sweep)
            alarms.clear(.conntrack)
        } catch {
            alarms.raise(
                .conntrack, "flows of \(name(uplink)) could not be moved: \(error)", .error,
                rest: "; they hang until their own timeout")
        }
        if sweep == 1, movement == .all {
            awaitStrays()
            closeOwnSockets(of: uplink)
        }
        if sweep == 2 { drainWatch.ended(uplink) }
    }

    /// How many connections get a reset; beyond that they are left to the servers' own.
    private static let resets = 8192

    private func deleteFlows(_ uplink: UplinkNumber, _ movement: Movement, sweep: Int) throws(NetlinkError) -> Int {
        let mark = policy.mark.mark(of: uplink)
        switch movement {
        case .connectionless: return try deleteMovable(mark)
        case .all where sweep > 1: return try kernel.deleteFlows(mark)
        case .all:
            // A call does not wait for the connections to be looked through.
            let first = try deleteMovable(mark)
            let left = try kernel.flows(with: mark, limit: Self.resets)
            let connections = left.compactMap(LANConnection.init)
            tear(connections)
            let rest = try kernel.deleteFlows(mark)
            nudge(connections)
            return first + rest
        case .outgoing, .classes:
            let classes = FlowClasses(policy)
            let flows = try kernel.flows(with: mark).filter { entry in
                guard !cameIn(entry, by: uplink) else { return false }
                if case .classes(let places) = movement { return places.isSuperset(of: classes.places(of: entry)) }
                return true
            }
            let connections = flows.lazy.compactMap(LANConnection.init).prefix(Self.resets)
            tear(Array(connections))
            let deleted = try kernel.delete(flows)
            nudge(Array(connections))
            return deleted
        }
    }

    /// What waits for no connection; how the kernel does it is told when it is found out.
    private func deleteMovable(_ mark: FwMark) throws(NetlinkError) -> Int {
        let wasByFilter = kernel.filtersDeletions
        let deleted = try kernel.deleteMovable(mark)
        if wasByFilter, !kernel.filtersDeletions {
            log(
                .info,
                "this kernel does not choose flows by protocol (Linux 6.11 does): they are listed and deleted singly")
        }
        return deleted
    }

    /// Whether somebody outside began it: a forwarded port, or something of the router's own.
    func cameIn(_ entry: ConntrackEntry, by uplink: UplinkNumber) -> Bool {
        entry.status.contains(.destinationTranslated)
            || attachments.hasHad(entry.original.destination, uplink)
    }

    /// From now on, and for a minute, their hosts are answered with a reset.
    private func tear(_ connections: [LANConnection]) {
        guard !connections.isEmpty else { return }
        let elements = connections.map {
            NftablesElement(.init(.address($0.host), .port($0.hostPort), .address($0.peer), .port($0.peerPort)))
        }
        do throws(NetlinkError) {
            try kernel.change([.add(set: TableNames.torn, elements)])
        } catch {
            log(.warning, "\(connections.count) connections get no reset: \(error)")
        }
    }

    private func nudge(_ connections: [LANConnection]) {
        guard !connections.isEmpty else { return }
        do throws(SystemCallError) {
            // Connection tracking must not take these for connections of their own.
            let socket = try RawIPv4Socket(mark: policy.mark.mark(.untracked).value)
            let outcome = socket.send(connections, to: { $0.host.bits }) { connection, buffer in
                TCPNudge(
                    source: connection.peer, sourcePort: connection.peerPort, destination: connection.host,
                    destinationPort: connection.hostPort
                ).write(into: &buffer)
            }
            if let reason = outcome.reason { log(.debug, "\(outcome.refused) clients could not be nudged: \(reason)") }
        } catch {
            log(.warning, "\(connections.count) clients could not be nudged, those that only listen may hang: \(error)")
        }
    }

    /// Programs of the router itself whose connections carry the address of the line that was left (`ss -K`).
    private func closeOwnSockets(of uplink: UplinkNumber) {
        let former = attachments.letGo(uplink)
        guard policy.failover.ownSockets == .close else { return }
        // A line that is proved anew only has another address: what carries the new one has just begun.
        let isRenumbered = engine.view(of: uplink, at: Daemon.moment())?.state == .proving
        for case .v4(let address) in former {
            let isPresent = attachments[uplink]?.addresses.contains(.v4(address)) ?? false
            if isPresent && isRenumbered || attachments.isElsewhere(.v4(address), than: uplink) { continue }
            do throws(NetlinkError) {
                // What a program bound to a line that is there it wanted so.
                let count = try kernel.closeSockets(from: address, keepingBound: isPresent)
                alarms.clear(.sockets)
                if count > 0 { log(.info, "\(count) of the router's own connections from \(address) closed") }
            } catch {
                alarms.raise(
                    .sockets,
                    "the router's own connections from \(address) could not be closed: \(error); "
                        + "`own-sockets: leave` does without")
            }
        }
    }
}
