internal import NetworkTypes

/// One step that brings the kernel nearer to what is wanted.
package enum KernelChange: Hashable, Sendable {
    /// `ip route replace`
    case putRoute(UplinkRoute)
    /// `ip route del`
    case removeRoute(UplinkRoute)
    /// `ip rule add`
    case addRule(PolicyRoutingRule)
    /// `ip rule del`
    case removeRule(PolicyRoutingRule)

    package var isRemoval: Bool {
        switch self {
        case .removeRoute, .removeRule: true
        case .putRoute, .addRule: false
        }
    }
}

extension KernelChange: CustomStringConvertible {
    package var description: String {
        switch self {
        case .putRoute(let route): "route replace \(route)"
        case .removeRoute(let route): "route del \(route)"
        case .addRule(let rule): "rule add \(rule)"
        case .removeRule(let rule): "rule del \(rule)"
        }
    }
}

/// The ordered steps from what was found to what is wanted; none where they agree.
///
/// Additions before removals, so that at no moment there is less than before:
/// 1. the rung that carries the traffic, then the other routes: a rule never leads to a table that is not filled yet;
/// 2. rules in order of look-up: the one that keeps LAN traffic in the LAN comes before those that send it out;
/// 3. rules that must go, last look-up first; 4. routes that must go.
package func changes(from found: KernelState, to wanted: KernelState) -> [KernelChange] {
    func isBefore(_ a: UplinkRoute, _ b: UplinkRoute) -> Bool {
        let first = { (route: UplinkRoute) in route.key.table == Ownership.selected ? 0 : 1 }
        return (first(a), a.key) < (first(b), b.key)
    }
    let put = wanted.routes.values.filter { found.routes[$0.key] != $0 }.sorted(by: isBefore)
    let gone = found.routes.values.filter { wanted.routes[$0.key] == nil }.sorted(by: isBefore)
    let added = wanted.rules.subtracting(found.rules).sorted {
        ($0.priority, $0.description) < ($1.priority, $1.description)
    }
    let dropped = found.rules.subtracting(wanted.rules).sorted {
        ($1.priority, $1.description) < ($0.priority, $0.description)
    }
    return put.map(KernelChange.putRoute) + added.map(KernelChange.addRule) + dropped.map(KernelChange.removeRule)
        + gone.map(KernelChange.removeRoute)
}
