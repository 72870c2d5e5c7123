import NetworkTypes
import WANEngine
import WANModel

/// Policies as the reader may hand them out (`WANPolicy`): names are known, an order names an uplink once, numbers are in their bounds.
struct SomePolicy {
    static let numbers = Dictionary(
        uniqueKeysWithValues: ["a", "b", "c", "d"].enumerated().map { ($1, UplinkNumber(rawValue: UInt8($0 + 1))) })
    static let targets: [IPAddress] = (1...4).map { .v4(IPv4Address(9, 9, 9, $0)) }

    static func setup(_ decisions: inout Decisions) -> EngineSetup {
        EngineSetup(policy: make(&decisions), numbers: numbers)
    }

    static func make(_ decisions: inout Decisions) -> Policy {
        var policy = Policy()
        let names = numbers.keys.sorted().filter { _ in decisions.below(8) != 7 }
        policy.uplinks = (names.isEmpty ? ["a"] : names).map { uplink($0, &decisions) }
        policy.failover.order = order(of: policy, &decisions)
        policy.failover.hold = decisions.span(in: .zero ... .seconds(86400))
        policy.failover.grace = decisions.span(in: .zero ... .seconds(60))
        policy.failover.drain.default = decisions.span(in: .zero ... .seconds(86400))
        policy.failover.drain.metered = decisions.span(in: .zero ... .seconds(86400))
        policy.rules = (0..<decisions.below(4)).map { number in
            var rule = PolicyRule(
                name: "rule \(number)", match: PolicyRule.Match(), order: order(of: policy, &decisions),
                otherwise: decisions.one(of: PolicyRule.Otherwise.allCases))
            rule.drain = decisions.flag() ? decisions.span(in: .zero ... .seconds(86400)) : nil
            return rule
        }
        return policy
    }

    private static func uplink(_ name: String, _ decisions: inout Decisions) -> Uplink {
        var uplink = Uplink(name: name, interface: "\(decisions.below(8) == 7 ? "wlan" : "ppp")-\(name)")
        // Mostly the defaults: what differs is rare enough to be met one at a time.
        let kind = decisions.below(16)
        uplink.metered = kind & 1 == 1
        if kind & 2 != 0 { uplink.soracom = SoracomSettings() }
        if kind & 4 != 0 {
            uplink.keepalive = Keepalive(
                idle: decisions.span(in: .seconds(1) ... .seconds(86400)), target: Keepalive.pong)
        }
        if kind & 8 != 0 { uplink.probe = probe(&decisions) }
        return uplink
    }

    private static func probe(_ decisions: inout Decisions) -> ProbeSettings {
        var probe = ProbeSettings()
        probe.targets = Array(targets.dropFirst(decisions.below(2)).prefix(1 + decisions.below(3)))
        probe.interval = decisions.span(in: .milliseconds(10) ... .seconds(3600))
        if decisions.flag() { probe.lossInterval = .fixed(decisions.span(in: .milliseconds(1) ... .seconds(60))) }
        switch decisions.below(3) {
        case 0: break
        case 1:
            probe.confirm = .rounds(
                1 + decisions.below(100), spacing: decisions.span(in: .milliseconds(10) ... .seconds(10)))
        default: probe.confirm = .off
        }
        if decisions.flag() { probe.patience = decisions.span(in: .zero ... .seconds(60)) }
        probe.quorum = 1 + decisions.below(probe.targets.count)
        probe.fall = 1 + decisions.below(20)
        probe.rise = 1 + decisions.below(20)
        guard decisions.flag() else { return probe }
        var degraded = Degraded()
        if decisions.flag() { degraded.loss = Double(decisions.below(100)) / 100 }
        if decisions.flag() { degraded.rtt = decisions.span(in: .milliseconds(1) ... .seconds(60)) }
        if decisions.flag() { degraded.jitter = decisions.span(in: .milliseconds(1) ... .seconds(60)) }
        degraded.window = decisions.span(in: .seconds(1) ... .seconds(3600))
        probe.degraded = degraded
        return probe
    }

    private static func order(of policy: Policy, _ decisions: inout Decisions) -> [Failover.Step] {
        var rest = policy.uplinks.map(\.name)
        var steps: [Failover.Step] = []
        while !rest.isEmpty {
            let choice = decisions.below(256)
            let member = Failover.Member(uplink: rest.remove(at: choice % rest.count), weight: 1 + choice >> 6)
            switch choice >> 2 & 7 {
            case 0 where !steps.isEmpty: continue
            case 1, 2: if steps.isEmpty { fallthrough } else { steps[steps.count - 1].members.append(member) }
            default: steps.append(Failover.Step([member]))
            }
        }
        return steps
    }
}
