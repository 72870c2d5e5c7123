internal import PacketWire
internal import WANModel

/// What is known of the old flows on one uplink while they may finish there: a value that looks at conntrack's entries again
/// and again and says when nothing is at work any more.
///
/// Activity is seen in the entry's time-out, which the kernel sets anew with each packet, so it needs no byte counters. A
/// flow in a flowtable (IPS_OFFLOAD) is not seen by conntrack at all and counts as at work until it ends.
struct DrainLedger {
    struct Flow {
        /// When it was last seen to have had a packet, and the time-out it had then.
        var lastActive: Moment
        var timeout: UInt32
        var bytesAtStart: UInt64
        var bytes: UInt64
        var isConnection: Bool
        var isDraining: Bool
    }

    /// What one look found.
    struct Finding: Hashable {
        var flows: Int
        /// Octets both ways since the drain began.
        var bytes: UInt64
        /// Why the drain is over.
        var settled: String?
    }

    let isMetered: Bool
    let limits: Failover.Drain
    private let interfaceBytesAtStart: UInt64
    private var flows: [Key: Flow] = [:]
    private var finishedBytes: UInt64 = 0
    private var isCounted = false

    /// What tells a flow from another one with the same addresses later.
    private struct Key: Hashable {
        var original: ConntrackEntry.Tuple
        var id: UInt32?
    }

    init(isMetered: Bool, limits: Failover.Drain, interfaceBytes: UInt64) {
        interfaceBytesAtStart = interfaceBytes
        self.isMetered = isMetered
        self.limits = limits
    }

    /// Takes in all entries of the uplink; `isDraining` says of a flow that was not seen before whether it is one of the old
    /// ones (others may still be sent there by a rule).
    mutating func look(
        at entries: [ConntrackEntry], interfaceBytes: UInt64, now: Moment, isDraining: (ConntrackEntry) -> Bool
    ) -> Finding {
        var seen: [Key: Flow] = [:]
        for entry in entries where entry.isAlive {
            let key = Key(original: entry.original, id: entry.id)
            let bytes = (entry.originalCounters?.bytes ?? 0) &+ (entry.replyCounters?.bytes ?? 0)
            if entry.originalCounters != nil { isCounted = true }
            var flow =
                flows[key]
                ?? Flow(
                    lastActive: now, timeout: entry.timeout ?? 0, bytesAtStart: bytes, bytes: bytes,
                    isConnection: entry.original.transport == 6, isDraining: isDraining(entry))
            let timeout = entry.timeout ?? 0
            // Untouched it runs down as time does, and is told in whole seconds: between two looks a second apart that tells
            // nothing, against the last sure sign it does.
            let expected = Double(flow.timeout) - (now - flow.lastActive).milliseconds / 1000
            let isTouched = abs(Double(timeout) - expected) > 1 || bytes != flow.bytes
            if isTouched || entry.status.contains(.offloaded) {
                flow.lastActive = now
                flow.timeout = timeout
            }
            flow.bytes = bytes
            seen[key] = flow
        }
        for (key, flow) in flows where seen[key] == nil && flow.isDraining {
            finishedBytes &+= flow.bytes &- min(flow.bytes, flow.bytesAtStart)
        }
        flows = seen
        return finding(interfaceBytes, now)
    }

    private func finding(_ interfaceBytes: UInt64, _ now: Moment) -> Finding {
        let draining = flows.values.filter(\.isDraining)
        let counted = draining.reduce(finishedBytes) { $0 &+ ($1.bytes &- min($1.bytes, $1.bytesAtStart)) }
        // Without nf_conntrack_acct the interface tells, and what others sent there is in it.
        let bytes = isCounted ? counted : interfaceBytes &- min(interfaceBytes, interfaceBytesAtStart)
        var finding = Finding(flows: draining.count, bytes: bytes)
        if draining.isEmpty {
            finding.settled = "no old flow is left"
        } else if isMetered, let limit = limits.meteredBytes, bytes > limit {
            finding.settled = "its old flows have used up their \(limit) octets"
        } else if limits.idle > .zero, draining.allSatisfy({ isIdle($0, now) }) {
            finding.settled = "its old flows have been idle for \(limits.idle.policyText)"
        }
        return finding
    }

    /// A quiet connection may be a shell somebody will type into: it keeps its chance, except where the line costs money.
    private func isIdle(_ flow: Flow, _ now: Moment) -> Bool {
        now - flow.lastActive >= limits.idle && (isMetered || !flow.isConnection)
    }
}
