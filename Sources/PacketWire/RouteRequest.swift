internal import NetworkTypes

/// A change to ask of rtnetlink(7).
package enum RouteRequest: Hashable, Sendable {
    /// `ip route add`: refused with EEXIST where table, destination and metric are taken.
    case addRoute(RouteMessage)
    /// `ip route replace`. The kernel replaces whatever has this table, destination, TOS and metric, **whoever made it**.
    case replaceRoute(RouteMessage)
    /// `ip route delete`, of the route that agrees in every field. The kernel takes a metric of 0 as "any metric".
    case deleteRoute(RouteMessage)
    /// `ip rule add`: refused with EEXIST where the very same rule is there.
    case addRule(RuleMessage)
    /// `ip rule delete`. What the rule does not name is not compared: a rule at the same priority, of the same protocol,
    /// with further selectors would also match.
    case deleteRule(RuleMessage)

    /// Whether the request's purpose is already fulfilled where the kernel refuses it so.
    package func isFulfilled(by errno: Int32) -> Bool {
        switch self {
        case .addRoute, .addRule: errno == 17  // EEXIST
        case .replaceRoute: false
        case .deleteRoute: errno == 3  // ESRCH
        case .deleteRule: errno == 2 || errno == 97  // ENOENT; EAFNOSUPPORT: no rules of this family at all
        }
    }

    /// The whole message, header included; an answer is asked for.
    package func write(into datagram: inout NetlinkWriter, sequence: UInt32) {
        switch self {
        case .addRoute(let route):
            datagram.message(
                type: RTM.newRoute, flags: [.change, .create, .exclusive], sequence: sequence, route.write)
        case .replaceRoute(let route):
            datagram.message(type: RTM.newRoute, flags: [.change, .create, .replace], sequence: sequence, route.write)
        case .deleteRoute(let route):
            datagram.message(type: RTM.deleteRoute, flags: .change, sequence: sequence, route.write)
        case .addRule(let rule):
            datagram.message(type: RTM.newRule, flags: [.change, .create, .exclusive], sequence: sequence, rule.write)
        case .deleteRule(let rule):
            datagram.message(type: RTM.deleteRule, flags: .change, sequence: sequence, rule.write)
        }
    }
}

extension RouteRequest: CustomStringConvertible {
    /// In ip(8)'s words.
    package var description: String {
        switch self {
        case .addRoute(let route): "ip route add \(route)"
        case .replaceRoute(let route): "ip route replace \(route)"
        case .deleteRoute(let route): "ip route delete \(route)"
        case .addRule(let rule): "ip rule add \(rule)"
        case .deleteRule(let rule): "ip rule delete \(rule)"
        }
    }
}

extension NetlinkFlags {
    fileprivate static let change: NetlinkFlags = [.request, .acknowledge]
}

/// RTM_*, by the kernel's numbers (linux/rtnetlink.h).
enum RTM {
    static let newLink: UInt16 = 16
    static let deleteLink: UInt16 = 17
    static let getLink: UInt16 = 18
    static let newAddress: UInt16 = 20
    static let deleteAddress: UInt16 = 21
    static let getAddress: UInt16 = 22
    static let newRoute: UInt16 = 24
    static let deleteRoute: UInt16 = 25
    static let getRoute: UInt16 = 26
    static let newRule: UInt16 = 32
    static let deleteRule: UInt16 = 33
    static let getRule: UInt16 = 34
}
