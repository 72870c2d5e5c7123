internal import NetworkTypes
package import WANModel

/// An uplink as the data plane sees it.
package struct DataplaneUplink: Hashable, Sendable {
    package var number: UplinkNumber
    package var interface: String
    /// `nil` while it is not attached.
    package var attachment: Attachment?

    package init(number: UplinkNumber, interface: String, attachment: Attachment?) {
        self.number = number
        self.interface = interface
        self.attachment = attachment
    }
}

/// From a decision to the kernel state that carries it out.
package enum WantedState {
    /// `ladder`: best first; the kernel falls from one rung to the next by itself when an interface goes away, whether the
    /// daemon runs or not.
    package static func make(
        uplinks: [DataplaneUplink], ladder: [UplinkNumber], mark: MarkLayout
    ) -> KernelState {
        var routes: [DefaultRoute] = []
        var rules = [
            PolicyRoutingRule(priority: Ownership.Priority.main, selector: .all, table: .main, ignoresDefaults: true),
            PolicyRoutingRule(priority: Ownership.Priority.rest, selector: .all, table: Ownership.selected),
        ]
        for uplink in uplinks {
            let table = Ownership.table(of: uplink.number)
            rules.append(
                PolicyRoutingRule(
                    priority: Ownership.Priority.mark(uplink.number), selector: .mark(mark.mark(of: uplink.number)),
                    table: table))
            rules.append(
                PolicyRoutingRule(
                    priority: Ownership.Priority.bound(uplink.number), selector: .outputInterface(uplink.interface),
                    table: table))
            guard let attachment = uplink.attachment else { continue }
            routes.append(route(to: attachment, table: table, metric: Ownership.firstMetric))
            for address in attachment.addresses where address.family == .v4 {
                rules.append(
                    PolicyRoutingRule(
                        priority: Ownership.Priority.source(uplink.number), selector: .source(IPPrefix(host: address)),
                        table: table))
            }
        }
        let rungs = ladder.compactMap { number in uplinks.first { $0.number == number }?.attachment }
        for (place, attachment) in rungs.enumerated() {
            routes.append(
                route(to: attachment, table: Ownership.selected, metric: Ownership.firstMetric + UInt32(place)))
        }
        if let best = rungs.first { routes.append(route(to: best, table: .main, metric: Ownership.firstMetric)) }
        return KernelState(routes: routes, rules: rules)
    }

    private static func route(to attachment: Attachment, table: RoutingTable, metric: UInt32) -> DefaultRoute {
        DefaultRoute(
            table: table, metric: metric, interface: attachment.interfaceIndex, gateway: attachment.gateway)
    }
}
