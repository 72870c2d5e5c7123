import Glibc
import Netlink
import NetworkTypes
import PacketWire
import TestSupport
import Testing

@Suite("rtnetlink: questions and changes", .enabled(if: TestNamespace.isAvailable, "\(TestNamespace.advice)"))
struct NetlinkRequesterTests {
    private let namespace: TestNamespace
    private let everywhere: IPPrefix
    private let table = RoutingTable(rawValue: 8700)

    init() throws {
        namespace = try TestNamespace.withCable()
        everywhere = try #require(IPPrefix("0.0.0.0/0"))
    }

    private func requester() throws -> NetlinkRequester { try namespace.inside { try NetlinkRequester() } }

    private func routes(_ count: Int, over output: InterfaceIndex) throws -> [RouteMessage] {
        try (0..<count).map { number in
            RouteMessage(
                try #require(IPPrefix(.v4(IPv4Address(10, UInt8(number >> 8), UInt8(number & 255), 0)), length: 24)),
                via: IPAddress("192.0.2.1"), output: output, table: table, metric: 1)
        }
    }

    private func veth(_ requester: inout NetlinkRequester) throws -> InterfaceIndex {
        let link = try requester.links().first { $0.name == "v0" }
        return try #require(link).index
    }

    @Test("links, addresses and rules are found as ip(8) finds them")
    func finds() throws {
        var requester = try self.requester()
        let links = try requester.links()
        #expect(links.map(\.name).sorted() == ["lo", "v0", "v1"])
        let addresses = try requester.addresses(.v4)
        #expect(addresses.map(\.local.description).sorted() == ["127.0.0.1", "192.0.2.2"])
        let rules = try requester.rules(.v4)
        #expect(rules.map(\.priority.rawValue) == [0, 32766, 32767])
    }

    @Test("an interface that is not there is no error")
    func absentLink() throws {
        var requester = try self.requester()
        #expect(try requester.link(InterfaceIndex(rawValue: 4711)) == nil)
    }

