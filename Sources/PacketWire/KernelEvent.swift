/// Something that changed in the kernel's picture of the network, as rtnetlink(7)'s multicast groups tell it (`ip monitor`).
package struct KernelEvent: Hashable, Sendable {
    package var what: What
    /// The port of the socket that asked for the change (`nlmsg_pid`); 0 where the kernel acted by itself.
    package var port: UInt32

    package enum What: Hashable, Sendable {
        case link(LinkMessage)
        case linkGone(LinkMessage)
        case address(AddressMessage)
        case addressGone(AddressMessage)
        case route(RouteMessage)
        case routeGone(RouteMessage)
        case rule(RuleMessage)
        case ruleGone(RuleMessage)
        /// Events were lost (ENOBUFS, NLMSG_OVERRUN) or could not be read: the picture is stale, dump again.
        case lost(reason: String)
    }

    package init(_ what: What, port: UInt32) {
        self.what = what
        self.port = port
    }

    /// `nil` for what tells nothing about a link, an address, a route or a rule of IPv4 or IPv6: other types and address
    /// families, a bridge's view of its ports, wireless extensions, clones of routes.
    package init?(_ header: NetlinkHeader, _ payload: RawSpan) throws(WireError) {
        if header.type < 16 {
            guard try NetlinkControl(header, payload) == .overrun else { return nil }
            what = .lost(reason: "NLMSG_OVERRUN")
            port = 0
            return
        }
        guard payload.byteCount > 0 else { return nil }
        let family: UInt8 = try payload.native(at: 0)
        if header.type > RTM.getLink, family != 2, family != 10 { return nil }
        switch header.type {
        case RTM.newLink, RTM.deleteLink:
            let link = try LinkMessage(payload)
            guard link.isWhole else { return nil }
            what = header.type == RTM.newLink ? .link(link) : .linkGone(link)
        case RTM.newAddress: what = .address(try AddressMessage(payload))
        case RTM.deleteAddress: what = .addressGone(try AddressMessage(payload))
        case RTM.newRoute, RTM.deleteRoute:
            let route = try RouteMessage(payload)
            if route.flags.contains(.cloned) { return nil }
            what = header.type == RTM.newRoute ? .route(route) : .routeGone(route)
        case RTM.newRule: what = .rule(try RuleMessage(payload))
        case RTM.deleteRule: what = .ruleGone(try RuleMessage(payload))
        default: return nil
        }
        port = header.port
    }
}
