package import NetworkTypes
package import WANModel

/// Where a default route leads: an uplink, or the box of the site that carries the traffic.
package struct Relay: Hashable, Sendable {
    package var interface: InterfaceIndex
    package var gateway: IPAddress?

    package init(interface: InterfaceIndex, gateway: IPAddress?) {
        self.interface = interface
        self.gateway = gateway
    }

    fileprivate func route(table: RoutingTable, metric: UInt32) -> UplinkRoute {
        UplinkRoute(table: table, metric: metric, interface: interface, gateway: gateway)
    }
}

/// From a decision to the kernel state that carries it out.
package enum WantedState {
    /// `ladder`: best first; the kernel falls from one rung to the next by itself when an interface goes away, whether the
    /// daemon runs or not. `strict`: uplinks that traffic may be bound to with nothing beside
    /// (`RulesetInput.strictUplinks`).
    /// `relay`: the box of the site that carries the traffic, where it is another one; this one's own traffic goes there.
    /// `relaysAll`: so does what hosts still send here that have not heard of it; else that takes this box's own ladder,
    /// which so is in place before the role comes: a way back loses no packet.
    package static func make(
        uplinks: [DataplaneUplink], ladder: [UplinkNumber], mark: MarkLayout, strict: Set<UplinkNumber> = [],
        relay: Relay? = nil, relaysAll: Bool = false
    ) -> KernelState {
        let rungs = ladder.compactMap { number in
            uplinks.first { $0.number == number && $0.attachment != nil }?.attachment
        }
        var routes: [UplinkRoute] = []
        for uplink in uplinks {
            guard let attachment = uplink.attachment else { continue }
            routes.append(
                route(to: attachment, table: Ownership.table(of: uplink.number), metric: Ownership.firstMetric))
        }
        let own = rungs.map { Relay(interface: $0.interfaceIndex, gateway: $0.gateway) }
        let hops = relaysAll ? (relay.map { [$0] } ?? []) + own : own
        for (place, hop) in hops.enumerated() {
            routes.append(hop.route(table: Ownership.selected, metric: Ownership.firstMetric + UInt32(place)))
        }
        if let first = relay ?? hops.first {
            routes.append(first.route(table: .main, metric: Ownership.firstMetric))
        }
        routes += nameServerRoutes(uplinks, ladder: ladder)
        var rules = rules(uplinks, mark: mark, strict: strict)
        if let relay {
            routes.append(relay.route(table: Ownership.relay, metric: Ownership.firstMetric))
            rules.append(
                PolicyRoutingRule(
                    priority: Ownership.Priority.own, selector: .local, action: .lookup(Ownership.relay)))
        }
        return KernelState(routes: routes, rules: rules)
    }

    private static func rules(
        _ uplinks: [DataplaneUplink], mark: MarkLayout, strict: Set<UplinkNumber>
    ) -> [PolicyRoutingRule] {
        var rules = [
            PolicyRoutingRule(
                priority: Ownership.Priority.main, selector: .all, action: .lookup(.main), ignoresDefaults: true),
            PolicyRoutingRule(
                priority: Ownership.Priority.rest, selector: .all, action: .lookup(Ownership.selected)),
        ]
        for uplink in uplinks {
            let number = uplink.number
            let table = PolicyRoutingRule.Action.lookup(Ownership.table(of: number))
            func add(_ priority: RulePriority, _ selector: PolicyRoutingRule.Selector) {
                rules.append(PolicyRoutingRule(priority: priority, selector: selector, action: table))
            }
            add(Ownership.Priority.mark(number), .mark(mark.mark(of: number)))
            add(Ownership.Priority.bound(number), .outputInterface(uplink.interface))
            if strict.contains(number) { add(Ownership.Priority.strict(number), .mark(mark.strictMark(of: number))) }
            // What the router sends from the address of a line that is down goes by the ladder and is translated there: a
            // tunnel of the kernel's that never asks for another source goes on instead of hanging.
            guard uplink.isUsable else { continue }
            for address in uplink.addresses {
                add(Ownership.Priority.source(number), .source(IPPrefix(host: .v4(address))))
            }
        }
        if !strict.isEmpty {
            rules.append(
                PolicyRoutingRule(
                    priority: Ownership.Priority.noOther, selector: .mark(mark.anyStrict), action: .prohibit))
        }
        return rules
    }

    /// A provider's name servers answer only its own customers, so each is reached over its uplink whatever is selected; a
    /// server of several over the best that is usable, or else over the first that is attached, in hope.
    ///
    /// In `main`, which is asked first: the marks of the LAN's flows do not lead elsewhere either.
    private static func nameServerRoutes(_ uplinks: [DataplaneUplink], ladder: [UplinkNumber]) -> [UplinkRoute] {
        var servers: [IPv4Address: DataplaneUplink] = [:]
        func rank(_ uplink: DataplaneUplink) -> Int {
            guard uplink.isUsable else { return ladder.count + 1 }
            return ladder.firstIndex(of: uplink.number) ?? ladder.count
        }
        for uplink in uplinks where uplink.attachment != nil {
            for server in uplink.nameServers {
                if let other = servers[server], rank(other) <= rank(uplink) { continue }
                servers[server] = uplink
            }
        }
        return servers.compactMap { server, uplink in
            guard let attachment = uplink.attachment else { return nil }
            // A box that is gateway and name server in one is on the link itself.
            let gateway = attachment.gateway == .v4(server) ? nil : attachment.gateway
            return UplinkRoute(
                to: IPPrefix(host: .v4(server)), table: .main, metric: Ownership.hostMetric,
                interface: attachment.interfaceIndex, gateway: gateway)
        }
    }

    private static func route(to attachment: Attachment, table: RoutingTable, metric: UInt32) -> UplinkRoute {
        UplinkRoute(
            table: table, metric: metric, interface: attachment.interfaceIndex, gateway: attachment.gateway)
    }
}
