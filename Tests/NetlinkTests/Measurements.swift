import Glibc
import LinuxIO
import Netlink
import NetworkTypes
import PacketWire
import TestSupport
import Testing

/// Figures for ARCHITECTURE.md: `WANCTL_MEASURE=1 swift test -c release --no-parallel --filter Measurements`.
@Suite(
    "figures", .serialized,
    .enabled(if: TestNamespace.isAvailable && getenv("WANCTL_MEASURE") != nil, "set WANCTL_MEASURE=1 as root"))
struct Measurements {
    private let namespace: TestNamespace
    private let everywhere: IPPrefix
    private let table = RoutingTable(rawValue: 8700)

    init() throws {
        namespace = try TestNamespace.make()
        everywhere = try #require(IPPrefix("0.0.0.0/0"))
        try namespace.run(
            lines: """
                ip link add v0 type veth peer name v1
                ip address add 192.0.2.2/24 dev v0
                ip link set v0 up
                ip link set v1 up
                """)
    }

    private func measure(_ what: String, rounds: Int, _ body: () throws -> Void) rethrows {
        var times: [Int64] = []
        for _ in 0..<rounds {
            let start = Clock.boottime()
            try body()
            times.append(Clock.boottime() - start)
        }
        times.sort()
        let microseconds = { (share: Double) in Double(times[Int(Double(rounds - 1) * share)]) / 1000 }
        print("FIGURE \(what): p50 \(microseconds(0.5)) us, p99 \(microseconds(0.99)) us, n \(rounds)")
    }

    @Test("routes, rules and links")
    func rtnetlink() throws {
        var requester = try namespace.inside { try NetlinkRequester() }
        let link = try requester.link(named: "v0")
        let veth = try #require(link).index
        let first = RouteMessage(everywhere, via: IPAddress("192.0.2.1"), output: veth, table: table, metric: 1)
        let second = RouteMessage(everywhere, via: IPAddress("192.0.2.9"), output: veth, table: table, metric: 1)
        var turn = false
        try measure("default route replaced", rounds: 10000) {
            turn.toggle()
            try requester.perform(.replaceRoute(turn ? first : second))
        }
        let ladder = (1...64).map { metric in
            RouteMessage(
                everywhere, via: IPAddress("192.0.2.1"), output: veth, table: table, metric: UInt32(metric))
        }
        try measure("64 routes replaced in one batch", rounds: 1000) {
            _ = try requester.perform(ladder.map { .replaceRoute($0) })
        }
        try measure("one link with counters", rounds: 10000) { _ = try requester.link(veth) }
        var question = RouteLookup(.v4(IPv4Address(8, 8, 8, 8)))
        question.output = veth
        question.source = IPAddress("192.0.2.2")
        let loopback = RouteLookup(.v4(IPv4Address(192, 0, 2, 7)))
        try measure("route look-up", rounds: 10000) { _ = try requester.lookup(loopback) }
        let routes = try (0..<1000).map { number in
            RouteMessage(
                try #require(IPPrefix(.v4(IPv4Address(10, UInt8(number >> 8), UInt8(number & 255), 0)), length: 24)),
                via: IPAddress("192.0.2.1"), output: veth, table: RoutingTable(rawValue: 8701), metric: 1)
        }
        try measure("1000 routes added in batches", rounds: 1) {
            _ = try requester.perform(routes.map { .addRoute($0) })
        }
        try measure("dump of 1000 routes, read", rounds: 500) {
            let found = try requester.routes(.v4, table: RoutingTable(rawValue: 8701))
            #expect(found.count == 1000)
        }
        let rules = (0..<1000).map { number in
            var rule = RuleMessage(.v4, priority: RulePriority(rawValue: 8700 + UInt32(number % 300)), lookup: table)
            rule.mark = FwMark(value: UInt32(number) << 16, mask: .max)
            return rule
        }
        try measure("1000 rules added in batches", rounds: 1) {
            _ = try requester.perform(rules.map { .addRule($0) })
        }
        try measure("dump of 1000 rules, read", rounds: 500) { _ = try requester.rules(.v4) }
    }

    @Test("conntrack", arguments: [1000, 50_000])
    func conntrack(flows: Int) throws {
        var conntrack = try namespace.inside { try ConntrackSocket() }
        let first = FwMark(value: 0x1_0000, mask: 0xff_0000)
        let second = FwMark(value: 0x2_0000, mask: 0xff_0000)
        for _ in 0..<3 {
            // Nine in ten are on the uplink that is left; the others must stay.
            for number in 0..<flows {
                try conntrack.create(
                    flow(number, mark: number % 10 == 0 ? second.value : first.value), timeoutSeconds: 600)
            }
            var count = 0
            try measure("\(flows) flows: count by mark", rounds: 1) { count = try conntrack.count(mark: first) }
            #expect(count == flows * 9 / 10)
            try measure("\(flows) flows: count of a rare mark", rounds: 1) {
                _ = try conntrack.count(mark: FwMark(value: 0x3_0000, mask: 0xff_0000))
            }
            try measure("\(flows) flows: read by mark", rounds: 1) { _ = try conntrack.entries(mark: first) }
            try measure("\(flows) flows: delete by mark", rounds: 1) { _ = try conntrack.delete(mark: first) }
            try measure("total of flows", rounds: 100) { _ = try conntrack.total() }
            let left = try conntrack.count(mark: first)
            let others = try conntrack.count(mark: second)
            #expect(left == 0 && others == flows / 10)
            try conntrack.delete(mark: second)
        }
    }
}
