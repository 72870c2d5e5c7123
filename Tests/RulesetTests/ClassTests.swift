import Glibc
import NetworkTypes
import TestSupport
import Testing
import WANDataplane
import WANModel

private func shared(_ weights: [Int], active: [UplinkNumber]) -> ClassChoice {
    ClassChoice(
        step: zip([one, two, three], weights).map { .init(uplink: $0, weight: $1) }, active: active)
}

@Suite("classes, by packets", .enabled(if: TestNamespace.isAvailable, "\(TestNamespace.advice)"))
struct ClassTests {
    private let stage: RouterStage

    init() throws { stage = try RouterStage() }

    /// Class 1 has all that the LAN sends over UDP; the rest is class 0, to uplink 1.
    private func input(_ traffic: DataplaneClass, first: DataplaneClass = to(one)) throws -> RulesetInput {
        RulesetInput(
            uplinks: try stage.uplinks(),
            rules: [
                ClassifyingRule(match { $0.destination = addresses("9.0.0.0/8", "100.127.0.0/16") }, class: 1)
            ],
            classes: [first, traffic])
    }

    @Test("a switch is an element: new flows move, old ones stay, and a second switch moves again")
    func switching() throws {
        func input(_ uplink: UplinkNumber) throws -> RulesetInput {
            try self.input(DataplaneClass(uplinks: [one, two, three], choice: only(uplink)))
        }
        try stage.apply(try input(two))
        let old = try stage.connect(from: "192.168.0.10", to: "9.9.9.9", 80)
        #expect(old.fate == .uplink(2))
        try stage.steer(to: try input(three))
        #expect(try stage.tcp(to: "9.9.9.9", 80) == .uplink(3))
        try stage.steer(to: try input(one))
        #expect(try stage.tcp(to: "9.9.9.9", 80) == .uplink(1))
        #expect(old.echo() == 0)
    }

    @Test("where nothing of the order is usable: refused at once, dropped, or as the rest goes")
    func otherwise() throws {
        try stage.apply(try input(DataplaneClass(uplinks: [two], otherwise: .reject, choice: .nowhere)))
        #expect(try stage.tcp(to: "9.9.9.9", 80) == .refused(ECONNREFUSED))
        #expect(try stage.udp(to: "9.9.9.9", 53) == .refused(EHOSTUNREACH))
        #expect(try stage.packets("refused") == 2)
        try stage.apply(try input(DataplaneClass(uplinks: [two], otherwise: .drop, choice: .nowhere)))
        #expect(try stage.udp(to: "9.9.9.9", 53) == .dropped)
        #expect(try stage.tcp(to: "9.9.9.9", 80) == .dropped)
        try stage.apply(try input(DataplaneClass(uplinks: [two], choice: .nowhere)))
        #expect(try stage.udp(to: "9.9.9.9", 53) == .uplink(1))
        // With a first class that has a chain of its own the rest goes there, and not by the ladder.
        let first = DataplaneClass(uplinks: [one, two, three], sharing: [two, three], choice: only(three))
        try stage.apply(try input(DataplaneClass(uplinks: [two], choice: .nowhere), first: first))
        #expect(try stage.udp(to: "9.9.9.9", 53) == .uplink(3))
        try stage.steer(to: try input(DataplaneClass(uplinks: [two], choice: only(two)), first: first))
        #expect(try stage.udp(to: "9.9.9.9", 54) == .uplink(2))
    }

    @Test("a strict class never leaves by another uplink: not while the daemon looks away, not by a route of main")
    func strict() throws {
        try stage.apply(try input(to(two, .reject)))
        #expect(try stage.udp(to: "9.9.9.9", 53) == .uplink(2))
        try stage.router.run("ip", "route", "add", "9.9.9.53/32", "via", "198.51.1.254", "dev", "up1")
        #expect(try stage.udp(to: "9.9.9.53", 53) == .refused(EHOSTUNREACH))
        try stage.router.run("ip", "link", "set", "up2", "down")
        #expect(try stage.udp(to: "9.9.9.9", 54) == .refused(EHOSTUNREACH))
        #expect(try stage.tcp(to: "9.9.9.9", 80) == .refused(EHOSTUNREACH))
        // One that is not goes by the ladder meanwhile.
        try stage.router.run("ip", "link", "set", "up2", "up")
        try stage.router.waitUntilRunning("up2")
        try stage.apply(try input(to(two)))
        #expect(try stage.udp(to: "9.9.9.9", 53) == .uplink(2))
        try stage.router.run("ip", "link", "set", "up2", "down")
        #expect(try stage.udp(to: "9.9.9.9", 54) == .uplink(1))
    }

