/// Traffic that shares one order: what no rule names, or what rules name that say the same.
///
/// A policy of a thousand rules has a handful of classes, and only they are what a switch has to change.
package struct TrafficClass: Hashable, Sendable {
    package var order: [Failover.Step]
    package var otherwise: PolicyRule.Otherwise
    package var sticky: Duration?
    package var drain: Duration?

    /// What a class is known by across reloads and restarts: its order and what else it says.
    package var key: String {
        let steps = order.map { step in step.members.map { "\($0.uplink)=\($0.weight)" }.joined(separator: "+") }
        let times = ["sticky \(sticky?.policyText ?? "off")", "drain \(drain?.policyText ?? "default")"]
        return ([otherwise.rawValue] + times + steps).joined(separator: ", ")
    }
}

extension Policy {
    /// The class of `failover` first, then those of the rules in the order they first appear.
    package var classes: [TrafficClass] {
        var classes = [defaultClass]
        var seen = Set(classes)
        for rule in rules.map(trafficClass) where seen.insert(rule).inserted { classes.append(rule) }
        return classes
    }

    package var defaultClass: TrafficClass {
        TrafficClass(order: failover.order, otherwise: .default, sticky: failover.sticky, drain: nil)
    }

    package func trafficClass(of rule: PolicyRule) -> TrafficClass {
        TrafficClass(order: rule.order, otherwise: rule.otherwise, sticky: rule.sticky, drain: rule.drain)
    }

    /// For each rule the index of its class in `classes`.
    package var classOfRule: [Int] {
        let indices = Dictionary(classes.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        return rules.map { indices[trafficClass(of: $0)] ?? 0 }
    }
}

/// Where the new flows of a class go now.
package struct ClassChoice: Hashable, Sendable {
    /// The step of the order that is in use, all of its members with their weights; empty: no uplink of the order is usable.
    package var step: [Member]
    /// Those of them that take part, best first; one at least where `step` is not empty.
    package var active: [UplinkNumber]

    package struct Member: Hashable, Sendable {
        package var uplink: UplinkNumber
        package var weight: Int
        package init(uplink: UplinkNumber, weight: Int) {
            self.uplink = uplink
            self.weight = weight
        }
    }

    package static let nowhere = ClassChoice(step: [], active: [])

    package init(step: [Member], active: [UplinkNumber]) {
        self.step = step
        self.active = active
    }
}
