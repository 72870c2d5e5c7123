internal import LinuxIO
internal import Netlink
internal import NetworkTypes
internal import PacketWire
internal import WANDataplane
internal import WANEngine
internal import WANModel

/// A switch after its routes: the flows that are still on an uplink that was left.
///
/// Their conntrack entries are deleted, so that the next packet finds the new way. A TCP connection cannot go on from another
/// address: its client in the LAN is told with a reset (the ruleset's set `torn`) instead of being left to hang, and, since
/// one that only waits would never hear of it, is nudged to speak.
final class FlowMover {
    /// So many were on an uplink and are moved.
    var onMoved: (UplinkNumber, _ count: Int, _ sweep: Int) -> Void = { _, _, _ in }
    /// Some time after `lookSoon`.
    var onLook: () -> Void = {}
    /// Strays are expected from now on, or no more.
    var onStrays: () -> Void = {}

    private let kernel: KernelAccess
    private let attachments: Attachments
    private let loop: EventLoop
    private let log: Log
    private let alarms: Alarms
    private var lookTimer: EventLoop.Timer?
    private var straysUntil: Moment?
    private var straysTimer: EventLoop.Timer?
    /// How many connections get a reset; beyond that they are left to the servers' own.
    private static let resets = 8192
    /// Of whose destinations the way is asked: if not one of these has gone astray, none has.
    private static let mostLookups = 256
    /// Longer than most programs leave a connection without a word.
    private static let patienceWithStrays: Duration = .seconds(600)

    init(kernel: KernelAccess, attachments: Attachments, loop: EventLoop, log: Log, alarms: Alarms) {
        self.kernel = kernel
        self.attachments = attachments
        self.loop = loop
        self.log = log
        self.alarms = alarms
    }

    /// `isRenumbered`: the uplink only has another address.
    func move(
        _ uplink: UplinkNumber, _ movement: Movement, sweep: Int, in inForce: PolicyInForce,
        isRenumbered: @autoclosure () -> Bool
    ) {
        do throws(NetlinkError) {
            let deleted = try delete(uplink, movement, sweep: sweep, inForce.policy)
            onMoved(uplink, deleted, sweep)
            alarms.clear(.conntrack)
        } catch {
            alarms.raise(
                .conntrack, "flows of \(inForce.name(of: uplink)) could not be moved: \(error)", .error,
                rest: "; they hang until their own timeout")
        }
        guard sweep == 1, movement == .all else { return }
        awaitStrays()
        let former = attachments.letGo(uplink)
        if inForce.policy.failover.ownSockets == .close {
            closeOwnSockets(of: uplink, with: former, isRenumbered: isRenumbered())
        }
    }

    /// Whatever they are, without a word to anybody: their uplinks are gone, or were before this daemon came.
    func letGo(_ uplinks: [UplinkNumber], in inForce: PolicyInForce) {
        for number in uplinks {
            do throws(NetlinkError) {
                _ = try kernel.deleteFlows(inForce.policy.mark.mark(of: number))
            } catch {
                log(.warning, "flows of \(inForce.name(of: number)) could not be moved: \(error), ignoring")
            }
        }
    }

    /// Those that began while there was no table of ours: how a flow is translated is settled with its first packet, so these would leave
    /// untranslated, and be dropped, for as long as somebody sends.
    ///
    /// They never had an answer, and what has none begins anew as well as not. Our own questions stay: some firewalls take an answer
    /// without one for an attack.
    func letGoUntranslated() {
        do throws(NetlinkError) {
            let found = try kernel.flows { [attachments] entry in
                entry.original.source.family == .v4
                    && entry.status.isDisjoint(with: [.seenReply, .sourceTranslated, .destinationTranslated])
                    && !attachments.hasHad(entry.original.source)
            }
            let count = try kernel.delete(found)
            if count > 0 { log(.info, "\(count) flows that had begun without translation begin anew") }
        } catch {
            log(.warning, "flows that began without translation may hang until they pause for long: \(error)")
        }
    }

