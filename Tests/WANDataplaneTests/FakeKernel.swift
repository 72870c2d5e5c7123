import NetworkTypes
import WANDataplane

/// A kernel in memory that keeps state and refuses what Linux refuses.
struct FakeKernel {
    struct Refusal: Error { var text: String }
    var state = KernelState()
    /// The lowest number of routes in table 8700 there ever was after a step.
    var fewestRungs = Int.max

    mutating func apply(_ change: KernelChange) throws(Refusal) {
        switch change {
        case .putRoute(let route): state.routes[route.key] = route
        case .removeRoute(let route):
            guard state.routes[route.key] == route else { throw Refusal(text: "ESRCH: \(route)") }
            state.routes[route.key] = nil
        case .addRule(let rule):
            guard !state.rules.contains(rule) else { throw Refusal(text: "EEXIST: \(rule)") }
            state.rules.insert(rule)
        case .removeRule(let rule):
            guard state.rules.contains(rule) else { throw Refusal(text: "ENOENT: \(rule)") }
            state.rules.remove(rule)
        }
        fewestRungs = min(fewestRungs, state.routes.keys.filter { $0.table == Ownership.selected }.count)
    }
}
