import LinuxIO
import NetworkTypes
import Nftables
import TestSupport
import Testing
import WANDataplane
import WANModel

/// Every shape that a policy can give the table, loaded by the libnftables and the kernel of this machine.
///
/// What one release of libnftables takes the next may refuse (1.1 does not take a TCP reset in a rule that looks at
/// `meta nfproto`), and then nothing of a family's LAN is translated.
@Suite("every shape of the table is taken", .enabled(if: TestNamespace.isAvailable, "\(TestNamespace.advice)"))
struct ShapeTests {
    enum Shape: String, CaseIterable, CustomTestStringConvertible {
        case none, oneUplink, twoInterfaces, unattached, sims, forwards, rules, strict, shares, stickyShares, everything
        case manyUplinks, manyRules, addressFile
        var testDescription: String { rawValue }
    }

    private func uplinks(_ count: Int, areAttached: Bool = true, sims: Set<Int> = []) -> [DataplaneUplink] {
        (1...count).map { number in
            let address = IPAddress.v4(IPv4Address(192, 0, 2, UInt8(number)))
            let attachment = WANModel.Attachment(
                interfaceIndex: InterfaceIndex(rawValue: Int32(number)), interface: "up\(number)",
                addresses: [address], gateway: nil)
            return DataplaneUplink(
                number: UplinkNumber(rawValue: UInt8(number)), interface: "up\(number)",
                attachment: areAttached ? attachment : nil, isSIM: sims.contains(number))
        }
    }

    private func share(_ sticky: Duration? = nil) -> DataplaneClass {
        DataplaneClass(
            uplinks: [one, two, three], sharing: [one, two], sticky: sticky,
            choice: ClassChoice(
                step: [.init(uplink: one, weight: 3), .init(uplink: two, weight: 1)], active: [one, two]))
    }

    private let rules = [
        ClassifyingRule(match { $0.source = addresses("192.168.0.7", "192.168.1.0/24") }, class: 1),
        ClassifyingRule(
            match {
                $0.transport = 17
                $0.ports = [53...53, 5060...5070]
            }, class: 2),
        ClassifyingRule(match { $0.dscp = 46 }, class: 1),
        ClassifyingRule(match { $0.destination = addresses("9.0.0.0/8") }, class: 2),
    ]

    private let forwards = [
        DataplaneForward(
            uplinks: [one, two], transport: .tcp, ports: 80...80, host: IPv4Address(192, 168, 0, 20), hostPort: 8080),
        DataplaneForward(
            uplinks: [one], transport: .udp, ports: 6000...6010, host: IPv4Address(192, 168, 0, 21), hostPort: 7000),
    ]

    private func input(_ shape: Shape) -> RulesetInput {
        let three = uplinks(3)
        switch shape {
        case .none: return RulesetInput(uplinks: [])
        case .oneUplink: return RulesetInput(uplinks: uplinks(1), classes: [to(one)])
        case .unattached:
            return RulesetInput(uplinks: uplinks(3, areAttached: false), classes: [to(one)], forwards: forwards)
        case .sims: return RulesetInput(uplinks: uplinks(3, sims: [2, 3]), classes: [to(one)])
        case .rules: return RulesetInput(uplinks: three, rules: rules, classes: [to(one), to(two), to(one)])
        case .strict:
            return RulesetInput(
                uplinks: three, rules: rules, classes: [to(one), to(two, .reject), to(one, .drop)])
        case .shares: return RulesetInput(uplinks: three, rules: rules, classes: [share(), to(one), share()])
        case .stickyShares:
            return RulesetInput(uplinks: three, rules: rules, classes: [to(one), share(.seconds(600)), to(two)])
        case .forwards: return RulesetInput(uplinks: three, classes: [to(one)], forwards: forwards)
        case .everything:
            return RulesetInput(
                uplinks: uplinks(3, sims: [3]), rules: rules,
                classes: [share(.seconds(60)), to(two, .reject), share()], forwards: forwards)
        case .twoInterfaces:
            var twice = three
            twice.append(twice[0])
            twice[3].interface = "old1"
            return RulesetInput(uplinks: twice, rules: rules, classes: [to(one), to(two, .drop), share()])
        case .manyUplinks:
            let all = uplinks(64)
            return RulesetInput(
                uplinks: all, classes: [DataplaneClass(uplinks: all.map(\.number), choice: only(one))])
        case .manyRules:
            let many = (0..<1000).map { index in
                ClassifyingRule(
                    match {
                        $0.source = addresses("10.\(index / 250).\(index % 250).0/24")
                        $0.transport = index % 2 == 0 ? 6 : 17
                        let port = UInt16(1000 + index)
                        $0.ports = [port...port]
                    }, class: index % 2)
            }
            return RulesetInput(uplinks: three, rules: many, classes: [to(one), to(two)])
        case .addressFile:
            let hosts = (0..<20_000).map { (index: UInt32) -> ClosedRange<UInt32> in
                let host = 0x0900_0000 + 2 * index
                return host...host
            }
            let rule = ClassifyingRule(match { $0.destination = AddressSet(hosts) }, class: 1)
            return RulesetInput(uplinks: three, rules: [rule], classes: [to(one), to(two)])
        }
    }

    @Test("loaded, loaded again over itself, and as that of a box that expects strays", arguments: Shape.allCases)
    func loads(shape: Shape) throws {
        let namespace = try TestNamespace.make()
        var nftables = try namespace.inside { try NftablesContext.make() }
        var input = input(shape)
        try nftables.apply(Ruleset.make(input))
        try nftables.apply(Ruleset.make(input))
        input.resetsStrays = true
        try nftables.apply(Ruleset.make(input))
        #expect(try nftables.has(chain: TableNames.sourceNAT, in: Ruleset.table) == (shape != .none))
        // What stands can be read back by the same release (1.0.6 dies of some maps).
        _ = try nftables.list(table: Ruleset.table)
    }
}
