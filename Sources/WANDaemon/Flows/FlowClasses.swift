internal import NetworkTypes
internal import PacketWire
internal import WANModel

/// Which class of traffic a tracked flow belongs to, as far as conntrack still knows what its first packet looked like.
struct FlowClasses {
    private let rules: [(match: PolicyRule.Match, classIndex: Int)]

    init(_ policy: Policy) {
        rules = zip(policy.rules, policy.classOfRule).map { ($0.match, $1) }
    }

    /// The classes it may belong to; several where a rule asks for what is not kept (input interface, DSCP, others' marks).
    ///
    /// A flow that came in by an uplink (a forwarded port) follows no rule and no choice: it counts as `failover`'s.
    func classIndices(of entry: ConntrackEntry) -> Set<Int> {
        guard case .v4(let source) = entry.original.source, case .v4(let destination) = entry.original.destination
        else { return [0] }
        if entry.status.contains(.destinationTranslated) { return [0] }
        let hasPorts = Transport.hasPorts(entry.original.transport)
        var indices: Set<Int> = []
        for rule in rules {
            let answer = rule.match.matches(
                source: source, destination: destination, transport: entry.original.transport,
                sourcePort: hasPorts ? entry.original.sourcePort : nil,
                port: hasPorts ? entry.original.destinationPort : nil)
            switch answer {
            case .no: continue
            case .maybe: indices.insert(rule.classIndex)
            case .yes: return indices.union([rule.classIndex])
            }
        }
        return indices.union([0])
    }
}
