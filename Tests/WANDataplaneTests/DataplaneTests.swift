import NetworkTypes
import Testing
import WANDataplane
import WANModel

private func uplink(_ number: UInt8, _ interface: String, index: Int32? = nil, gateway: String? = nil)
    -> DataplaneUplink
{
    let attachment = index.map {
        Attachment(
            interfaceIndex: InterfaceIndex(rawValue: $0), interface: interface,
            addresses: [.v4(IPv4Address(198, 51, 100, number))], gateway: gateway.flatMap { IPAddress($0) })
    }
    return DataplaneUplink(number: UplinkNumber(rawValue: number), interface: interface, attachment: attachment)
}

private let three = [
    uplink(1, "ppp0", index: 7), uplink(2, "wlan0", index: 3, gateway: "192.168.3.1"), uplink(3, "ppp1", index: 9),
]
private func ladder(_ numbers: UInt8...) -> [UplinkNumber] { numbers.map { UplinkNumber(rawValue: $0) } }

@Suite("from a decision to kernel state")
struct DataplaneTests {
    @Test("the whole state of three uplinks, in order of look-up")
    func whole() {
        let wanted = WantedState.make(uplinks: three, ladder: ladder(1, 2, 3), mark: MarkLayout())
        #expect(
            changes(from: KernelState(), to: wanted).map(\.description) == [
                "route replace default dev #7 table 8700 metric 1",
                "route replace default via 192.168.3.1 dev #3 table 8700 metric 2",
                "route replace default dev #9 table 8700 metric 3",
                "route replace default dev #7 table main metric 1",
                "route replace default dev #7 table 8701 metric 1",
                "route replace default via 192.168.3.1 dev #3 table 8702 metric 1",
                "route replace default dev #9 table 8703 metric 1",
                "rule add 8700: from all lookup main suppress_prefixlength 0",
                "rule add 8701: fwmark 0x10000/0xff0000 lookup 8701",
                "rule add 8702: fwmark 0x20000/0xff0000 lookup 8702",
                "rule add 8703: fwmark 0x30000/0xff0000 lookup 8703",
                "rule add 8765: oif ppp0 lookup 8701",
                "rule add 8766: oif wlan0 lookup 8702",
                "rule add 8767: oif ppp1 lookup 8703",
                "rule add 8829: from 198.51.100.1/32 lookup 8701",
                "rule add 8830: from 198.51.100.2/32 lookup 8702",
                "rule add 8831: from 198.51.100.3/32 lookup 8703",
                "rule add 8999: from all lookup 8700",
            ])
    }

    @Test("a switch touches the ladder and the mirror, and removes last")
    func switching() {
        let before = WantedState.make(uplinks: three, ladder: ladder(1, 2, 3), mark: MarkLayout())
        let after = WantedState.make(uplinks: three, ladder: ladder(2, 3), mark: MarkLayout())
        #expect(
            changes(from: before, to: after).map(\.description) == [
                "route replace default via 192.168.3.1 dev #3 table 8700 metric 1",
                "route replace default dev #9 table 8700 metric 2",
                "route replace default via 192.168.3.1 dev #3 table main metric 1",
                "route del default dev #9 table 8700 metric 3",
            ])
        #expect(changes(from: after, to: after).isEmpty)
    }

    @Test("an absent uplink keeps its rules and loses its routes")
    func absent() {
        var uplinks = three
        uplinks[0].attachment = nil
        let wanted = WantedState.make(uplinks: uplinks, ladder: ladder(2), mark: MarkLayout())
        #expect(!wanted.routes.values.contains { $0.key.table.rawValue == 8701 })
        #expect(wanted.rules.contains { $0.selector == .outputInterface("ppp0") })
    }

    @Test(
        "from any state to any other there is never a moment without a rung, and nothing is refused",
        arguments: [1, 2, 3])
    func randomWalk(seed: UInt64) throws {
        var random = seed
        func next(_ bound: UInt64) -> UInt64 {
            random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (random >> 33) % bound
        }
        var kernel = FakeKernel()
        for _ in 0..<300 {
            var uplinks = three
            for index in uplinks.indices where next(4) == 0 { uplinks[index].attachment = nil }
            for index in uplinks.indices where next(3) == 0 {
                uplinks[index].attachment?.interfaceIndex = InterfaceIndex(rawValue: Int32(20 + next(30)))
            }
            let present = uplinks.filter { $0.attachment != nil }.map(\.number)
            let order = present.sorted { _, _ in next(2) == 0 }
            let wanted = WantedState.make(uplinks: uplinks, ladder: order, mark: MarkLayout())
            let rungs = min(
                kernel.state.routes.keys.filter { $0.table == Ownership.selected }.count, order.count)
            kernel.fewestRungs = .max
            for change in changes(from: kernel.state, to: wanted) { try kernel.apply(change) }
            #expect(kernel.state == wanted, "seed \(seed)")
            #expect(kernel.fewestRungs >= rungs, "seed \(seed)")
        }
    }

    @Test("a class that knows only its uplinks has rules of its own, and where they lead nowhere nothing leaves")
    func strict() {
        let strict: Set = [UplinkNumber(rawValue: 2)]
        let wanted = WantedState.make(uplinks: three, ladder: ladder(1, 2, 3), mark: MarkLayout(), strict: strict)
        let plain = WantedState.make(uplinks: three, ladder: ladder(1, 2, 3), mark: MarkLayout())
        #expect(
            changes(from: plain, to: wanted).map(\.description) == [
                "rule add 8894: fwmark 0x820000/0xff0000 lookup 8702",
                "rule add 8997: fwmark 0x800000/0x800000 prohibit",
            ])
    }

    @Test("a backup sends what is its own to the gateway, and what it forwards by its own lines")
    func relay() {
        let relay = Relay(
            interface: InterfaceIndex(rawValue: 2), gateway: .v4(IPv4Address(192, 168, 0, 254)),
            sources: [IPv4Address(192, 168, 0, 2)])
        let master = WantedState.make(uplinks: three, ladder: ladder(1, 2), mark: MarkLayout())
        let backup = WantedState.make(uplinks: three, ladder: ladder(1, 2), mark: MarkLayout(), relay: relay)
        #expect(
            changes(from: master, to: backup).map(\.description) == [
                "route replace default via 192.168.0.254 dev #2 table main metric 1",
                "route replace default via 192.168.0.254 dev #2 table 8765 metric 1",
                "rule add 8998: from 0.0.0.0/32 lookup 8765",
                "rule add 8998: from 192.168.0.2/32 lookup 8765",
            ])
        // Without a rung nothing may lead what is forwarded to the gateway: it would be tracked without translation.
        var gone = three
        for index in gone.indices { gone[index].attachment = nil }
        let helpless = WantedState.make(uplinks: gone, ladder: ladder(1), mark: MarkLayout(), relay: relay)
        #expect(
            helpless.routes.values.map(\.description) == ["default via 192.168.0.254 dev #2 table 8765 metric 1"])
    }

    @Test("the address of an uplink that is not usable leads to the ladder")
    func sourceOfDead() {
        var uplinks = three
        uplinks[0].isUsable = false
        let all = WantedState.make(uplinks: three, ladder: ladder(2, 3), mark: MarkLayout())
        let some = WantedState.make(uplinks: uplinks, ladder: ladder(2, 3), mark: MarkLayout())
        #expect(
            changes(from: all, to: some).map(\.description) == ["rule del 8829: from 198.51.100.1/32 lookup 8701"])
    }

    @Test("name servers are reached over their uplink; one of several over the best of them")
    func nameServers() {
        var uplinks = three
        let (own, shared) = (IPv4Address(203, 0, 113, 53), IPv4Address(203, 0, 113, 54))
        uplinks[0].nameServers = [own, shared]
        uplinks[1].nameServers = [shared, IPv4Address(192, 168, 3, 1)]
        func routes(_ order: [UplinkNumber]) -> [String] {
            let state = WantedState.make(uplinks: uplinks, ladder: order, mark: MarkLayout())
            return state.routes.values.filter { !$0.key.destination.isDefault }.map(\.description).sorted()
        }
        #expect(
            routes(ladder(1, 2, 3)) == [
                "192.168.3.1/32 dev #3 table main metric 8700", "203.0.113.53/32 dev #7 table main metric 8700",
                "203.0.113.54/32 dev #7 table main metric 8700",
            ])
        uplinks[0].isUsable = false
        #expect(routes(ladder(2, 3))[2] == "203.0.113.54/32 via 192.168.3.1 dev #3 table main metric 8700")
        uplinks[1].isUsable = false
        #expect(routes([])[2] == "203.0.113.54/32 dev #7 table main metric 8700")
        uplinks[0].attachment = nil
        #expect(routes([]).count == 2)
    }

    @Test("names keep their numbers; a number is not given away while it may still be in the kernel")
    func numbers() {
        let first = UplinkNumbers.assign(["a", "b"], remembered: [:])
        #expect(first == ["a": UplinkNumber(rawValue: 1), "b": UplinkNumber(rawValue: 2)])
        let second = UplinkNumbers.assign(["c", "b"], remembered: first)
        #expect(second == ["b": UplinkNumber(rawValue: 2), "c": UplinkNumber(rawValue: 3)])
        let many = UplinkNumbers.assign((0..<64).map { "u\($0)" }, remembered: second)
        #expect(Set(many.values).count == 64)
    }

    @Test("the ruleset names every uplink once and keeps other programs' bits")
    func ruleset() {
        let text = Ruleset.make(RulesetInput(uplinks: three))
        let names = text.split(separator: "\n").prefix { !$0.contains("chain") }
        #expect(names.filter { $0.contains("\"") }.count == 3)
        #expect(text.contains("ct mark set ct mark and 0xff00ffff or 0x00020000"))
        #expect(text.contains("oifname @uplinks ip saddr != 0.0.0.0 fib saddr . oif type != local counter drop"))
        #expect(Ruleset.make(RulesetInput(uplinks: [])).hasSuffix("table inet wanctl {\n}\n"))
    }
}
