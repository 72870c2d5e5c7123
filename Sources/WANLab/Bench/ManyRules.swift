/// Policies with many rules, of the kinds people write: by host, by network and port, by destination.
package enum ManyRules {
    /// `rules:` of a policy.
    ///
    /// Each names other hosts, networks or ports than all before it, so none is shadowed; their orders are few, as in a real policy.
    /// - Parameters:
    ///   - uplinks: In some order; the rules' orders are taken from them.
    ///   - turned: The same rules with each rule's order the other way round, for a reload that has something to do.
    package static func text(_ count: Int, uplinks: [String], turned: Bool = false) -> String {
        var orders: [[String]] = []
        for place in uplinks.indices.prefix(3) {
            orders.append([uplinks[place], uplinks[(place + 1) % uplinks.count]])
        }
        if turned { orders = orders.map { $0.reversed() } }
        let lines = (0..<count).map { place in
            let order = orders[place % orders.count].joined(separator: ", ")
            let otherwise = ["default", "default", "default", "reject"][place % 4]
            return "  - {name: rule \(place), match: {\(match(place))}, order: [\(order)], otherwise: \(otherwise)}\n"
        }
        return "rules:\n" + lines.joined()
    }

    private static func match(_ place: Int) -> String {
        let (high, low) = (place / 250, place % 250)
        return switch place % 3 {
        case 0: "source: 192.168.\(100 + high).\(low + 1)"
        case 1: "source: 10.\(100 + high).\(low).0/24, protocol: tcp, port: \(1000 + place)"
        default: "destination: 172.\(16 + high).\(low).0/24"
        }
    }
}
