package import NetworkTypes

/// A route as we make them: a default by an uplink, or one to a single host that only that uplink reaches.
///
/// `ip route … DESTINATION [via GATEWAY] dev INTERFACE table TABLE metric METRIC proto wanctl`
package struct UplinkRoute: Hashable, Sendable {
    /// What the kernel tells routes apart by: replacing one with the same key is one atomic step.
    package struct Key: Hashable, Sendable, Comparable {
        package var destination: IPPrefix
        package var table: RoutingTable
        package var metric: UInt32

        package static func < (a: Self, b: Self) -> Bool {
            let (mine, theirs) = (a.destination, b.destination)
            return (a.table, mine.length, a.metric, mine.address) < (b.table, theirs.length, b.metric, theirs.address)
        }
    }
    package var key: Key
    package var interface: InterfaceIndex
    package var gateway: IPAddress?

    /// A default route, unless `destination` says otherwise.
    package init(
        to destination: IPPrefix = .everything(.v4), table: RoutingTable, metric: UInt32, interface: InterfaceIndex,
        gateway: IPAddress?
    ) {
        key = Key(destination: destination, table: table, metric: metric)
        self.interface = interface
        self.gateway = gateway
    }
}

extension UplinkRoute: CustomStringConvertible {
    package var description: String {
        let via = gateway.map { " via \($0)" } ?? ""
        let destination = key.destination.isDefault ? "default" : "\(key.destination)"
        return "\(destination)\(via) dev #\(interface) table \(key.table) metric \(key.metric)"
    }
}

/// A routing rule as we make them (ip-rule(8)).
package struct PolicyRoutingRule: Hashable, Sendable {
    package enum Selector: Hashable, Sendable {
        case all
        /// `fwmark VALUE/MASK`
        case mark(FwMark)
        /// `oif NAME`: sockets bound to the interface.
        case outputInterface(String)
        /// `from PREFIX`
        case source(IPPrefix)
    }
    package enum Action: Hashable, Sendable {
        case lookup(RoutingTable)
        /// The packet goes nowhere: ICMP "administratively prohibited", EACCES to a program.
        case prohibit
    }
    package var family: AddressFamily
    package var priority: RulePriority
    package var selector: Selector
    package var action: Action
    /// `suppress_prefixlength 0`: the table without its default routes.
    package var ignoresDefaults: Bool

    package init(
        family: AddressFamily = .v4, priority: RulePriority, selector: Selector, action: Action,
        ignoresDefaults: Bool = false
    ) {
        self.family = family
        self.priority = priority
        self.selector = selector
        self.action = action
        self.ignoresDefaults = ignoresDefaults
    }
}

extension PolicyRoutingRule: CustomStringConvertible {
    package var description: String {
        let what =
            switch selector {
            case .all: "from all"
            case .mark(let mark): "fwmark \(mark)"
            case .outputInterface(let name): "oif \(name)"
            case .source(let prefix): "from \(prefix)"
            }
        let then =
            switch action {
            case .lookup(let table): "lookup \(table)"
            case .prohibit: "prohibit"
            }
        return "\(priority): \(what) \(then)\(ignoresDefaults ? " suppress_prefixlength 0" : "")"
    }
}

/// Routes and rules that are ours: as they are found, or as they are wanted.
package struct KernelState: Hashable, Sendable {
    package var routes: [UplinkRoute.Key: UplinkRoute]
    package var rules: Set<PolicyRoutingRule>

    package init(routes: [UplinkRoute] = [], rules: [PolicyRoutingRule] = []) {
        self.routes = Dictionary(routes.map { ($0.key, $0) }, uniquingKeysWith: { _, last in last })
        self.rules = Set(rules)
    }
}
