package import NetworkTypes
package import PacketWire
package import WANDataplane
package import WANModel

/// What the kernel has, as far as it concerns us: links, IPv4 addresses, other programs' default routes, and the routes and
/// rules that are ours. Filled by dumps, kept by events.
package struct KernelPicture: Sendable {
    package private(set) var links: [InterfaceIndex: LinkMessage] = [:]
    package private(set) var addresses: [InterfaceIndex: [AddressMessage]] = [:]
    /// Default routes that are not ours, by which gateways are known (pppd, dhclient and NetworkManager put them there).
    package private(set) var foreignDefaults: [RouteMessage] = []
    /// Ours.
    package internal(set) var found = KernelState()
    /// How many of our routes the kernel itself has taken away with a link or an address.
    package private(set) var routesTaken = 0
    /// Routes and rules of others in places that are ours; never touched, only reported.
    package private(set) var intruders: Set<String> = []
    /// The gateway last seen on an interface with these addresses; it outlives the route that told us.
    private var gateways: [InterfaceIndex: (addresses: [IPAddress], gateway: IPAddress)] = [:]

    package init() {}

    // MARK: links and addresses

    package mutating func replaceLinks(_ dump: [LinkMessage]) {
        links = Dictionary(dump.filter(\.isWhole).map { ($0.index, $0) }, uniquingKeysWith: { $1 })
    }

    package mutating func replaceAddresses(_ dump: [AddressMessage]) {
        addresses = [:]
        for address in dump { put(address) }
    }

    package mutating func put(_ link: LinkMessage) {
        guard link.isWhole else { return }
        let wasUp = links[link.index]?.flags.contains(.up) ?? false
        links[link.index] = link
        // The kernel takes the routes of a link that is set down away and says so only of the link.
        if wasUp, !link.flags.contains(.up) { forgetRoutes(of: link.index) }
    }

    package mutating func removeLink(_ index: InterfaceIndex) {
        links[index] = nil
        addresses[index] = nil
        gateways[index] = nil
        forgetRoutes(of: index)
    }

    package mutating func put(_ address: AddressMessage) {
        guard address.family == .v4 else { return }
        var list = addresses[address.interface] ?? []
        // In its old place: a DHCP lease that is renewed comes as the same address anew, and is no change.
        if let index = list.firstIndex(where: { $0.local == address.local && $0.prefixLength == address.prefixLength })
        {
            list[index] = address
        } else {
            list.append(address)
        }
        addresses[address.interface] = list
    }

    package mutating func remove(_ address: AddressMessage) {
        guard address.family == .v4 else { return }
        addresses[address.interface]?.removeAll {
            $0.local == address.local && $0.prefixLength == address.prefixLength
        }
        // With its last address an interface loses all its IPv4 routes, again without a word about them.
        if addresses[address.interface]?.isEmpty ?? true { forgetRoutes(of: address.interface) }
    }

    private mutating func forgetRoutes(of index: InterfaceIndex) {
        let before = found.routes.count
        found.routes = found.routes.filter { $0.value.interface != index }
        routesTaken += before - found.routes.count
        foreignDefaults.removeAll { $0.output == index }
    }

    // MARK: routes and rules

    package mutating func replaceRoutes(_ dump: [RouteMessage]) {
        found.routes = [:]
        foreignDefaults = []
        intruders = intruders.filter { !$0.hasPrefix("route") }
        for route in dump { put(route) }
    }

    package mutating func put(_ route: RouteMessage) {
        if let ours = UplinkRoute(route) {
            found.routes[ours.key] = ours
            return
        }
        noteIntruder(route)
        guard route.family == .v4, route.destination.isDefault, !route.flags.contains(.cloned),
            route.protocol != .wanctl
        else { return }
        foreignDefaults.removeAll { $0.isSamePlace(as: route) }
        foreignDefaults.append(route)
        learnGateway(from: route)
    }

    package mutating func remove(_ route: RouteMessage) {
        if let ours = UplinkRoute(route) {
            if found.routes[ours.key] == ours { found.routes[ours.key] = nil }
            return
        }
        intruders.remove("route \(route)")
        foreignDefaults.removeAll { $0.isSamePlace(as: route) && $0.output == route.output }
    }

    package mutating func replaceRules(_ dump: [RuleMessage]) {
        found.rules = []
        intruders = intruders.filter { !$0.hasPrefix("rule") }
        for rule in dump { put(rule) }
    }

    package mutating func put(_ rule: RuleMessage) {
        guard rule.family == .v4, Ownership.priorities.contains(rule.priority.rawValue) else { return }
        if let ours = PolicyRoutingRule(rule) { found.rules.insert(ours) } else { intruders.insert("rule \(rule)") }
    }

    package mutating func remove(_ rule: RuleMessage) {
        if let ours = PolicyRoutingRule(rule) { found.rules.remove(ours) } else { intruders.remove("rule \(rule)") }
    }

    private mutating func noteIntruder(_ route: RouteMessage) {
        if Ownership.isOurTable(route.table), route.protocol != .wanctl { intruders.insert("route \(route)") }
    }

    mutating func take(_ event: KernelEvent) {
        switch event.what {
        case .link(let link): put(link)
        case .linkGone(let link): removeLink(link.index)
        case .address(let address): put(address)
        case .addressGone(let address): remove(address)
        case .route(let route): put(route)
        case .routeGone(let route): remove(route)
        case .rule(let rule): put(rule)
        case .ruleGone(let rule): remove(rule)
        case .lost: break  // comes as `KernelNews.lost`
        }
    }

    private mutating func learnGateway(from route: RouteMessage) {
        guard let output = route.output, let gateway = route.gateway, gateway.family == .v4 else { return }
        gateways[output] = (localAddresses(of: output), gateway)
    }

    private func localAddresses(of index: InterfaceIndex) -> [IPAddress] { (addresses[index] ?? []).map(\.local) }

    // MARK: attachments

    /// Where an uplink is attached, or the reason why it is not.
    package func attachment(of uplink: Uplink, isWireless: (InterfaceIndex) -> Bool) -> (Attachment?, reason: String) {
        let name = uplink.interface
        guard let link = links.values.first(where: { $0.name == name }) else { return (nil, "\(name) does not exist") }
        guard link.flags.contains(.up) else { return (nil, "\(name) is set down") }
        guard link.hasCarrier ?? link.flags.contains(.lowerUp) else { return (nil, "\(name) has no carrier") }
        guard link.operState != .dormant, link.operState != .lowerLayerDown else {
            return (nil, "\(name) is not ready (\(link.operState))")
        }
        // A deprecated address is on its way out; it serves where there is no other.
        let list = (addresses[link.index] ?? []).sorted {
            ($0.flags.contains(.deprecated) ? 1 : 0) < ($1.flags.contains(.deprecated) ? 1 : 0)
        }
        guard !list.isEmpty else { return (nil, "\(name) has no IPv4 address") }
        var gateway = uplink.gateway
        if gateway == nil, !link.flags.contains(.pointToPoint) {
            gateway = self.gateway(of: link.index)
            guard gateway != nil else {
                return (
                    nil, "no gateway is known on \(name): no default route leads there; set `gateway:` in the policy"
                )
            }
        }
        let attachment = Attachment(
            interfaceIndex: link.index, interface: name, addresses: list.map(\.local), gateway: gateway,
            isWireless: isWireless(link.index))
        // Named because it changes how long a silence is borne with.
        return (attachment, "\(name)\(attachment.isWireless ? " (Wi-Fi)" : "") is up with \(list[0].local)")
    }

    /// The way of this box's own traffic while another one carries the LAN's.
    func relay(to vrrp: VRRP) -> Relay? {
        // No route can be put on a link that is not up yet.
        guard let link = links.values.first(where: { $0.name == vrrp.interface }), link.flags.contains(.up) else {
            return nil
        }
        let address = vrrp.address.address
        let sources = localAddresses(of: link.index).filter { $0 != address }.compactMap(\.v4)
        return Relay(interface: link.index, gateway: address, sources: sources)
    }

    private func gateway(of index: InterfaceIndex) -> IPAddress? {
        let routes = foreignDefaults.filter { $0.output == index && $0.gateway?.family == .v4 }
        if let best = routes.min(by: { $0.metric < $1.metric })?.gateway { return best }
        guard let known = gateways[index], known.addresses == localAddresses(of: index) else { return nil }
        return known.gateway
    }
}

