import Glibc
import NetworkTypes
import TestSupport
import Testing
import WANDataplane
import WANModel

func match(_ change: (inout PolicyRule.Match) -> Void) -> PolicyRule.Match {
    var match = PolicyRule.Match()
    change(&match)
    return match
}

func addresses(_ text: String...) -> AddressSet {
    AddressSet(
        text.compactMap { text in
            guard let prefix = IPPrefix(text), let address = prefix.address.v4 else { return nil }
            let rest = UInt32(UInt64(UInt32.max) >> prefix.length)
            return (address.bits & ~rest)...(address.bits | rest)
        })
}

let one = UplinkNumber(rawValue: 1)
let two = UplinkNumber(rawValue: 2)
let three = UplinkNumber(rawValue: 3)

func only(_ uplink: UplinkNumber) -> ClassChoice {
    ClassChoice(step: [.init(uplink: uplink, weight: 1)], active: [uplink])
}

/// A class that goes to one uplink.
func to(_ uplink: UplinkNumber, _ otherwise: PolicyRule.Otherwise = .default) -> DataplaneClass {
    DataplaneClass(uplinks: [uplink], otherwise: otherwise, choice: only(uplink))
}

@Suite("rules, by packets", .enabled(if: TestNamespace.isAvailable, "\(TestNamespace.advice)"))
struct ClassifyTests {
    private let stage: RouterStage

    init() throws { stage = try RouterStage() }

    /// One class for each rule: the first goes to uplink 2, the second to 3, and so on in turn; what no rule has goes by 1.
    private func apply(_ matches: [PolicyRule.Match]) throws {
        let classes = (0..<matches.count).map { to($0 % 2 == 0 ? two : three) }
        try stage.apply(
            RulesetInput(
                uplinks: try stage.uplinks(), rules: matches.enumerated().map { ClassifyingRule($1, class: $0 + 1) },
                classes: [to(one)] + classes))
    }

    @Test("each field of a match, alone and in a map, matches what it names and nothing else")
    func fields() throws {
        let cases: [(PolicyRule.Match, hit: () throws -> Fate, miss: () throws -> Fate)] = [
            (
                match { $0.source = addresses("192.168.0.10", "192.168.0.12/30") },
                { try stage.udp(from: "192.168.0.13", to: "9.9.9.9", 53) },
                { try stage.udp(from: "192.168.0.11", to: "9.9.9.9", 53) }
            ),
            (
                match { $0.destination = addresses("9.9.8.0/23") }, { try stage.udp(to: "9.9.9.9", 53) },
                { try stage.udp(to: "9.9.7.9", 53) }
            ),
            (
                match { $0.transport = 6 }, { try stage.tcp(to: "9.9.9.9", 80) },
                { try stage.udp(to: "9.9.9.9", 80) }
            ),
            (
                match {
                    $0.transport = 17
                    $0.ports = [53...53, 5000...5010]
                }, { try stage.udp(to: "9.9.9.9", 5007) }, { try stage.udp(to: "9.9.9.9", 5011) }
            ),
            (
                match {
                    $0.transport = 17
                    $0.sourcePorts = [5060...5061]
                }, { try stage.udp(sourcePort: 5061, to: "9.9.9.9", 53) },
                { try stage.udp(sourcePort: 5062, to: "9.9.9.9", 53) }
            ),
            (
                match { $0.ports = [7000...7001] }, { try stage.udp(to: "9.9.9.9", 7000) },
                { try stage.udp(to: "9.9.9.9", 7002) }
            ),
            (
                match { $0.interface = "lan1" },
                { try stage.udp(from: "192.168.1.10", to: "9.9.9.9", 53, sender: stage.office) },
                { try stage.udp(to: "9.9.9.9", 53) }
            ),
            (
                match { $0.dscp = 46 }, { try stage.udp(to: "9.9.9.9", 53, tos: 46 << 2) },
                { try stage.udp(to: "9.9.9.9", 53, tos: 34 << 2) }
            ),
            (
                match { $0.mark = FwMark(value: 0x5, mask: 0xf) },
                { try stage.udp(from: "192.168.0.20", to: "9.9.9.9", 53) },
                { try stage.udp(from: "192.168.0.21", to: "9.9.9.9", 53) }
            ),
        ]
        // Another program marks what comes from .20 and .21.
        try stage.router.run(
            "nft", "-f", "-",
            input: """
                table ip other {
                    chain prerouting {
                        type filter hook prerouting priority mangle; policy accept;
                        ip saddr 192.168.0.20 meta mark set 0x35
                        ip saddr 192.168.0.21 meta mark set 0x36
                    }
                }

                """)
        for (index, (match, hit, miss)) in cases.enumerated() {
            try apply([match])
            #expect(try hit() == .uplink(2), "\(index)")
            #expect(try miss() == .uplink(1), "\(index)")
            #expect(try stage.packets("rule_0") == 1)
            // With a neighbour of the same shape, and no packet in common, both are elements of one map.
            var here = match
            if here.source == nil { here.source = addresses("192.168.0.0/16") }
            var there = here
            there.source = addresses("172.16.0.0/12", "172.15.0.1")
            try apply([there, here])
            #expect(try stage.listing().contains("map tier_0_0") == (match.mark == nil))
            #expect(try hit() == .uplink(3), "\(index) in a map")
            #expect(try miss() == .uplink(1), "\(index) in a map")
        }
    }

