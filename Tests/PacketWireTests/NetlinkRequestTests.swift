import NetworkTypes
import PacketWire
import Testing

@Suite("netlink: what we ask")
struct NetlinkRequestTests {
    private let veth = InterfaceIndex(rawValue: 3)

    private func bytes(_ write: (inout NetlinkWriter, UInt32) -> Void) -> [UInt8] {
        var datagram = NetlinkWriter()
        write(&datagram, 7)
        return datagram.bytes
    }

    @Test("replacing a route reads as ip(8) writes it")
    func replaceRoute() throws {
        let route = RouteMessage(
            try #require(IPPrefix("0.0.0.0/0")), via: IPAddress("192.0.2.1"), output: veth,
            table: RoutingTable(rawValue: 8700), metric: 1, onLink: true)
        let ours = bytes(RouteRequest.replaceRoute(route).write)
        let theirs = try Parts(NetlinkDumps.replaceRequest, fixed: 12)
        #expect(try Parts(ours, fixed: 12) == theirs)
    }

    @Test("adding a rule reads as ip(8) writes it")
    func addRule() throws {
        var rule = RuleMessage(.v4, priority: RulePriority(rawValue: 8750), lookup: RoutingTable(rawValue: 8702))
        rule.mark = FwMark(value: 0x20000, mask: 0xff0000)
        let ours = bytes(RouteRequest.addRule(rule).write)
        #expect(try Parts(ours, fixed: 12) == Parts(NetlinkDumps.ruleRequest, fixed: 12))
    }

