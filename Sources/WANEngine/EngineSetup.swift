package import WANModel

/// What the engine takes from a policy, with the numbers the uplinks have.
package struct EngineSetup: Hashable, Sendable {
    package struct Member: Hashable, Sendable {
        package var number: UplinkNumber
        package var settings: Uplink
    }

    /// A class of traffic, `TrafficClass` in numbers.
    package struct Class: Hashable, Sendable {
        package var key: String
        package var steps: [[ClassChoice.Member]]
        /// `nil`: as `failover.drain` says.
        package var drain: Duration?
    }

    package var uplinks: [Member]
    /// As `Policy.classes`: that of `failover` first.
    package var classes: [Class]
    package var failover: Failover

    package init(policy: Policy, numbers: [String: UplinkNumber]) {
        uplinks = policy.uplinks.compactMap { uplink in
            numbers[uplink.name].map { Member(number: $0, settings: uplink) }
        }
        classes = policy.classes.map { entry in
            Class(
                key: entry.key,
                steps: entry.order.map { step in
                    step.members.compactMap { member in
                        numbers[member.uplink].map { ClassChoice.Member(uplink: $0, weight: member.weight) }
                    }
                }, drain: entry.drain)
        }
        failover = policy.failover
    }
}