    @Test("ports and interface, DSCP and both addresses in one key")
    func wholeKey() throws {
        func rule(_ port: UInt16) -> PolicyRule.Match {
            match {
                $0.source = addresses("192.168.1.0/24")
                $0.destination = addresses("9.9.0.0/16", "9.1.0.1")
                $0.transport = 17
                $0.sourcePorts = [4000...4010]
                $0.ports = [port...(port + 4), (port + 8)...(port + 8)]
                $0.interface = "lan1"
                $0.dscp = 10
            }
        }
        try apply([rule(100), rule(200)])
        func fate(_ sourcePort: UInt16, _ destination: String, _ port: UInt16, _ tos: Int32) throws -> Fate {
            try stage.udp(
                from: "192.168.1.10", sourcePort: sourcePort, to: destination, port, tos: tos, sender: stage.office)
        }
        #expect(try stage.listing().contains("map tier_0_0"))
        #expect(try fate(4000, "9.9.1.1", 104, 40) == .uplink(2))
        #expect(try fate(4010, "9.1.0.1", 208, 40) == .uplink(3))
        #expect(try fate(4011, "9.9.1.1", 104, 40) == .uplink(1))
        #expect(try fate(4001, "9.9.1.1", 105, 40) == .uplink(1))
        #expect(try fate(4002, "9.1.0.2", 104, 40) == .uplink(1))
        #expect(try fate(4003, "9.9.1.1", 104, 44) == .uplink(1))
        #expect(try stage.packets("rule_0") == 1)
        #expect(try stage.packets("rule_1") == 1)
    }

    @Test("the first match wins, across tiers and shapes; every rule counts its own")
    func firstMatch() throws {
        try apply([
            match { $0.source = addresses("192.168.0.10") },
            match {
                $0.source = addresses("192.168.0.0/24")
                $0.transport = 17
                $0.ports = [53...53]
            },
            match {
                $0.source = addresses("192.168.0.11", "192.168.0.10")
                $0.transport = 17
                $0.ports = [50...60]
            },
            match { $0.source = addresses("192.168.0.0/28") },
        ])
        #expect(try stage.udp(from: "192.168.0.10", to: "9.9.9.9", 53) == .uplink(2))
        #expect(try stage.udp(from: "192.168.0.11", to: "9.9.9.9", 53) == .uplink(3))
        #expect(try stage.udp(from: "192.168.0.11", to: "9.9.9.9", 54) == .uplink(2))
        #expect(try stage.udp(from: "192.168.0.12", to: "9.9.9.9", 54) == .uplink(3))
        #expect(try stage.udp(from: "192.168.0.16", to: "9.9.9.9", 54) == .uplink(1))
        #expect(try (0..<4).map { try stage.packets("rule_\($0)") } == [1, 1, 1, 1])
    }

