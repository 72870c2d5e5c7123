import Glibc
import LinuxIO
import Netlink
import NetworkTypes
import PacketWire
import TestSupport
import Testing

/// Figures for BENCHMARKS.md: `WANCTL_MEASURE=1 swift test -c release --no-parallel --filter Measurements`.
@Suite(
    "figures", .serialized,
    .enabled(if: TestNamespace.isAvailable && getenv("WANCTL_MEASURE") != nil, "set WANCTL_MEASURE=1 as root"))
struct Measurements {
    private let namespace: TestNamespace
    private let everywhere: IPPrefix
    private let table = RoutingTable(rawValue: 8700)

    init() throws {
        namespace = try TestNamespace.withCable()
        everywhere = try #require(IPPrefix("0.0.0.0/0"))
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
        let link = try requester.links().first { $0.name == "v0" }
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
            // What a switch of UDP flows costs, and a dump and single deletions as before Linux 6.11.
            for isFiltered in [true, false] {
                var other = try namespace.inside { try ConntrackSocket(filtersDeletions: isFiltered) }
                for number in 0..<flows where number % 10 != 0 {
                    try conntrack.create(flow(number, mark: first.value), timeoutSeconds: 600)
                }
                try measure("\(flows) flows: delete movable, \(isFiltered ? "filter" : "one by one")", rounds: 1) {
                    _ = try other.deleteMovable(mark: first)
                }
            }
            let left = try conntrack.count(mark: first)
            let others = try conntrack.count(mark: second)
            #expect(left == 0 && others == flows / 10)
            try conntrack.delete(mark: second)
        }
    }

    @Test("elements of nftables maps", arguments: [1, 64, 256, 1000])
    func elements(count: Int) throws {
        try namespace.run(
            "nft", "-f", "-",
            input: """
                table inet wanctl {
                    map buckets { typeof numgen inc mod 65536 : verdict; }
                    set torn { type ipv4_addr . inet_service . ipv4_addr . inet_service; flags timeout; timeout 30s; }
                    counter c1 { }
                    chain to_1 { }
                    chain to_2 { }
                    chain c { numgen inc mod 65536 vmap @buckets; }
                }
                """)
        var nft = try namespace.inside { try NftablesSocket() }
        let table = NftablesEvent.Table.inet("wanctl")
        let all = { (chain: String) in
            (0..<UInt32(count)).map { NftablesElement(.init(.integer($0)), .verdict(.goTo(chain))) }
        }
        let sides = [all("to_1"), all("to_2")]
        try nft.perform([.add(set: "buckets", sides[0])], in: table)
        var turn = 0
        let rounds = count == 1 ? 10_000 : 1000
        try measure("\(count) elements of a verdict map replaced", rounds: rounds) {
            turn ^= 1
            try nft.perform(NftablesChange.replace(set: "buckets", sides[turn]), in: table)
        }
        let torn = (0..<UInt32(count)).map { number in
            NftablesElement(
                .init(
                    .address(IPv4Address(bits: 0x0a00_0000 + number)), .port(40000), .address(IPv4Address(8, 8, 8, 8)),
                    .port(443)))
        }
        try measure("\(count) tuples with a timeout added and flushed", rounds: min(rounds, 500)) {
            try nft.perform([.add(set: "torn", torn)], in: table)
            try nft.perform([.flush(set: "torn")], in: table)
        }
        try measure("named counters of a table with one", rounds: 1000) { _ = try nft.counters(table) }
        try measure("flowtables where there are none", rounds: 1000) { _ = try nft.flowtables() }
    }

    @Test("sockets of an address, and nudges")
    func socketsAndNudges() throws {
        try namespace.run("ip", "address", "add", "203.0.113.1/32", "dev", "lo")
        try namespace.inside {
            var diag = try SocketDiag()
            let address = IPv4Address(192, 0, 2, 2)
            try measure("look for sockets of an address, none there", rounds: 1000) {
                _ = try diag.connected(source: address)
            }
            var descriptors: [Int32] = []
            defer { for descriptor in descriptors { close(descriptor) } }
            for _ in 0..<500 {
                let udp = try InetSocket(SOCK_DGRAM)
                try udp.bind("192.0.2.2")
                try udp.connect("203.0.113.1", 9)
                descriptors.append(dup(udp.descriptor.raw))
            }
            try measure("500 UDP sockets closed", rounds: 1) {
                let closed = try diag.close(source: address)
                #expect(closed == 500)
            }
            let raw = try RawIPv4Socket(mark: 0xff_0000)
            let nudges = (1...1000 as ClosedRange<UInt16>).map { number in
                TCPNudge(
                    source: IPv4Address(8, 8, 8, 8), sourcePort: 443, destination: IPv4Address(192, 0, 2, 2),
                    destinationPort: number)
            }
            measure("1000 nudges sent", rounds: 100) {
                let outcome = raw.send(nudges, to: \.destination.bits) { $0.write(into: &$1) }
                #expect(outcome.sent == 1000)
            }
        }
    }
}