    @Test("a look-up reads as ip(8) writes it")
    func lookup() throws {
        var lookup = RouteLookup(.v4(IPv4Address(8, 8, 8, 8)))
        lookup.mark = 0x10000
        #expect(
            try Parts(bytes(RouteQuery.lookup(lookup).write), fixed: 12)
                == Parts(NetlinkDumps.lookupRequest, fixed: 12))
    }

    @Test("asking for flows by mark reads as conntrack(8) writes it")
    func dumpFlows() throws {
        let ours = bytes(ConntrackRequest.dump(FwMark(value: 0x30000, mask: 0xff0000)).write)
        #expect(try Parts(ours, fixed: 4) == Parts(NetlinkDumps.trackedRequest, fixed: 4))
    }

    @Test("putting a flow into the table reads as conntrack(8) writes it")
    func insertFlow() throws {
        let inside = IPAddress.v4(IPv4Address(10, 0, 0, 6))
        let outside = IPAddress.v4(IPv4Address(8, 8, 8, 8))
        var flow = ConntrackEntry(
            original: .init(
                source: inside, destination: outside, transport: 17, sourcePort: 5060, destinationPort: 53),
            reply: .init(source: outside, destination: inside, transport: 17, sourcePort: 53, destinationPort: 5060))
        flow.mark = 0x10000
        let ours = try Parts(bytes(ConntrackRequest.create(flow, timeoutSeconds: 300).write), fixed: 4)
        var theirs = try Parts(NetlinkDumps.insertRequest, fixed: 4)
        // conntrack(8) leaves an old byte in the padding behind the protocol's number.
        theirs.attributes = Set(theirs.attributes.map { $0.map { $0 == 16 ? 0 : $0 } })
        #expect(ours == theirs)
    }

    /// A request's attributes, one nest opened: `8 = 00010000`, `1.2 = …`.
    private func attributes(_ request: ConntrackRequest) throws -> Set<String> {
        var found: Set<String> = []
        let hex = { (payload: RawSpan) in
            payload.octets.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        }
        try forEachMessage(in: bytes(request.write).span.bytes) { (header, payload) throws(WireError) in
            found.insert(
                "type \(header.type) flags \(header.flags.rawValue) family \(try payload.big(at: 0, as: UInt8.self))")
            try forEachAttribute(in: payload.extracting(droppingFirst: 4)) { (kind, payload) throws(WireError) in
                guard [1, 25].contains(kind) else {
                    found.insert("\(kind) = \(hex(payload))")
                    return
                }
                try forEachAttribute(in: payload) { (inner, payload) throws(WireError) in
                    found.insert("\(kind).\(inner) = \(hex(payload))")
                }
            }
        }
        return found
    }

    @Test("a deletion by protocol carries a filter that kernels without it take for a broken tuple")
    func deleteTransport() throws {
        let mark = FwMark(value: 0x30000, mask: 0xff0000)
        let filter: Set = [
            "type 258 flags 5 family 2", "8 = 00030000", "21 = 00ff0000",
            "1.2 = 0500010011000000",  // CTA_TUPLE_ORIG, CTA_TUPLE_PROTO alone: no CTA_TUPLE_IP
            "25.1 = 08000000",  // CTA_FILTER_ORIG_FLAGS in the host's order (little here)
        ]
        #expect(try attributes(.deleteTransport(mark, transport: 17)) == filter)
        let unanswered = try attributes(.deleteUnanswered(mark, transport: 17))
        #expect(unanswered == filter.union(["3 = 00000000", "26 = 00000002"]))
    }

    @Test("a flow as it was listed is deleted by its tuple, its id and its zone")
    func deleteEntry() throws {
        let listed = try read(NetlinkDumps.tracked) { (_, payload) throws(WireError) in try ConntrackEntry(payload) }
        var flow = try #require(listed.first)
        #expect(flow.id == 0xd25a_e50b && flow.timeout == 0x1d && flow.zone == 0)
        #expect(flow.status == [.seenReply, .confirmed])
        let plain: Set = [
            "type 258 flags 5 family 2", "1.1 = 080001007f000001080002007f000001",
            "1.2 = 05000100110000000600020015b400000600030015b30000", "12 = d25ae50b",
        ]
        #expect(try attributes(.deleteEntry(flow)) == plain)
        flow.zone = 7
        #expect(try attributes(.deleteEntry(flow)) == plain.union(["18 = 0007"]))
    }

    @Test("asking for a generic family reads as genl(8) writes it")
    func genericFamily() throws {
        let ours = try Parts(bytes(GenericNetlinkRequest.family("nlctrl").write), fixed: 4)
        var theirs = try Parts(NetlinkDumps.genericFamilyRequest, fixed: 4)
        theirs.fixed[1] = ours.fixed[1]  // genl(8) leaves the version out
        theirs.flags = ours.flags
        #expect(ours == theirs)
    }

    @Test(
        "what is written is read again",
        arguments: [
            "0.0.0.0/0", "192.0.2.0/24", "203.0.113.9/32", "::/0", "2001:db8::/32",
        ])
    func roundTrip(prefix: String) throws {
        let destination = try #require(IPPrefix(prefix))
        let isV4 = destination.address.family == .v4
        var route = RouteMessage(
            destination, via: IPAddress("fe80::1"), output: veth, table: .main, metric: 9,
            preferredSource: IPAddress(isV4 ? "192.0.2.7" : "2001:db8::7"))
        route.nexthops = [.init(output: veth, gateway: IPAddress(isV4 ? "192.0.2.1" : "2001:db8::1"), weight: 256)]
        route.nexthopID = 5
        let routes = try read(bytes(RouteRequest.addRoute(route).write)) { (_, payload) throws(WireError) in
            try RouteMessage(payload)
        }
        #expect(routes == [route])
        var rule = RuleMessage(destination.address.family, priority: RulePriority(rawValue: 1), lookup: .main)
        rule.source = destination.isDefault ? nil : destination
        rule.input = "lo"
        rule.output = "a-long-ifname15"
        rule.suppressPrefixLength = 0
        rule.isInverted = true
        let rules = try read(bytes(RouteRequest.deleteRule(rule).write)) { (_, payload) throws(WireError) in
            try RuleMessage(payload)
        }
        #expect(rules == [rule])
    }

    @Test("a request says in ip(8)'s words what it wants")
    func words() throws {
        let route = RouteMessage(
            try #require(IPPrefix("0.0.0.0/0")), via: IPAddress("192.0.2.1"), output: veth,
            table: RoutingTable(rawValue: 8700), metric: 2)
        #expect(
            "\(RouteRequest.replaceRoute(route))"
                == "ip route replace default via 192.0.2.1 dev #3 table 8700 proto wanctl metric 2")
        #expect("\(RouteQuery.rules(.v6))" == "ip -6 rule show")
    }
}
