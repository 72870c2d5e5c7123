package import NetworkTypes
package import WANModel

/// The way to the box of the site that carries the traffic, and whose traffic takes it.
package struct Relay: Hashable, Sendable {
    package var interface: InterfaceIndex
    /// The virtual address.
    package var gateway: IPAddress
    /// This box's own addresses beside it: what it sends from one of them, or from none yet, goes to the gateway.
    package var sources: [IPv4Address]

    package init(interface: InterfaceIndex, gateway: IPAddress, sources: [IPv4Address]) {
        self.interface = interface
        self.gateway = gateway
        self.sources = sources
    }

    fileprivate func route(table: RoutingTable) -> UplinkRoute {
        UplinkRoute(table: table, metric: Ownership.firstMetric, interface: interface, gateway: gateway)
    }
}

/// From a decision to the kernel state that carries it out.
package enum WantedState {
    /// `ladder`: best first; the kernel falls from one rung to the next by itself when an interface goes away, whether the
    /// daemon runs or not. `strict`: uplinks that traffic may be bound to with nothing beside
    /// (`RulesetInput.strictUplinks`).
    /// `relay`: while another box of the site carries the traffic.
    ///
    /// The box's own traffic is told by its source, and what it forwards takes the ladder, or goes nowhere: when the virtual address
    /// comes, the LAN's packets are here before anybody here knows of it, and when it goes, some still come. Sent on to the
    /// gateway, a flow would be tracked without translation, and lost on the uplink for as long as it lasts. (`iif lo` would
    /// tell own traffic too, but every look-up of nft's `fib` counts as that, and `classify` must find the uplinks.)
    package static func make(
        uplinks: [DataplaneUplink], ladder: [UplinkNumber], mark: MarkLayout, strict: Set<UplinkNumber> = [],
        relay: Relay? = nil
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
        for (rank, rung) in rungs.enumerated() {
            let metric = Ownership.firstMetric + UInt32(rank)
            routes.append(route(to: rung, table: Ownership.selected, metric: metric))
        }
        if let relay { routes.append(relay.route(table: Ownership.relay)) }
        // The mirror shows the way of the box's own traffic. Without a rung before it, what is forwarded would take it.
        if let first = rungs.first {
            let mirror = route(to: first, table: .main, metric: Ownership.firstMetric)
            routes.append(relay?.route(table: .main) ?? mirror)
        }
        routes += nameServerRoutes(uplinks, ladder: ladder)
        return KernelState(routes: routes, rules: rules(uplinks, mark: mark, strict: strict, relay))
    }

    private static func rules(
        _ uplinks: [DataplaneUplink], mark: MarkLayout, strict: Set<UplinkNumber>, _ relay: Relay?
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
        // A socket that has no source yet asks with 0.0.0.0.
        for address in relay.map({ [IPv4Address(bits: 0)] + $0.sources }) ?? [] {
            rules.append(
                PolicyRoutingRule(
                    priority: Ownership.Priority.relay, selector: .source(IPPrefix(host: .v4(address))),
                    action: .lookup(Ownership.relay)))
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
