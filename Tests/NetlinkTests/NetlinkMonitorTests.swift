import Netlink
import NetworkTypes
import PacketWire
import TestSupport
import Testing

@Suite("rtnetlink: events", .enabled(if: TestNamespace.isAvailable, "\(TestNamespace.advice)"))
struct NetlinkMonitorTests {
    private let namespace: TestNamespace

    init() throws { namespace = try TestNamespace.withCable() }

    private func monitor() throws -> NetlinkMonitor { try namespace.inside { try NetlinkMonitor() } }

    @Test("our own changes come back under our port, other people's under theirs")
    func ports() throws {
        let monitor = try monitor()
        var requester = try namespace.inside { try NetlinkRequester() }
        let link = try requester.links().first { $0.name == "v0" }
        let route = RouteMessage(
            try #require(IPPrefix("0.0.0.0/0")), via: IPAddress("192.0.2.1"), output: try #require(link).index,
            table: RoutingTable(rawValue: 8700), metric: 1)
        try requester.perform(.addRoute(route))
        try namespace.run("ip", "route", "delete", "default", "table", "8700")
        let events = try monitor.read().filter {
            switch $0.what {
            case .route, .routeGone: true
            default: false
            }
        }
        #expect(events.map(\.what) == [.route(route), .routeGone(route)])
        #expect(events.first?.port == requester.port)
        #expect(events.last?.port != requester.port && events.last?.port != 0)
    }

    @Test("an interface that goes down takes its routes along without a word")
    func silentRoutes() throws {
        let monitor = try monitor()
        try namespace.run("ip", "route", "add", "default", "via", "192.0.2.1", "table", "8700", "proto", "87")
        _ = try monitor.read()
        try namespace.run("ip", "link", "set", "v0", "down")
        var heard: [KernelEvent] = []
        let isDown = try wait(on: monitor.descriptor) {
            heard += try monitor.read()
            return heard.contains {
                if case .link(let link) = $0.what { link.name == "v0" && !link.flags.contains(.up) } else { false }
            } ? true : nil
        }
        #expect(isDown == true)
        #expect(try namespace.run("ip", "route", "show", "table", "all", "proto", "87").isEmpty)
        heard += try monitor.read()
        let gone = heard.filter { if case .routeGone(let route) = $0.what { route.protocol == .wanctl } else { false } }
        #expect(gone.isEmpty)
    }

    @Test("links, addresses and rules are told, also their end")
    func everything() throws {
        let monitor = try monitor()
        try namespace.run(
            lines: """
                ip link add d0 type veth peer name d1
                ip address add 198.51.100.1/32 dev d0
                ip rule add priority 8700 lookup main suppress_prefixlength 0 protocol 87
                ip rule delete priority 8700
                ip address delete 198.51.100.1/32 dev d0
                ip link delete d0
                """)
        var told: [String] = []
        let ended = try wait(on: monitor.descriptor) {
            told += try monitor.read().map { event in
                switch event.what {
                case .link(let link): "link \(link.name)"
                case .linkGone(let link): "no link \(link.name)"
                case .address(let address): "address \(address.local)"
                case .addressGone(let address): "no address \(address.local)"
                case .rule(let rule): "rule \(rule.priority)"
                case .ruleGone(let rule): "no rule \(rule.priority)"
                case .route(let route): "route \(route.destination)"
                case .routeGone(let route): "no route \(route.destination)"
                case .lost: "lost"
                }
            }
            return told.contains("no link d0") ? true : nil
        }
        #expect(ended == true)
        let wanted = [
            "link d0", "address 198.51.100.1", "rule 8700", "no rule 8700", "no address 198.51.100.1", "no link d0",
        ]
        #expect(told.filter(wanted.contains).reduce(into: []) { if $0.last != $1 { $0.append($1) } } == wanted)
    }

    @Test("an interface that comes back has another index")
    func newIndex() throws {
        let monitor = try monitor()
        var indices: [InterfaceIndex] = []
        for _ in 1...2 {
            try namespace.run(lines: "ip tuntap add dev ppp0 mode tun\nip tuntap delete dev ppp0 mode tun")
        }
        let gone = try wait(on: monitor.descriptor) {
            for case .linkGone(let link) in try monitor.read().map(\.what) { indices.append(link.index) }
            return indices.count == 2 ? true : nil
        }
        #expect(gone == true)
        #expect(Set(indices).count == 2)
    }

    @Test("events that did not fit are told as lost, and the monitor goes on")
    func lost() throws {
        let monitor = try monitor()
        var requester = try namespace.inside { try NetlinkRequester() }
        let link = try requester.links().first { $0.name == "v0" }
        let output = try #require(link).index
        let route = RouteMessage(
            try #require(IPPrefix("0.0.0.0/0")), via: IPAddress("192.0.2.1"), output: output,
            table: RoutingTable(rawValue: 8700), metric: 1)
        for _ in 0..<60 {
            _ = try requester.perform((0..<256).map { $0 % 2 == 0 ? .addRoute(route) : .deleteRoute(route) })
        }
        var events: [KernelEvent] = []
        var count = -1
        while count != events.count {
            count = events.count
            events += try monitor.read()
        }
        let losses = events.filter { if case .lost = $0.what { true } else { false } }
        #expect(!losses.isEmpty)
        try requester.perform(.addRoute(route))
        let after = try monitor.read()
        #expect(after == [KernelEvent(.route(route), port: requester.port)])
    }
}