    @Test("a route is added, replaced and deleted; what is already so is told")
    func routeLife() throws {
        var requester = try self.requester()
        let veth = try veth(&requester)
        let first = RouteMessage(everywhere, via: IPAddress("192.0.2.1"), output: veth, table: table, metric: 1)
        let second = RouteMessage(everywhere, via: IPAddress("192.0.2.9"), output: veth, table: table, metric: 1)
        let outcomes = try requester.perform([
            .addRoute(first), .addRoute(first), .replaceRoute(second), .replaceRoute(second),
        ])
        #expect(outcomes == [.done, .alreadySo, .done, .done])
        let found = try requester.routes(.v4, table: table)
        #expect(found == [second])
        #expect(
            try namespace.run("ip", "route", "show", "table", "8700")
                == "default via 192.0.2.9 dev v0 proto 87 metric 1 \n")
        let deletions = try requester.perform([.deleteRoute(first), .deleteRoute(second), .deleteRoute(second)])
        #expect(deletions == [.alreadySo, .done, .alreadySo])
        let left = try requester.routes(.v4, table: table)
        #expect(left.isEmpty)
    }

    @Test("a route is deleted by table, metric and protocol; its neighbours stay")
    func exactDelete() throws {
        var requester = try self.requester()
        let veth = try veth(&requester)
        let ours = RouteMessage(everywhere, via: IPAddress("192.0.2.1"), output: veth, table: .main, metric: 5)
        try namespace.run(
            lines: """
                ip route add default via 192.0.2.1 dev v0 metric 4 proto 87
                ip route add default via 192.0.2.1 dev v0 metric 5 proto static
                ip route add default via 192.0.2.1 dev v0 metric 6 proto 87
                ip route add default via 192.0.2.1 dev v0 metric 5 proto 87 table 8701
                """)
        let outcome = try requester.perform([.deleteRoute(ours)])
        #expect(outcome == [.alreadySo])
        let left = try requester.routes(.v4).filter { $0.destination.isDefault }
        #expect(left.count == 4)
    }

    @Test("routes can be asked for by table and by maker")
    func filteredRoutes() throws {
        var requester = try self.requester()
        try namespace.run(
            lines: """
                ip route add 10.0.0.0/8 via 192.0.2.1 proto 87
                ip route add 10.0.0.0/8 via 192.0.2.1 proto 87 table 8701
                ip route add 10.1.0.0/16 via 192.0.2.1 table 8701
                """)
        let ours = try requester.routes(.v4, protocol: .wanctl)
        #expect(Set(ours.map(\.table)) == [.main, RoutingTable(rawValue: 8701)])
        let inTable = try requester.routes(.v4, table: RoutingTable(rawValue: 8701))
        #expect(inTable.map(\.destination.description).sorted() == ["10.0.0.0/8", "10.1.0.0/16"])
        let nowhere = try requester.routes(.v4, table: RoutingTable(rawValue: 4711))
        let nowhere6 = try requester.routes(.v6, table: RoutingTable(rawValue: 4711))
        #expect(nowhere.isEmpty && nowhere6.isEmpty)
    }

    @Test("a refusal says what was asked, and why not, in the kernel's words; the others of the batch are carried out")
    func refusal() throws {
        var requester = try self.requester()
        let veth = try veth(&requester)
        let bad = RouteMessage(everywhere, via: IPAddress("203.0.113.1"), output: veth, table: table, metric: 1)
        let good = RouteMessage(everywhere, via: IPAddress("192.0.2.1"), output: veth, table: table, metric: 2)
        let outcomes = try requester.perform([.replaceRoute(bad), .replaceRoute(good)])
        #expect(outcomes.last == .done)
        let error = try #require(outcomes.first?.error)
        #expect(error.errno == ENETUNREACH)
        #expect(error.sentence == "Nexthop has invalid gateway")
        #expect(error.operation.hasPrefix("ip route replace default via 203.0.113.1 dev #"))
        #expect(throws: NetlinkError.self) {
            var another = try self.requester()
            try another.perform(.addRoute(bad))
        }
    }

    @Test("a rule is added once and deleted once")
    func ruleLife() throws {
        var requester = try self.requester()
        var rule = RuleMessage(.v4, priority: RulePriority(rawValue: 8710), lookup: RoutingTable(rawValue: 8701))
        rule.mark = FwMark(value: 0x10000, mask: 0xff0000)
        var bound = RuleMessage(.v4, priority: RulePriority(rawValue: 8720), lookup: RoutingTable(rawValue: 8701))
        bound.output = "v0"
        var main = RuleMessage(.v4, priority: RulePriority(rawValue: 8700), lookup: .main)
        main.suppressPrefixLength = 0
        let added = try requester.perform([.addRule(rule), .addRule(rule), .addRule(bound), .addRule(main)])
        #expect(added == [.done, .alreadySo, .done, .done])
        let found = try requester.rules(.v4).filter { $0.protocol == .wanctl }
        #expect(found == [main, rule, bound])
        let deleted = try requester.perform([.deleteRule(rule), .deleteRule(rule)])
        #expect(deleted == [.done, .alreadySo])
    }

    @Test(
        "a rule that forbids is added, found as it was asked for, obeyed, and deleted",
        arguments: AddressFamily.allCases)
    func prohibit(family: AddressFamily) throws {
        var requester = try namespace.inside { try NetlinkRequester() }
        var rule = RuleMessage(
            family, priority: RulePriority(rawValue: 8764), lookup: RoutingTable(rawValue: 0))
        rule.action = .prohibit
        rule.mark = FwMark(value: 0x80_0000, mask: 0x80_0000)
        let added = try requester.perform([.addRule(rule), .addRule(rule)])
        #expect(added == [.done, .alreadySo])
        let found = try requester.rules(family).filter { $0.protocol == .wanctl }
        #expect(found == [rule])
        let words = family == .v4 ? ["ip", "rule"] : ["ip", "-6", "rule"]
        let listed = try namespace.inside { try Command.run(words) }
        #expect(listed.contains("8764:\tfrom all fwmark 0x800000/0x800000 prohibit proto"))
        if family == .v4 {
            var question = RouteLookup(.v4(IPv4Address(192, 0, 2, 7)))
            question.mark = 0x83_0000
            var refused: NetlinkError?
            do throws(NetlinkError) { _ = try requester.lookup(question) } catch { refused = error }
            #expect(refused?.errno == EACCES)
        }
        let deleted = try requester.perform([.deleteRule(rule), .deleteRule(rule)])
        #expect(deleted == [.done, .alreadySo])
    }

    @Test("rules and routes of IPv6")
    func ipv6() throws {
        var requester = try self.requester()
        let veth = try veth(&requester)
        try namespace.run(lines: "ip -6 address add 2001:db8::2/64 dev v0 nodad")
        let route = RouteMessage(
            try #require(IPPrefix("::/0")), via: IPAddress("2001:db8::1"), output: veth, table: table, metric: 1)
        var rule = RuleMessage(.v6, priority: RulePriority(rawValue: 8730), lookup: table)
        rule.source = IPPrefix("2001:db8::/64")
        let outcomes = try requester.perform([
            .addRoute(route), .replaceRoute(route), .addRule(rule), .addRule(rule),
        ])
        #expect(outcomes == [.done, .done, .done, .alreadySo])
        let routes = try requester.routes(.v6, table: table)
        #expect(routes == [route])
        let rules = try requester.rules(.v6).filter { $0.protocol == .wanctl }
        #expect(rules == [rule])
        let deleted = try requester.perform([.deleteRoute(route), .deleteRoute(route), .deleteRule(rule)])
        #expect(deleted == [.done, .alreadySo, .done])
    }

    @Test("the kernel's own look-up obeys mark and table")
    func lookup() throws {
        var requester = try self.requester()
        let veth = try veth(&requester)
        let route = RouteMessage(everywhere, via: IPAddress("192.0.2.1"), output: veth, table: table, metric: 3)
        var rule = RuleMessage(.v4, priority: RulePriority(rawValue: 8710), lookup: table)
        rule.mark = FwMark(value: 0x10000, mask: 0xff0000)
        _ = try requester.perform([.addRoute(route), .addRule(rule)])
        var question = RouteLookup(.v4(IPv4Address(8, 8, 8, 8)))
        #expect(throws: NetlinkError.self) {
            var another = try self.requester()
            _ = try another.lookup(RouteLookup(.v4(IPv4Address(8, 8, 8, 8))))
        }
        question.mark = 0x10000
        let answer = try requester.lookup(question)
        #expect(answer.output == veth && answer.table == table && answer.gateway == IPAddress("192.0.2.1"))
        question.wantsEntry = true
        let entry = try requester.lookup(question)
        #expect(entry.destination.isDefault && entry.metric == 3 && entry.protocol == .wanctl)
    }

    @Test("a thousand routes go in, come out and go away")
    func many() throws {
        var requester = try self.requester()
        let veth = try veth(&requester)
        let routes = try routes(1000, over: veth)
        let added = try requester.perform(routes.map { .addRoute($0) })
        #expect(added == [NetlinkOutcome](repeating: .done, count: 1000))
        let found = try requester.routes(.v4, table: table)
        #expect(found == routes)
        let deleted = try requester.perform(routes.map { .deleteRoute($0) })
        #expect(deleted == [NetlinkOutcome](repeating: .done, count: 1000))
    }

    @Test("what another process sends to our socket is dropped")
    func foreignSender() throws {
        var requester = try self.requester()
        let forger = try namespace.inside { socket(AF_NETLINK, Int32(SOCK_RAW.rawValue), 0) }
        defer { close(forger) }
        var target = NetlinkWriter()  // struct sockaddr_nl
        target.append(native: UInt32(AF_NETLINK))
        target.append(native: requester.port)
        target.append(native: 0 as UInt32)
        var forged = NetlinkWriter()
        forged.message(type: 2, flags: [], sequence: 0) { $0.append(octets: [UInt8](repeating: 0xff, count: 20)) }
        let address = target.bytes
        let message = forged.bytes
        for _ in 0..<10 {
            let sent = address.withUnsafeBytes { bytes in
                bytes.withMemoryRebound(to: sockaddr.self) {
                    sendto(forger, message, message.count, 0, $0.baseAddress, socklen_t(address.count))
                }
            }
            #expect(sent == message.count)
        }
        let links = try requester.links()
        #expect(links.count == 3)
    }

    /// Addresses, because Linux marks their dumps as interrupted (NLM_F_DUMP_INTR); it does not mark those of rules and
    /// of IPv4 routes.
    @Test("a dump is whole, or refused, while somebody else changes the table")
    func interruptedDumps() async throws {
        let ours = (0..<1500).map { "10.9.\($0 >> 8).\($0 & 255)" }
        try namespace.run("ip", "-batch", "-", input: ours.map { "address add \($0)/32 dev v1\n" }.joined())
        let namespace = namespace
        // Another process keeps changing the addresses in front of them meanwhile.
        let disturbance = Task.detached { () throws -> Void in
            let change = "address add 10.8.0.1/32 dev v0\naddress delete 10.8.0.1/32 dev v0\n"
            try namespace.run("ip", "-batch", "-", input: String(repeating: change, count: 3000))
        }
        var requester = try self.requester()
        for _ in 0..<60 {
            do {
                let found = try requester.addresses(.v4).map(\.local.description).filter { $0.hasPrefix("10.9.") }
                #expect(found.count == 1500 && Set(found).count == 1500)
            } catch {
                #expect(error.errno == EAGAIN)
            }
        }
        try await disturbance.value
        let calm = try requester.addresses(.v4)
        #expect(calm.count == 1502)
    }
}