    /// In a second, when nothing follows the routes of before any more.
    func lookSoon() {
        guard lookTimer == nil else { return }
        lookTimer = loop.schedule(at: Clock.boottime() + 1_000_000_000) { [weak self] in
            self?.lookTimer = nil
            self?.onLook()
        }
    }

    /// How many flows of the LAN are on an uplink that the kernel would lead elsewhere now, and that somebody would miss; of forwards and of
    /// the router's own, none. Those to a name server of the uplink, or where the administrator's own route leads, are there by right.
    func ledAstray(on uplink: UplinkNumber, in policy: Policy) throws(NetlinkError) -> Int {
        let interface = attachments[uplink]?.interfaceIndex
        var isElsewhere: [IPAddress: Bool] = [:]
        return try entries(on: uplink, in: policy).count { entry in
            guard entry.isAlive, !cameIn(entry, by: uplink), !attachments.hasHad(entry.original.source) else {
                return false
            }
            let destination = entry.original.destination
            if isElsewhere[destination] == nil, isElsewhere.count < Self.mostLookups {
                isElsewhere[destination] = kernel.lookup(destination).map { $0 != interface }
            }
            return isElsewhere[destination] ?? false
        }
    }

    /// All that are on an uplink now.
    func entries(on uplink: UplinkNumber, in policy: Policy) throws(NetlinkError) -> [ConntrackEntry] {
        try kernel.flows(with: policy.mark.mark(of: uplink))
    }

    private func delete(
        _ uplink: UplinkNumber, _ movement: Movement, sweep: Int, _ policy: Policy
    ) throws(NetlinkError) -> Int {
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
            nudge(connections, mark: policy.mark)
            return first + rest
        case .outgoing, .classes:
            let classes = FlowClasses(policy)
            let flows = try kernel.flows(with: mark).filter { entry in
                guard !cameIn(entry, by: uplink) else { return false }
                if case .classes(let moved) = movement { return moved.isSuperset(of: classes.classIndices(of: entry)) }
                return true
            }
            let connections = Array(flows.lazy.compactMap(LANConnection.init).prefix(Self.resets))
            tear(connections)
            let deleted = try kernel.delete(flows)
            nudge(connections, mark: policy.mark)
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

    private func nudge(_ connections: [LANConnection], mark: MarkLayout) {
        guard !connections.isEmpty else { return }
        do throws(SystemCallError) {
            // Connection tracking must not take these for connections of their own.
            let socket = try RawIPv4Socket(mark: mark.mark(.untracked).value)
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
    private func closeOwnSockets(of uplink: UplinkNumber, with former: [IPAddress], isRenumbered: Bool) {
        for case .v4(let address) in former {
            let isPresent = attachments[uplink]?.addresses.contains(.v4(address)) ?? false
            // What carries the new address of a line has just begun.
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

    // MARK: strays

    /// TCP connections from the LAN that this router does not know, although they run, are to be answered with a reset (the
    /// ruleset's set `strays`): when an interface goes the kernel forgets what was translated to its address before anybody can
    /// look, and what ran over another box of the site was never known here.
    ///
    /// Taken up as they come they would leave with an address that their servers have never seen, and hang until these say so,
    /// if they do. Not for ever: a router that has forgotten its flows for another reason, such as `conntrack -F`, takes them up
    /// again with the address they had.
    var expectsStrays: Bool { straysUntil.map { Daemon.moment() < $0 } ?? false }

    /// From now on for some minutes.
    func awaitStrays() {
        let end = Daemon.moment() + Self.patienceWithStrays
        straysUntil = end
        if let straysTimer { loop.cancel(straysTimer) }
        straysTimer = loop.schedule(at: end.nanoseconds) { [weak self] in
            self?.straysTimer = nil
            self?.straysUntil = nil
            self?.onStrays()
        }
        onStrays()
    }
}
