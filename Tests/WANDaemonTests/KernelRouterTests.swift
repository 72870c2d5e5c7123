import LinuxIO
import NetworkTypes
import TestSupport
import Testing
import WANDaemon
import WANDataplane
import WANModel

/// Routes, rules and the table in a kernel of the test's own.
@Suite(
    "the router and a real kernel", .enabled(if: TestNamespace.isAvailable, Comment(rawValue: TestNamespace.advice)))
struct KernelRouterTests {
    private let namespace: TestNamespace
    private let uplinks: [(number: UplinkNumber, settings: Uplink)] = [
        (UplinkNumber(rawValue: 1), Uplink(name: "ftth", interface: "up1")),
        (UplinkNumber(rawValue: 2), Uplink(name: "jcom", interface: "up2")),
    ]

    /// What the closures of one router share.
    private final class Wish {
        var ladder: [UplinkNumber] = []
        var gone: UplinkNumber?
        /// What stands in the table `selected` each time that the nft table's maps were to be changed.
        var seen: [String] = []
    }

    init() throws {
        namespace = try TestNamespace.make()
        try namespace.run(
            lines: """
                ip link add up1 type veth peer name far1
                ip link add up2 type veth peer name far2
                ip link set far1 up
                ip link set far2 up
                ip link set up1 up
                ip link set up2 up
                ip addr add 198.51.100.2/24 dev up1
                ip addr add 203.0.113.2/24 dev up2
                ip route add default via 198.51.100.1 dev up1 metric 4001
                ip route add default via 203.0.113.1 dev up2 metric 4002
                """)
    }

    private func routes(_ table: RoutingTable) throws -> String {
        // Nothing, and no complaint, where the table is not there at all.
        try namespace.run("ip", "-4", "route", "show", "table", "all")
            .split(separator: "\n").filter { $0.contains(" table \(table.rawValue) ") }.joined(separator: "\n")
    }

    /// A router that has read the kernel, with both uplinks attached.
    private func router(_ wish: Wish, _ loop: EventLoop) throws -> KernelRouter {
        let log = Log(hasPrefix: false, isVerbose: false)
        let attachments = Attachments { _ in false }
        let router = try KernelRouter(
            kernel: try KernelAccess(), attachments: attachments, loop: loop, log: log, alarms: Alarms(log: log))
        _ = attachments.refresh(router.picture, uplinks, isAll: true)
        let present = uplinks.map {
            DataplaneUplink(
                number: $0.number, interface: $0.settings.interface, attachment: attachments[$0.number])
        }
        try #require(present.allSatisfy { $0.attachment?.gateway != nil })
        router.wanted = {
            WantedState.make(
                uplinks: present.filter { $0.number != wish.gone }, ladder: wish.ladder, mark: MarkLayout())
        }
        router.table.wanted = { [self] in
            wish.seen.append((try? routes(Ownership.selected)) ?? "cannot be read")
            return RulesetInput(uplinks: present)
        }
        router.table.replace()
        try router.watch { _ in }
        wish.seen = []
        return router
    }

    @Test("routes before maps: when the maps are changed, the new route is in the kernel (law 1)")
    func routesBeforeMaps() throws {
        try namespace.inside {
            let (wish, loop) = (Wish(), try EventLoop())
            let router = try router(wish, loop)
            for (number, gateway) in [(1, "198.51.100.1"), (2, "203.0.113.1"), (1, "198.51.100.1")] {
                wish.seen = []
                wish.ladder = [UplinkNumber(rawValue: UInt8(number))]
                #expect(router.reconcile() == nil)
                #expect(wish.seen.count == 1 && wish.seen[0].contains("via \(gateway) "), "\(wish.seen)")
            }
        }
    }

    @Test("removals after flows: what must go stands until it is said that it may (law 2)")
    func removalsLater() throws {
        try namespace.inside {
            let (wish, loop) = (Wish(), try EventLoop())
            let router = try router(wish, loop)
            func own() throws -> String {
                try routes(Ownership.table(of: uplinks[0].number))
            }
            wish.ladder = [uplinks[1].number]
            #expect(router.reconcile() == nil)
            #expect(try own().contains("via 198.51.100.1 "))
            wish.gone = uplinks[0].number
            #expect(router.reconcile(removals: .later) == nil)
            #expect(try own().contains("via 198.51.100.1 "))
            #expect(router.reconcile() == nil)
            #expect(try own().isEmpty)
        }
    }

    @Test("of many rules of others in our range some are named, and the rest are counted")
    func manyIntruders() throws {
        try namespace.run(
            lines: (0..<40).map { "ip rule add from 10.0.0.\($0) table main prio 8800" }.joined(separator: "\n"))
        try namespace.inside {
            let router = try router(Wish(), try EventLoop())
            #expect(router.notices.count == 17)
            #expect(router.notices.last == "and 24 more of other programs")
        }
    }
}
