import Netlink
import NetworkTypes
import PacketWire
import TestSupport
import Testing
import WANDaemon

@Suite(
    "what of the kernel is none of our business",
    .enabled(if: TestNamespace.isAvailable, Comment(rawValue: TestNamespace.advice)))
struct KernelNoiseTests {
    private let namespace: TestNamespace

    init() throws { namespace = try TestNamespace.withCable() }

    /// Ours, and others' that concern us; `far` of them that do not.
    private func addRoutes(far: Int) throws {
        var lines = ["route add default via 192.0.2.1 metric 7", "route add 198.51.100.7/32 via 192.0.2.1 proto 87"]
        lines += ["route add 198.51.100.8/32 via 192.0.2.1 table 8703", "route add default via 192.0.2.1 table 100"]
        lines += (0..<far).map { "route add 10.\($0 >> 8).\($0 & 255).0/24 via 192.0.2.1 proto bgp" }
        lines += (0..<far).map { "route add 10.\($0 >> 8).\($0 & 255).0/24 via 192.0.2.1 table 5000" }
        try namespace.run(lines: lines.map { "ip \($0)" }.joined(separator: "\n"))
    }

    @Test("routes: defaults, ours and what stands in our tables; the rest is neither read nor heard")
    func routes() throws {
        let monitor = try namespace.inside { try NetlinkMonitor(filter: KernelNoise.routesOfOthers) }
        try addRoutes(far: 300)
        let heard = try monitor.read().compactMap { event -> String? in
            if case .route(let route) = event.what { "\(route.destination) \(route.table.rawValue)" } else { nil }
        }
        let wanted = ["0.0.0.0/0 254", "198.51.100.7/32 254", "198.51.100.8/32 8703", "0.0.0.0/0 100"]
        #expect(heard == wanted)
        var requester = try namespace.inside { try NetlinkRequester() }
        let read = try requester.routes(.v4, where: KernelNoise.concerns)
        #expect(Set(read.map { "\($0.destination) \($0.table.rawValue)" }) == Set(wanted))
        #expect(try requester.routes(.v4).count > 600)
        // What goes is heard as what comes, and links are heard as ever.
        try namespace.run(
            lines: """
                ip route del 198.51.100.7/32 via 192.0.2.1 proto 87
                ip route del 10.0.7.0/24 table 5000
                ip link set v0 down
                """)
        let gone = try monitor.read().compactMap { event -> String? in
            switch event.what {
            case .routeGone(let route): "\(route.destination)"
            case .link(let link): link.name
            default: nil
            }
        }
        #expect(gone.filter { $0 != "v1" } == ["198.51.100.7/32", "v0"], "\(gone)")
    }

    @Test("elements of other tables' sets are not heard, those of ours are")
    func elements() throws {
        let monitor = try namespace.inside { try NftablesMonitor(filter: KernelNoise.elementsOfOthers) }
        try namespace.run(
            lines: """
                nft add table inet wanctl
                nft add set inet wanctl s { type ipv4_addr; }
                nft add table inet wanctl2
                nft add set inet wanctl2 s { type ipv4_addr; }
                """)
        _ = try monitor.read()
        try namespace.run(
            lines: """
                nft add element inet wanctl2 s { 192.0.2.1 }
                nft delete element inet wanctl2 s { 192.0.2.1 }
                nft add element inet wanctl s { 192.0.2.2 }
                nft delete element inet wanctl s { 192.0.2.2 }
                nft add table ip wanctl
                nft delete table inet wanctl2
                """)
        let heard = try monitor.read().compactMap { event -> String? in
            switch event.what {
            case .changed(let table, let message): "\(table) \(message)"
            case .tableMade(let table): "\(table) made"
            case .tableGone(let table): "\(table) gone"
            case .committed, .lost: nil
            }
        }
        // NFT_MSG_NEWSETELEM, NFT_MSG_DELSETELEM; and a set goes with its table.
        #expect(
            heard == ["inet wanctl 12", "inet wanctl 14", "ip wanctl made", "inet wanctl2 11", "inet wanctl2 gone"],
            "\(heard)")
    }

    @Test("a table's census: another rule is another number, another element is not")
    func census() throws {
        let table = NftablesEvent.Table.inet("wanctl")
        try namespace.run(
            lines: """
                nft add table inet wanctl
                nft add chain inet wanctl c
                nft add rule inet wanctl c accept
                nft add rule inet wanctl c drop
                nft add set inet wanctl s { type ipv4_addr; }
                """)
        var socket = try namespace.inside { try NftablesSocket() }
        let before = try socket.census(table)
        try namespace.run("nft", "add element inet wanctl s { 192.0.2.1 }")
        #expect(try socket.census(table) == before)
        try namespace.run("nft", "flush chain inet wanctl c")
        #expect(try socket.census(table) != before)
        try namespace.run(
            lines: """
                nft add rule inet wanctl c accept
                nft add rule inet wanctl c drop
                """)
        #expect(try socket.census(table) != before, "the same words, but another's")
    }
}
