package import NetworkTypes
package import WANModel

/// Everything that our nft table is made of: `Ruleset.make` writes the whole of it, `steering(from:to:)` says what changes in
/// a table that stands.
package struct RulesetInput: Hashable, Sendable {
    /// May name an uplink twice, with two interfaces, and an interface twice, for two uplinks: while a policy is exchanged
    /// both its old and its new uplinks are translated and pinned. The first that has an interface is whose flows it carries.
    package var uplinks: [DataplaneUplink]
    package var mark: MarkLayout
    /// The first that matches counts. A rule's index here is its name in the table: counter `rule_0`, `rule_1` …
    package var rules: [ClassifyingRule]
    /// The first is what no rule names. The indices in here are what rules refer to.
    package var classes: [DataplaneClass]
    package var forwards: [DataplaneForward]
    /// TCP from the LAN that is not a connection's first and belongs to none that this router knows cannot be its own any
    /// more: the line that carried it went with its translation, or it ran over another box. It is answered with a reset.
    package var resetsStrays = false

    package init(
        uplinks: [DataplaneUplink], mark: MarkLayout = MarkLayout(), rules: [ClassifyingRule] = [],
        classes: [DataplaneClass] = [], forwards: [DataplaneForward] = []
    ) {
        self.uplinks = uplinks
        self.mark = mark
        self.rules = rules
        self.classes = classes
        self.forwards = forwards
    }

    /// Of a policy. `numbers`: of its uplinks by name. `choices`: one for each of `policy.classes`; a class without one goes
    /// nowhere yet. What names an uplink without a number is left out: it is of another box.
    package init(
        _ policy: Policy, uplinks: [DataplaneUplink], numbers: [String: UplinkNumber], choices: [ClassChoice]
    ) {
        self.init(
            uplinks: uplinks, mark: policy.mark,
            rules: zip(policy.rules, policy.classOfRule).map { ClassifyingRule($0.match, class: $1) },
            classes: policy.classes.enumerated().map { index, traffic in
                DataplaneClass(
                    traffic, numbers: numbers, choice: choices.indices.contains(index) ? choices[index] : .nowhere)
            },
            forwards: policy.forwards.compactMap { DataplaneForward($0, numbers: numbers) })
    }

    /// The uplinks that traffic may be bound to with nothing beside: `WantedState.make` leads their strict marks.
    package var strictUplinks: Set<UplinkNumber> { Set(classes.filter(\.isStrict).flatMap(\.uplinks)) }
}

/// A rule of the policy as the table needs it.
package struct ClassifyingRule: Hashable, Sendable {
    package var match: PolicyRule.Match
    /// The index of its class in `RulesetInput.classes`.
    package var classIndex: Int

    package init(_ match: PolicyRule.Match, class classIndex: Int) {
        self.match = match
        self.classIndex = classIndex
    }
}

/// A class of traffic by the numbers of its uplinks, and where its new flows go now.
package struct DataplaneClass: Hashable, Sendable {
    package var otherwise: PolicyRule.Otherwise
    /// How long after its last new flow a source stays with the member of a shared step that it was given.
    package var sticky: Duration?
    /// All that its order names, best first.
    package var uplinks: [UplinkNumber]
    /// Those of them that share the load with others in one step.
    package var sharing: [UplinkNumber]
    package var choice: ClassChoice

    package init(
        uplinks: [UplinkNumber], sharing: [UplinkNumber] = [], otherwise: PolicyRule.Otherwise = .default,
        sticky: Duration? = nil, choice: ClassChoice
    ) {
        self.uplinks = uplinks
        self.sharing = sharing
        self.otherwise = otherwise
        self.sticky = sticky
        self.choice = choice
    }

    package init(_ traffic: TrafficClass, numbers: [String: UplinkNumber], choice: ClassChoice) {
        let steps = traffic.order.map { step in step.members.compactMap { numbers[$0.uplink] } }
        self.init(
            uplinks: steps.flatMap { $0 }, sharing: steps.filter { $0.count > 1 }.flatMap { $0 },
            otherwise: traffic.otherwise, sticky: traffic.sticky, choice: choice)
    }

    package var isStrict: Bool { otherwise != .default }

    /// Sources are remembered only where there is something to choose among.
    var isSticky: Bool { sticky != nil && !sharing.isEmpty }
}

/// A forward by the numbers of its uplinks.
package struct DataplaneForward: Hashable, Sendable {
    package var uplinks: [UplinkNumber]
    package var transport: Forward.Transport
    package var ports: ClosedRange<UInt16>
    package var host: IPv4Address
    /// Where the first of `ports` leads to; the others follow it.
    package var hostPort: UInt16

    package init(
        uplinks: [UplinkNumber], transport: Forward.Transport, ports: ClosedRange<UInt16>, host: IPv4Address,
        hostPort: UInt16
    ) {
        self.uplinks = uplinks
        self.transport = transport
        self.ports = ports
        self.host = host
        self.hostPort = hostPort
    }

    /// `nil` for a host of IPv6, and where no uplink is left.
    package init?(_ forward: Forward, numbers: [String: UplinkNumber]) {
        let uplinks = forward.uplinks.compactMap { numbers[$0] }
        guard let host = forward.host.v4, !uplinks.isEmpty else { return nil }
        self.init(
            uplinks: uplinks, transport: forward.transport, ports: forward.ports, host: host,
            hostPort: forward.hostPort)
    }
}
