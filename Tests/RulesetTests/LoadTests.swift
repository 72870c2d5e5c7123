import LinuxIO
import NetworkTypes
import TestSupport
import Testing
import WANDataplane
import WANModel

@Suite("many rules", .enabled(if: TestNamespace.isAvailable, "\(TestNamespace.advice)"))
struct LoadTests {
    private let stage: RouterStage

    init() throws { stage = try RouterStage() }

    /// As a site would write them: a host or a network, a protocol, some ports; some of them lists.
    private func usual(_ index: Int) -> PolicyRule.Match {
        match {
            $0.source = addresses("192.168.\(index / 4 % 250).\(index % 4 * 64)/26")
            if index % 3 == 0 { $0.destination = addresses("9.\(index % 200).0.0/16", "9.\(index % 200).1.0/24") }
            if index % 2 == 0 {
                $0.transport = index % 4 == 0 ? 6 : 17
                $0.ports = [UInt16(1000 + index)...UInt16(1010 + index), 80...80]
            }
        }
    }

    private func input(_ rules: [PolicyRule.Match]) throws -> RulesetInput {
        let classes = (0..<8).map { to($0 % 2 == 0 ? two : three) }
        return RulesetInput(
            uplinks: try stage.uplinks(),
            rules: rules.enumerated().map { ClassifyingRule($1, class: $0 % 8 + 1) }, classes: [to(one)] + classes)
    }

    private func load(_ what: String, _ rules: [PolicyRule.Match]) throws {
        let input = try input(rules)
        let start = Clock.boottime()
        let text = Ruleset.make(input)
        let made = Clock.boottime()
        try stage.apply(input)
        let loaded = Clock.boottime()
        func milliseconds(_ span: Int64) -> Double { Double(span / 10_000) / 100 }
        print(
            "\(what): \(rules.count) rules, \(text.utf8.count / 1000) kB, made in \(milliseconds(made - start)) ms, "
                + "in place with routes after \(milliseconds(loaded - made)) ms")
        // A class to and fro, as a switch does it.
        var spans: [Int64] = []
        for round in 0..<200 {
            var next = input
            next.classes[1].choice = only(round % 2 == 0 ? one : three)
            let start = Clock.boottime()
            try stage.steer(to: next)
            spans.append(Clock.boottime() - start)
        }
        spans.sort()
        print(
            "\(what): \(rules.count) rules, one class switched: median \(milliseconds(spans[100])) ms, p99 \(milliseconds(spans[198])) ms"
        )
    }

    @Test("a thousand rules are loaded and found", arguments: [10, 100, 1000])
    func usual(count: Int) throws {
        try load("usual", (0..<count).map(usual))
        #expect(try stage.udp(from: "192.168.0.10", to: "9.0.1.1", 80) == .uplink(1))
        #expect(try stage.packets("rule_0") == 0)
        #expect(try stage.tcp(from: "192.168.0.10", to: "9.0.1.1", 80) == .uplink(3))
        #expect(try stage.packets("rule_0") == 1)
    }

    @Test("a thousand rules that all overlap keep their order")
    func overlapping() throws {
        let rules = (0..<1000).map { index in
            match {
                // Each holds the one before it.
                $0.destination = AddressSet([UInt32(0x0900_0000)...UInt32(0x0900_0000 + index)])
                if index % 2 == 1 { $0.source = addresses("192.168.0.0/16") }
            }
        }
        try load("overlapping", rules)
        #expect(tiers(of: rules).last == 999)
        for index in [0, 1, 500, 999] {
            _ = try stage.udp(to: "\(IPv4Address(bits: 0x0900_0000 + UInt32(index)))", 53)
            #expect(try stage.packets("rule_\(index)") == 1, "\(index)")
        }
    }
}
