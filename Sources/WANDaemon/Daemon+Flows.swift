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
        let isOfSwitch = lastSwitch?.decision.previous.contains(uplink) == true
        do {
            let deleted = try deleteFlows(uplink, movement, sweep: sweep)
            if isOfSwitch {
                let sum = (lastSwitch?.flowsDeleted ?? 0) + deleted
                lastSwitch?.flowsDeleted = sum
                if sweep == 1, lastSwitch?.flowsDoneAt == nil { lastSwitch?.flowsDoneAt = Daemon.moment() }
            }
            warnings["conntrack"] = nil
        } catch {
            warnings["conntrack"] = "flows of \(name(uplink)) could not be moved: \(error)"
            log(.error, "\(warnings["conntrack"] ?? ""); they hang until their own timeout")
        }
        if sweep == 2 { drainEnded(uplink) }
    }

    /// How many connections get a reset; beyond that they are left to the servers' own.
    private static let resets = 8192

    private func deleteFlows(_ uplink: UplinkNumber, _ movement: Movement, sweep: Int) throws(NetlinkError) -> Int {
        let mark = policy.mark.mark(of: uplink)
        switch movement {
        case .connectionless: return try kernel.conntrack.deleteMovable(mark: mark)
        case .all where sweep > 1: return try kernel.conntrack.delete(mark: mark)
        case .all:
            // A call does not wait for the connections to be looked through.
            let first = try kernel.conntrack.deleteMovable(mark: mark)
            let left = try kernel.conntrack.entries(mark: mark, limit: Self.resets).entries
            let connections = left.compactMap(LANConnection.init)
            tear(connections)
            let rest = try kernel.conntrack.delete(mark: mark)
            return first + rest
        case .classes(let places):
            let classes = FlowClasses(policy)
            let flows = try kernel.conntrack.entries(mark: mark).filter {
                places.isSuperset(of: classes.places(of: $0))
            }
            let connections = flows.lazy.compactMap(LANConnection.init).prefix(Self.resets)
            tear(Array(connections))
            let deleted = try kernel.conntrack.delete(flows)
            return deleted
        }
    }

    /// From now on, and for a minute, their hosts are answered with a reset.
    private func tear(_ connections: [LANConnection]) {
        guard !connections.isEmpty else { return }
        let elements = connections.map {
            NftablesElement(.init(.address($0.host), .port($0.hostPort), .address($0.peer), .port($0.peerPort)))
        }
        do throws(NetlinkError) {
            try kernel.elements.perform([.add(set: TableNames.torn, elements)], in: .inet("wanctl"))
        } catch {
            log(.warning, "\(connections.count) connections get no reset: \(error)")
        }
    }
}
