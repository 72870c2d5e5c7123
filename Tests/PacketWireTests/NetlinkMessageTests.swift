import NetworkTypes
import PacketWire
import Testing

@Suite("netlink: what the kernel says")
struct NetlinkMessageTests {
    private let ppp = InterfaceIndex(rawValue: 4)
    private let veth = InterfaceIndex(rawValue: 3)
    private let everywhere = IPPrefix("0.0.0.0/0")

    @Test("a veth link is read whole, with its counters")
    func vethLink() throws {
        let links = try read(NetlinkDumps.vethLink) { (_, payload) throws(WireError) in try LinkMessage(payload) }
        let link = try #require(links.first)
        #expect(link.index == veth)
        #expect(link.name == "v0")
        #expect(link.flags.isSuperset(of: [.up, .running, .lowerUp]))
        #expect(link.flags.isDisjoint(with: [.loopback, .pointToPoint, .noARP]))
        #expect(link.operState == .up)
        #expect(link.hasCarrier == true)
        #expect(link.isWhole)
        let counters = try #require(link.counters)
        #expect(counters.receivedPackets > 0 && counters.receivedBytes >= 60 * counters.receivedPackets)
    }

    @Test("a tun device nobody holds is up without a carrier")
    func tunLink() throws {
        let links = try read(NetlinkDumps.tunLink) { (_, payload) throws(WireError) in try LinkMessage(payload) }
        let link = try #require(links.first)
        #expect(link.name == "ppp0")
        #expect(link.flags.isSuperset(of: [.up, .pointToPoint, .noARP]))
        #expect(!link.flags.contains(.lowerUp))
        #expect(link.operState == .down)
        #expect(link.hasCarrier == false)
    }

    @Test("a point-to-point address has a local and a peer, a plain one only a local")
    func addresses4() throws {
        let found = try read(NetlinkDumps.addresses4) { (_, payload) throws(WireError) in try AddressMessage(payload) }
        let addresses = found.filter { $0.interface != InterfaceIndex(rawValue: 1) }
        #expect(addresses.map(\.local.description) == ["192.0.2.2", "198.51.100.10"])
        #expect(addresses.map(\.prefixLength) == [24, 32])
        #expect(addresses.map(\.interface) == [veth, ppp])
        #expect(addresses.allSatisfy { $0.flags == .permanent })
    }

    @Test("an IPv6 address keeps the flags that do not fit the header")
    func addresses6() throws {
        let found = try read(NetlinkDumps.addresses6) { (_, payload) throws(WireError) in try AddressMessage(payload) }
        #expect(found.map(\.local.description) == ["2001:db8::2", "fe80::ff:fe00:1"])
        #expect(found.map(\.prefixLength) == [64, 64])
        #expect(found.allSatisfy { $0.flags.contains(.permanent) })
    }

    @Test("routes of a table above 255, of either family, with and without a gateway")
    func routes() throws {
        func routes(_ datagram: [UInt8]) throws -> [RouteMessage] {
            try read(datagram) { (_, payload) throws(WireError) in try RouteMessage(payload) }
        }
        let everywhere = try #require(everywhere)
        #expect(
            try routes(NetlinkDumps.route) == [
                RouteMessage(
                    everywhere, via: IPAddress("192.0.2.1"), output: veth, table: RoutingTable(rawValue: 8701),
                    metric: 10)
            ])
        var overPPP = RouteMessage(
            everywhere, output: ppp, table: RoutingTable(rawValue: 8702), metric: 10,
            preferredSource: IPAddress("198.51.100.10"))
        overPPP.flags = .linkDown
        #expect(try routes(NetlinkDumps.pppRoute) == [overPPP])
        #expect(
            try routes(NetlinkDumps.route6) == [
                RouteMessage(
                    try #require(IPPrefix("::/0")), via: IPAddress("2001:db8::1"), output: veth,
                    table: RoutingTable(rawValue: 8701), metric: 10)
            ])
    }

    @Test("a route with several ways out has each with its weight")
    func multipath() throws {
        let routes = try read(NetlinkDumps.multipathRoutes) { (_, payload) throws(WireError) in
            try RouteMessage(payload)
        }
        let route = try #require(routes.last { !$0.nexthops.isEmpty })
        #expect(route.destination == IPPrefix("203.0.113.0/24"))
        #expect(
            route.nexthops == [
                RouteMessage.Nexthop(output: veth, gateway: IPAddress("192.0.2.1"), weight: 3),
                RouteMessage.Nexthop(output: ppp, gateway: nil, weight: 1, flags: .linkDown),
            ])
        #expect(route.gateway == nil && route.output == nil)
        #expect(route.metric == 5 && route.protocol == .wanctl && route.table == .main)
    }

    @Test("rules are read as ip(8) shows them, and what is not understood is remembered")
    func rules() throws {
        let rules = try read(NetlinkDumps.rules) { (_, payload) throws(WireError) in try RuleMessage(payload) }
        #expect(
            rules.map(\.description) == [
                "0: from all lookup 255 proto 2",
                "8700: from all lookup main suppress_prefixlength 0 proto wanctl",
                "8710: from all fwmark 0x10000/0xff0000 lookup 8701 proto wanctl",
                "8720: from all oif ppp0 lookup 8702 proto wanctl",
                "8730: from 198.51.100.10/32 lookup 8702 proto wanctl",
                "8740: not from 10.0.0.0/8 to 10.1.0.0/16 iif v0 lookup 8701 (and attributes [24, 29, 22]) proto 0",
                "32766: from all lookup main proto 2", "32767: from all lookup 253 proto 2",
            ])
        #expect(rules.dropFirst(5).first?.unread == [24, 29, 22])  // FRA_DPORT_RANGE, FRA_DPORT_MASK, FRA_IP_PROTO
        var wanted = RuleMessage(
            .v4, priority: RulePriority(rawValue: 8710), lookup: RoutingTable(rawValue: 8701))
        wanted.mark = FwMark(value: 0x10000, mask: 0xff0000)
        #expect(rules.dropFirst(2).first == wanted)
    }

    @Test("an acknowledgement is a verdict without a complaint")
    func acknowledged() throws {
        #expect(try controls(NetlinkDumps.acknowledgement) == [.answered(NetlinkVerdict(errno: 0))])
    }

    @Test("a refusal comes with the kernel's sentence and the position of the fault")
    func refused() throws {
        #expect(
            try controls(NetlinkDumps.refusedGateway) == [
                .answered(NetlinkVerdict(errno: 101, sentence: "Nexthop has invalid gateway"))
            ])
        #expect(try controls(NetlinkDumps.refusedTwice) == [.answered(NetlinkVerdict(errno: 17))])
    }

    @Test("the end of a dump is a verdict, too")
    func done() throws {
        #expect(try controls(NetlinkDumps.addresses6) == [.done(NetlinkVerdict(errno: 0))])
    }

    @Test("the kernel's own look-up names table and way")
    func lookup() throws {
        let routes = try read(NetlinkDumps.lookupAnswer) { (_, payload) throws(WireError) in try RouteMessage(payload) }
        let route = try #require(routes.first)
        #expect(route.destination == IPPrefix("8.8.8.8/32"))
        #expect(route.table == RoutingTable(rawValue: 8701))
        #expect(route.output == veth && route.gateway == IPAddress("192.0.2.1"))
        #expect(route.preferredSource == IPAddress("192.0.2.2"))
        #expect(route.flags.contains(.cloned))
    }
}
