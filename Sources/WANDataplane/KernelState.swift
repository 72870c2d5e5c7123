package import NetworkTypes

/// A default route as we make them.
///
/// `ip route … default [via GATEWAY] dev INTERFACE table TABLE metric METRIC proto wanctl`
package struct DefaultRoute: Hashable, Sendable {
    /// What the kernel tells routes apart by: replacing one with the same key is one atomic step.
    package struct Key: Hashable, Sendable, Comparable {
        package var family: AddressFamily
        package var table: RoutingTable
        package var metric: UInt32

        package static func < (a: Self, b: Self) -> Bool {
            (a.table, a.metric, a.family.rawValue) < (b.table, b.metric, b.family.rawValue)
        }
    }
    package var key: Key
    package var interface: InterfaceIndex
    package var gateway: IPAddress?

    package init(
        family: AddressFamily = .v4, table: RoutingTable, metric: UInt32, interface: InterfaceIndex, gateway: IPAddress?
    ) {
        key = Key(family: family, table: table, metric: metric)
        self.interface = interface
        self.gateway = gateway
    }
}

extension DefaultRoute: CustomStringConvertible {
    package var description: String {
        let via = gateway.map { " via \($0)" } ?? ""
        return "default\(via) dev #\(interface) table \(key.table) metric \(key.metric)"
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
    package var family: AddressFamily
    package var priority: RulePriority
    package var selector: Selector
    package var table: RoutingTable
    /// `suppress_prefixlength 0`: the table without its default routes.
    package var ignoresDefaults: Bool

    package init(
        family: AddressFamily = .v4, priority: RulePriority, selector: Selector, table: RoutingTable,
        ignoresDefaults: Bool = false
    ) {
        self.family = family
        self.priority = priority
        self.selector = selector
        self.table = table
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
        return "\(priority): \(what) lookup \(table)\(ignoresDefaults ? " suppress_prefixlength 0" : "")"
    }
}

/// Routes and rules that are ours: as they are found, or as they are wanted.
package struct KernelState: Hashable, Sendable {
    package var routes: [DefaultRoute.Key: DefaultRoute]
    package var rules: Set<PolicyRoutingRule>

    package init(routes: [DefaultRoute] = [], rules: [PolicyRoutingRule] = []) {
        self.routes = Dictionary(routes.map { ($0.key, $0) }, uniquingKeysWith: { _, last in last })
        self.rules = Set(rules)
    }
}