extension RouteMessage {
    fileprivate func isSamePlace(as other: RouteMessage) -> Bool {
        destination == other.destination && table == other.table && metric == other.metric && tos == other.tos
    }
}

extension UplinkRoute {
    /// A route of ours, wanted or not; `nil` for every other.
    init?(_ route: RouteMessage) {
        guard route.protocol == .wanctl, route.family == .v4, !route.flags.contains(.cloned),
            let output = route.output, route.nexthops.count <= 1, route.type == .unicast,
            Ownership.isOurTable(route.table) || route.table == .main
        else { return nil }
        self.init(
            to: route.destination, table: route.table, metric: route.metric, interface: output, gateway: route.gateway)
    }
}

extension PolicyRoutingRule {
    /// A rule of ours; `nil` for every other, and for one with a selector that we never use.
    init?(_ rule: RuleMessage) {
        guard rule.protocol == .wanctl, rule.family == .v4, !rule.isInverted, rule.tos == 0, rule.input == nil,
            rule.destination == nil, rule.unread.isEmpty, let action = Action(rule)
        else { return nil }
        let selectors: [Selector] = [
            rule.mark.map { .mark($0) }, rule.output.map { .outputInterface($0) }, rule.source.map { .source($0) },
        ].compactMap { $0 }
        guard selectors.count <= 1 else { return nil }
        self.init(
            priority: rule.priority, selector: selectors.first ?? .all, action: action,
            ignoresDefaults: rule.suppressPrefixLength == 0)
    }
}

extension PolicyRoutingRule.Action {
    fileprivate init?(_ rule: RuleMessage) {
        switch rule.action {
        case .lookup: self = .lookup(rule.table)
        case .prohibit: self = .prohibit
        default: return nil
        }
    }
}
