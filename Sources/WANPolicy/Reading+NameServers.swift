internal import NetworkTypes
internal import WANModel

/// Name servers of a line get a route before everything else, so none may be an address that belongs to somebody else. What only
/// the box itself knows, the networks it stands in, the daemon looks at.
extension Reading {
    mutating func checkNameServers(_ policy: Policy) {
        for uplink in policy.uplinks {
            for server in uplink.dns { check(server, of: uplink, policy) }
        }
        warnAboutNameServers(policy)
    }

    private mutating func check(_ server: IPAddress, of uplink: Uplink, _ policy: Policy) {
        let position = positions["uplinks.\(uplink.name).dns.\(server)"] ?? .start
        // Boxes have their routes each for itself.
        let others = policy.uplinks.filter { $0.name != uplink.name && $0.node == uplink.node }
        if let owner = owner(of: server, policy) {
            fault(
                position, "dns \(server) is \(owner)",
                "a route over \(uplink.name.quoted) would take it away from there; name the provider's own server")
        } else if uplink.gateway != server, let other = others.first(where: { $0.gateway == server }) {
            fault(
                position, "dns \(server) is the gateway of uplink \(other.name.quoted)",
                "it belongs into the dns of that one")
        } else if let other = others.first(where: { $0.asks(server) }) {
            warn(
                position,
                "dns \(server) is a target of uplink \(other.name.quoted) too, and goes the way of all traffic",
                "name the provider's own server here, or other targets there")
        } else if Self.publicResolvers.contains(server) {
            warn(
                position, "\(server) is a public name server, and dns leads it over \(uplink.name.quoted) alone",
                "hosts that ask it themselves have no names while that line is down; name the provider's own here")
        }
    }

    /// Whose address in the LAN it is, as far as the policy tells.
    private func owner(of server: IPAddress, _ policy: Policy) -> String? {
        if let vrrp = policy.vrrp?.address {
            if vrrp.address == server { return "the virtual address" }
            if vrrp.length < IPPrefix(host: vrrp.address).length, vrrp.contains(server) {
                return "in the LAN, in the network of the virtual address \(vrrp)"
            }
        }
        if let node = policy.nodes.first(where: { $0.address == server }) { return "node \(node.name.quoted)" }
        if policy.forwards.contains(where: { $0.host == server }) { return "a host in the LAN that forwards lead to" }
        return nil
    }

    /// Those that people write into their computers: 1.1.1.1, 8.8.8.8, 9.9.9.9, 208.67.222.222 and their seconds.
    private static let publicResolvers = Set(
        [
            "1.1.1.1", "1.0.0.1", "8.8.8.8", "8.8.4.4", "9.9.9.9", "149.112.112.112", "208.67.222.222",
            "208.67.220.220",
        ].compactMap { IPAddress($0) })

    /// Where some providers' name servers are known, a line without its own leaves the LAN without names.
    private mutating func warnAboutNameServers(_ policy: Policy) {
        let named = policy.failover.order.flatMap { $0.members.map(\.uplink) }.compactMap(policy.uplink(named:))
        guard let one = named.first(where: \.hasNameServers) else { return }
        for uplink in named where !uplink.hasNameServers {
            warn(
                positions["uplinks.\(uplink.name)"] ?? .start,
                "uplink \(uplink.name.quoted) has no dns, but \(one.name.quoted) has",
                "while it is selected no name server of its own can be named; add dns: [ADDRESS] or dns: /FILE")
        }
    }
}

extension Uplink {
    fileprivate var hasNameServers: Bool { !dns.isEmpty || dnsFile != nil }
    fileprivate func asks(_ address: IPAddress) -> Bool {
        probe.targets.contains(address) || keepalive?.target == address
    }
}
