package import NetworkTypes

/// A route: `ip route show table TABLE` (rtnetlink(7) RTM_NEWROUTE).
package struct RouteMessage: Hashable, Sendable {
    package var destination: IPPrefix
    /// `from PREFIX` of IPv6 source routing; 0 for every route of IPv4.
    package var sourceLength: UInt8 = 0
    package var tos: UInt8 = 0
    package var table: RoutingTable
    package var `protocol`: RouteProtocol
    package var scope: RouteScope
    package var type: RouteType = .unicast
    /// 0 where none was given (IPv6 then has 1024).
    package var metric: UInt32
    package var gateway: IPAddress?
    package var output: InterfaceIndex?
    package var preferredSource: IPAddress?
    package var flags: Flags = []
    /// More than one way out, shared by weight (`nexthop via … weight …`); empty for a plain route.
    package var nexthops: [Nexthop] = []
    /// The nexthop object this route uses (`nhid`), `ip nexthop show`.
    package var nexthopID: UInt32?

    package var family: AddressFamily { destination.address.family }

    /// RTNH_F_* in the low byte and RTM_F_* above (linux/rtnetlink.h).
    package struct Flags: OptionSet, Hashable, Sendable {
        package let rawValue: UInt32
        package init(rawValue: UInt32) { self.rawValue = rawValue }
        /// The gateway is taken as reachable through the interface whatever the interface's own prefixes are.
        package static let onLink = Flags(rawValue: 0x4)
        /// The interface has no carrier; the route is still looked up unless `ignore_routes_with_linkdown` is set.
        package static let linkDown = Flags(rawValue: 0x10)
        /// Made from another route for one destination (path MTU, redirect): not an entry of a table.
        package static let cloned = Flags(rawValue: 0x200)
    }

    /// One way of a route that has several (linux/rtnetlink.h `struct rtnexthop`).
    package struct Nexthop: Hashable, Sendable {
        package var output: InterfaceIndex
        package var gateway: IPAddress?
        /// 1…256, its share of the flows.
        package var weight: Int
        package var flags: Flags

        package init(output: InterfaceIndex, gateway: IPAddress?, weight: Int = 1, flags: Flags = []) {
            self.output = output
            self.gateway = gateway
            self.weight = weight
            self.flags = flags
        }
    }

    /// A unicast route to ask for. The scope is the one ip(8) would choose: `link` for a route without a gateway.
    package init(
        _ destination: IPPrefix, via gateway: IPAddress? = nil, output: InterfaceIndex?, table: RoutingTable,
        metric: UInt32, protocol: RouteProtocol = .wanctl, preferredSource: IPAddress? = nil, onLink: Bool = false
    ) {
        self.destination = destination
        self.gateway = gateway
        self.output = output
        self.table = table
        self.metric = metric
        self.protocol = `protocol`
        self.preferredSource = preferredSource
        scope = gateway == nil && output != nil && destination.address.family == .v4 ? .link : .universe
        if onLink { flags.insert(.onLink) }
    }
}

/// How far away a destination is (rtnetlink(7) `rtm_scope`).
package struct RouteScope: Hashable, Sendable, RawRepresentable {
    package var rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }
    package static let universe = RouteScope(rawValue: 0)
    package static let link = RouteScope(rawValue: 253)
}

/// What happens to a packet that meets the route (rtnetlink(7) `rtm_type`).
package struct RouteType: Hashable, Sendable, RawRepresentable {
    package var rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }
    package static let unicast = RouteType(rawValue: 1)
    package static let local = RouteType(rawValue: 2)
    package static let broadcast = RouteType(rawValue: 3)
    package static let multicast = RouteType(rawValue: 5)
    package static let blackhole = RouteType(rawValue: 6)
    package static let unreachable = RouteType(rawValue: 7)
    package static let prohibit = RouteType(rawValue: 8)
}

extension RouteType: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unicast: "unicast"
        case .local: "local"
        case .broadcast: "broadcast"
        case .multicast: "multicast"
        case .blackhole: "blackhole"
        case .unreachable: "unreachable"
        case .prohibit: "prohibit"
        default: "type \(rawValue)"
        }
    }
}

extension RouteMessage: CustomStringConvertible {
    /// In ip(8)'s words, with the number of the interface for its name: `default via 192.0.2.1 dev #5 table 8700 …`.
    package var description: String {
        var words = type == .unicast ? "" : "\(type) "
        words += destination.isDefault ? "default" : "\(destination)"
        if let nexthopID { words += " nhid \(nexthopID)" }
        if let gateway { words += " via \(gateway)" }
        if let output { words += " dev #\(output)" }
        words += " table \(table) proto \(self.protocol)"
        if let preferredSource { words += " src \(preferredSource)" }
        if metric != 0 { words += " metric \(metric)" }
        if flags.contains(.onLink) { words += " onlink" }
        for nexthop in nexthops {
            words += " nexthop"
            if let gateway = nexthop.gateway { words += " via \(gateway)" }
            words += " dev #\(nexthop.output) weight \(nexthop.weight)"
        }
        return words
    }
}
