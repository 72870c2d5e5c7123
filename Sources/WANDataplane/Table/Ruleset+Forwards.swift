internal import NetworkTypes
internal import WANModel

// Ports of the uplinks that lead to hosts in the LAN. An uplink's own address is never written down where it can be looked up,
// so a forward follows it; only for requests from the LAN there is a map, which the daemon keeps (`steering(from:to:)`).
//
// The answers need nothing: their flow is pinned to the uplink it came in by.
extension Ruleset {
    static func addForwards(_ text: inout TableText, _ site: RulesetSite) {
        let forwards = site.input.forwards
        if forwards.isEmpty { return }
        let uplinks = Set(forwards.flatMap(\.uplinks)).intersection(site.numbers).sorted()
        for uplink in uplinks {
            text.chain(
                TableNames.forwardChain(uplink),
                translations(of: forwards.filter { $0.uplinks.contains(uplink) }))
        }
        let own = site.input.ownAddresses
        text.collection(
            .map, TableNames.own, ["type ipv4_addr : verdict"],
            own.compactMap { element in element.verdict.map { "\(element.key) : \($0)" } })
        text.collection(.set, TableNames.ownAddresses, ["type ipv4_addr"], own.map { "\($0.key)" })
        let entries = site.owners.filter { uplinks.contains($0.uplink) }.map {
            "\(String.quoted($0.interface)) : jump \(TableNames.forwardChain($0.uplink))"
        }
        let fromOutside =
            entries.isEmpty ? [] : ["meta nfproto ipv4 fib daddr type local iifname vmap \(String.list(entries))"]
        text.chain(
            "dstnat", hook: "nat hook prerouting priority dstnat",
            fromOutside + ["iifname != @uplinks ip daddr vmap @\(TableNames.own)"])
    }

    /// One look-up for each protocol and kind. A port that two forwards claim is the first one's.
    private static func translations(of forwards: [DataplaneForward]) -> [String] {
        Forward.Transport.allCases.flatMap { transport in
            var taken = PortClaims()
            var kept: [String] = []
            var shifted: [String] = []
            for forward in forwards where forward.transport == transport {
                for ports in taken.claim(forward.ports) {
                    if forward.hostPort == forward.ports.lowerBound {
                        kept.append("\(String.ports(ports)) : \(forward.host)")
                    } else {
                        shifted += pairs(ports, of: forward)
                    }
                }
            }
            let name = transport.rawValue
            return [kept, shifted].filter { !$0.isEmpty }.map { "dnat ip to \(name) dport map \(String.list($0))" }
        }
    }

    /// Port by port: the kernel has no map from a range to a range. The reader bounds how many there are.
    private static func pairs(_ ports: ClosedRange<UInt16>, of forward: DataplaneForward) -> [String] {
        ports.compactMap { port in
            let target = Int(forward.hostPort) + Int(port) - Int(forward.ports.lowerBound)
            return target <= UInt16.max ? "\(port) : \(forward.host) . \(target)" : nil
        }
    }
}

/// Ports that are given away already.
private struct PortClaims {
    private var isTaken = [Bool](repeating: false, count: 1 << 16)

    /// The parts of `ports` that were still free; now they are not.
    mutating func claim(_ ports: ClosedRange<UInt16>) -> [ClosedRange<UInt16>] {
        var free: [ClosedRange<UInt16>] = []
        for port in ports where !isTaken[Int(port)] {
            isTaken[Int(port)] = true
            if let last = free.last, last.upperBound < port, last.upperBound == port - 1 {
                free[free.count - 1] = last.lowerBound...port
            } else {
                free.append(port...port)
            }
        }
        return free
    }
}