    @Test("a long list of addresses is a set, shared by the rules that name it")
    func longLists() throws {
        let firsts: [UInt32] = (0..<5000).map { 0x0901_0000 + 4 * $0 }
        let list = AddressSet(firsts.map { $0...($0 + 1) }, file: "f")
        try apply([
            match {
                $0.destination = list
                $0.transport = 6
            }, match { $0.destination = list },
        ])
        #expect(try stage.udp(to: "9.1.0.5", 53) == .uplink(3))
        #expect(try stage.udp(to: "9.1.0.6", 53) == .uplink(1))
        #expect(try stage.udp(to: "9.1.78.29", 53) == .uplink(3))
        let text = try stage.listing()
        #expect(text.contains("set addresses_0") && !text.contains("set addresses_1"))
    }

    @Test("more classes than the mark has bits are told apart all the same")
    func manyClasses() throws {
        let rules = (0..<300).map { index in match { $0.destination = addresses("9.2.\(index / 256).\(index % 256)") } }
        try apply(rules)
        for index in [0, 1, 253, 254, 255, 256, 299] {
            #expect(try stage.udp(to: "9.2.\(index / 256).\(index % 256)", 53) == .uplink(index % 2 + 2), "\(index)")
        }
    }

    @Test("LAN to LAN, to the router and to nobody are not classified")
    func notOurs() throws {
        try stage.apply(
            RulesetInput(
                uplinks: try stage.uplinks(), rules: [ClassifyingRule(match { _ in }, class: 1)],
                classes: [
                    to(one), DataplaneClass(uplinks: [two], otherwise: .reject, choice: .nowhere),
                ]))
        #expect("\(try stage.udp(to: "192.168.1.10", 53, receiver: stage.office))".contains("192.168.0.10"))
        #expect("\(try stage.udp(to: "192.168.0.1", 53, receiver: stage.router))".contains("192.168.0.10"))
        #expect("\(try stage.tcp(to: "192.168.1.10", 80, receiver: stage.office))".contains("192.168.0.10"))
        #expect(try stage.packets("rule_0") == 0)
        #expect(try stage.udp(to: "9.9.9.9", 53) == .refused(EHOSTUNREACH))
        #expect(try stage.packets("rule_0") == 1)
        // The router's own goes by the ladder.
        #expect(try stage.udp(from: "0.0.0.0", to: "9.9.9.9", 53, sender: stage.router) == .uplink(1))
    }

    @Test("the bits of other programs' marks survive classification, pin and refusal")
    func otherBits() throws {
        try stage.apply(
            RulesetInput(
                uplinks: try stage.uplinks(), rules: [ClassifyingRule(match { $0.transport = 17 }, class: 1)],
                classes: [to(one), to(two)]))
        try stage.router.run(
            "nft", "-f", "-",
            input: """
                table ip other {
                    counter kept {
                    }
                    chain prerouting {
                        type filter hook prerouting priority mangle; policy accept;
                        iifname "lan0" meta mark set 0x12000034 ct mark set 0x56000078
                    }
                    chain postrouting {
                        type filter hook postrouting priority 200; policy accept;
                        oifname "up2" meta mark 0x12020034 ct mark 0x56020078 counter name "kept"
                    }
                }

                """)
        #expect(try stage.udp(to: "9.9.9.9", 53) == .uplink(2))
        let listed = try stage.router.run("nft", "list", "counter", "ip", "other", "kept")
        #expect(listed.contains("packets 1 "))
    }
}