    @Test("10,000 flows share by weight; who leaves or returns moves only its own", arguments: [[3, 2, 1]])
    func share(weights: [Int]) throws {
        func input(_ active: [UplinkNumber]) throws -> RulesetInput {
            try self.input(
                DataplaneClass(
                    uplinks: [one, two, three], sharing: [one, two, three], choice: shared(weights, active: active)))
        }
        let count = 10_000
        try stage.apply(try input([one, two, three]))
        // A `typeof jhash` map would kill nft 1.0.6 here.
        #expect(try stage.listing().contains("map buckets_1"))
        let crowd = try FlowCrowd(count, on: stage)
        let first = crowd.send()
        let shares = (1...3).map { number in first.count { $0 == number } }
        print("share: 10,000 flows at weights \(weights): \(shares)")
        #expect(shares.reduce(0, +) == count)
        for (share, weight) in zip(shares, weights) {
            let part = Double(weight) / Double(weights.reduce(0, +))
            // The table is within one bucket; beyond that six standard deviations of what chance does to 10,000 flows.
            let slack = Double(count) / 256 + 6 * (Double(count) * part * (1 - part)).squareRoot()
            #expect(abs(Double(share) - part * Double(count)) < slack, "\(shares)")
        }
        // Pinned flows stay, whatever the step has become.
        try stage.steer(to: try input([one, three]))
        #expect(crowd.send() == first)
        // As new flows, only those of the one that left go elsewhere.
        try stage.router.run("conntrack", "-F")
        let second = crowd.send()
        #expect(!second.contains(2) && !second.contains(0))
        #expect(zip(first, second).allSatisfy { $0 == $1 || $0 == 2 })
        try stage.steer(to: try input([three]))
        try stage.router.run("conntrack", "-F")
        #expect(Set(crowd.send()) == [3])
        try stage.steer(to: try input([one, two, three]))
        try stage.router.run("conntrack", "-F")
        #expect(crowd.send() == first)
    }

    @Test("protocols without ports share by their addresses")
    func shareWithoutPorts() throws {
        try stage.apply(
            try input(
                DataplaneClass(
                    uplinks: [one, two, three], sharing: [one, two, three],
                    choice: shared([1, 1, 1], active: [one, two, three]))))
        for host in 1...40 { try stage.lan.run("ping", "-c", "1", "-W", "2", "9.9.0.\(host)") }
        let flows = try stage.router.run("conntrack", "-L", "-p", "icmp")
        let used = (1...3).map { flows.split(separator: "dst=198.51.\($0).1 ").count - 1 }
        #expect(used.reduce(0, +) == 40 && used.allSatisfy { $0 > 0 }, "\(used)")
    }

    @Test("a sticky source stays where it is, moves when that uplink goes, and then stays there")
    func sticky() throws {
        func input(_ active: [UplinkNumber]) throws -> RulesetInput {
            try self.input(
                DataplaneClass(
                    uplinks: [one, two, three], sharing: [one, two, three], sticky: .seconds(600),
                    choice: shared([1, 1, 1], active: active)))
        }
        try stage.apply(try input([one, two, three]))
        let crowd = try FlowCrowd(400, on: stage)
        let first = crowd.send()
        let homes = Array(first.prefix(20))
        #expect((0..<400).allSatisfy { first[$0] == homes[$0 % 20] })
        #expect(Set(homes) == [1, 2, 3])
        try stage.steer(to: try input([one, three]))
        try stage.router.run("conntrack", "-F")
        let second = crowd.send()
        let moved = Array(second.prefix(20))
        #expect((0..<400).allSatisfy { second[$0] == moved[$0 % 20] })
        #expect(zip(homes, moved).allSatisfy { $0 == 2 ? $1 != 2 : $0 == $1 })
        try stage.steer(to: try input([one, two, three]))
        try stage.router.run("conntrack", "-F")
        #expect(Array(crowd.send().prefix(20)) == moved)
        // A source in the set of an uplink that takes no part is not held to it.
        try stage.steer(to: try input([three]))
        try stage.nft("add element inet wanctl sticky_1_1 { 192.168.0.10 }")
        try stage.router.run("conntrack", "-F")
        #expect(Set(crowd.send()) == [3])
    }
}
