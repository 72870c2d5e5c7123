import NetworkTypes
import TestSupport
import Testing
import WANDataplane
import WANModel

private func number(_ value: Int) -> UplinkNumber { UplinkNumber(rawValue: UInt8(value)) }

private func attachment(_ interface: String, _ last: UInt8) -> WANModel.Attachment {
    WANModel.Attachment(
        interfaceIndex: InterfaceIndex(rawValue: 5), interface: interface,
        addresses: [.v4(IPv4Address(198, 51, 100, last))])
}

private let uplinks = (1...4).map {
    DataplaneUplink(number: number($0), interface: "ppp\($0)", attachment: attachment("ppp\($0)", UInt8($0)))
}

private func choice(_ step: [Int], active: [Int]) -> ClassChoice {
    ClassChoice(step: step.map { .init(uplink: number($0), weight: $0) }, active: active.map(number))
}

private func input(_ choices: [ClassChoice], sticky: Duration? = nil) -> RulesetInput {
    RulesetInput(
        uplinks: uplinks, rules: [ClassifyingRule(PolicyRule.Match(), class: 1)],
        classes: choices.enumerated().map { classIndex, choice in
            DataplaneClass(
                uplinks: [1, 2, 3, 4].map(number), sharing: [1, 2, 3].map(number),
                otherwise: classIndex == 1 ? .reject : .default, sticky: classIndex == 0 ? nil : sticky, choice: choice)
        },
        forwards: [
            DataplaneForward(
                uplinks: [number(1), number(2)], transport: .tcp, ports: 80...80, host: IPv4Address(192, 168, 0, 10),
                hostPort: 80)
        ])
}

@Suite("steering a table that stands")
struct SteeringTests {
    @Test("a switch of a class is one element")
    func switching() throws {
        let before = input([choice([4], active: [4]), choice([4], active: [4])])
        let after = input([choice([4], active: [4]), choice([1, 2, 3], active: [2])])
        let changes = try #require(steering(from: before, to: after))
        #expect(
            changes.flatMap { $0.commands(table: Ruleset.table) } == [
                "delete element inet wanctl choice_1 { ipv4 }",
                "add element inet wanctl choice_1 { ipv4 : goto only_2 }",
            ])
        #expect(try #require(steering(from: after, to: after)).isEmpty)
    }

    @Test("sources stay only with uplinks that take part")
    func stickiness() throws {
        let before = input([.nowhere, choice([1, 2, 3], active: [1, 2, 3])], sticky: .seconds(600))
        let after = input([.nowhere, choice([1, 2, 3], active: [1, 3])], sticky: .seconds(600))
        let changes = try #require(steering(from: before, to: after))
        #expect(changes.contains(SteeringChange("hold_1_2", removed: [.ipv4])))
        #expect(changes.contains(SteeringChange("sticky_1_2", isFlushed: true)))
        let back = try #require(steering(from: after, to: before))
        #expect(
            back.contains(SteeringChange("hold_1_2", added: [SteeringChange.Element(.ipv4, .goTo("keep_1_2"))])))
        #expect(!back.contains { $0.isFlushed })
    }

    @Test("that strays are expected is one element, in a new table as in one that stands")
    func strays() throws {
        let before = input([.nowhere, .nowhere])
        var after = before
        after.resetsStrays = true
        let (begun, ended) = (
            try #require(steering(from: before, to: after)), try #require(steering(from: after, to: before))
        )
        #expect(begun == [SteeringChange("strays", added: [SteeringChange.Element(.ipv4)])])
        #expect(ended == [SteeringChange("strays", removed: [.ipv4])])
        var table = FakeTable(Ruleset.make(before))
        for change in begun { try table.apply(change) }
        #expect(table.elements == FakeTable(Ruleset.make(after)).elements)
    }

    @Test("forwards follow the address of their uplink")
    func addresses() throws {
        let before = input([.nowhere, .nowhere])
        var after = before
        after.uplinks[1].attachment?.addresses = [.v4(IPv4Address(203, 0, 113, 9))]
        after.uplinks[3].attachment = nil
        let changes = try #require(steering(from: before, to: after))
        #expect(
            changes.flatMap { $0.commands(table: Ruleset.table) } == [
                "delete element inet wanctl own { 198.51.100.2 }",
                "add element inet wanctl own { 203.0.113.9 : jump forward_2 }",
                "delete element inet wanctl own_addresses { 198.51.100.2 }",
                "add element inet wanctl own_addresses { 203.0.113.9 }",
            ])
    }

    @Test("what is text needs a new table")
    func text() {
        let before = input([.nowhere, .nowhere])
        var after = before
        after.classes[1].otherwise = .drop
        #expect(steering(from: before, to: after) == nil)
        after = before
        after.uplinks[0].interface = "ppp9"
        #expect(steering(from: before, to: after) == nil)
    }

    @Test(
        "steered from any state to any other, the table holds what a new one would",
        arguments: 1...10 as ClosedRange<UInt64>)
    func walk(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        func some() -> ClassChoice {
            switch Int.random(in: 0...4, using: &random) {
            case 0: return .nowhere
            case 1: return choice([4], active: [4])
            default:
                let active = [1, 2, 3].shuffled(using: &random).prefix(Int.random(in: 1...3, using: &random))
                return choice([1, 2, 3], active: Array(active))
            }
        }
        var now = input([.nowhere, .nowhere, .nowhere], sticky: .seconds(60))
        var table = FakeTable(Ruleset.make(now))
        for _ in 0..<60 {
            var next = input([some(), some(), some()], sticky: .seconds(60))
            for index in next.uplinks.indices where Bool.random(using: &random) {
                next.uplinks[index].attachment = attachment("x", UInt8.random(in: 1...6, using: &random))
            }
            for change in try #require(steering(from: now, to: next)) { try table.apply(change) }
            let fresh = FakeTable(Ruleset.make(next))
            for (name, elements) in fresh.elements {
                // What no choice leads to holds what it held.
                if name.hasPrefix("buckets"), elements.isEmpty { continue }
                let isSame = table.elements[name] == elements
                #expect(isSame, "seed \(seed): \(name)")
            }
            now = next
        }
    }
}

extension SteeringChange {
    /// As nft(8) would be told.
    fileprivate func commands(table: String) -> [String] {
        var commands: [String] = []
        if isFlushed { commands.append("flush set \(table) \(name)") }
        if !removed.isEmpty {
            commands.append("delete element \(table) \(name) { \(removed.map(\.description).joined(separator: ", ")) }")
        }
        if !added.isEmpty {
            let elements = added.map { "\($0.key)" + ($0.verdict.map { " : \($0)" } ?? "") }
            commands.append("add element \(table) \(name) { \(elements.joined(separator: ", ")) }")
        }
        return commands
    }
}
