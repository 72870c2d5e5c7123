import Glibc
import LinuxIO
import Netlink
import NetworkTypes
import Nftables
import PacketWire
import TestSupport
import WANDaemon
import WANDataplane
import WANModel

/// A router between a LAN and an internet, in four namespaces, with our table and our routes.
///
/// The LAN is 192.168.0.0/24 at `lan0` (hosts .10 to .29 at once, in one namespace) and the office, 192.168.1.10 at `lan1`. Uplink
/// N of three is `upN`, 198.51.N.1, and the internet's end is 198.51.N.254. The internet answers to all of 9.0.0.0/8 and to
/// 100.127.0.0/16. Whose traffic it is that comes by an uplink is seen by its source address there.
final class RouterStage {
    let lan: TestNamespace
    let office: TestNamespace
    let router: TestNamespace
    let internet: TestNamespace
    private var nftables: NftablesContext
    private var elements: NftablesSocket
    private(set) var input = RulesetInput(uplinks: [])
    private var ladder: [UplinkNumber] = []

    static let numbers = (1...3).map { UplinkNumber(rawValue: $0) }

    init() throws {
        let (lan, office) = (try TestNamespace.make(), try TestNamespace.make())
        let (router, internet) = (try TestNamespace.make(), try TestNamespace.make())
        self.lan = lan
        self.office = office
        self.router = router
        self.internet = internet
        nftables = try router.inside { try NftablesContext.make() }
        elements = try router.inside { try NftablesSocket() }
        for number in 1...3 {
            try join("up\(number)", "198.51.\(number).1/24", internet, "net\(number)", "198.51.\(number).254/24")
        }
        try join("lan0", "192.168.0.1/24", lan, "host0", "192.168.0.10/24")
        try join("lan1", "192.168.1.1/24", office, "host1", "192.168.1.10/24")
        for host in 11...29 { try lan.run("ip", "address", "add", "192.168.0.\(host)/24", "dev", "host0") }
        try lan.run("ip", "route", "add", "default", "via", "192.168.0.1")
        try office.run("ip", "route", "add", "default", "via", "192.168.1.1")
        for prefix in ["9.0.0.0/8", "100.127.0.0/16"] {
            try internet.run("ip", "route", "add", "local", prefix, "dev", "lo")
        }
        try router.inside { try Files.write("1", to: "/proc/sys/net/ipv4/ip_forward") }
    }

    private var index = 100

    /// Both ends take packets whatever their source: as the daemon sets it for uplinks.
    private func join(
        _ name: String, _ address: String, _ there: TestNamespace, _ otherName: String, _ otherAddress: String
    ) throws {
        // Fresh namespaces number alike, and a veth with its peer's number gets its carrier a second later.
        index += 1
        let path = "/proc/\(getpid())/fd/\(there.namespace.descriptor.raw)"
        try router.run(
            lines: """
                ip link add \(name) index \(index) type veth peer name \(otherName) netns \(path)
                ip address add \(address) dev \(name)
                ip link set \(name) up
                """)
        try there.run(lines: "ip address add \(otherAddress) dev \(otherName)\nip link set \(otherName) up")
        for (namespace, name) in [(router, name), (there, otherName)] {
            try namespace.inside {
                for scope in [name, "all"] { try Files.write("0", to: "/proc/sys/net/ipv4/conf/\(scope)/rp_filter") }
            }
            try namespace.waitUntilRunning(name)
        }
    }

    // MARK: our state

    /// Three uplinks as they are attached; the third has a SIM.
    func uplinks() throws -> [DataplaneUplink] {
        try Self.numbers.map { number in
            let name = "up\(number)"
            let index = try router.inside { InterfaceIndex(rawValue: Int32(bitPattern: if_nametoindex(name))) }
            let address = IPv4Address(198, 51, number.rawValue, 1)
            let gateway = IPv4Address(198, 51, number.rawValue, 254)
            return DataplaneUplink(
                number: number, interface: name,
                attachment: WANModel.Attachment(
                    interfaceIndex: index, interface: name, addresses: [.v4(address)], gateway: .v4(gateway)),
                isSIM: number.rawValue == 3)
        }
    }

    /// Puts table, routes and rules in place.
    func apply(_ input: RulesetInput, ladder: [UplinkNumber] = RouterStage.numbers) throws {
        try nftables.apply(Ruleset.make(input))
        self.input = input
        self.ladder = ladder
        let wanted = WantedState.make(
            uplinks: input.uplinks, ladder: ladder, mark: input.mark, strict: input.strictUplinks)
        for table in [8700, 8701, 8702, 8703] { _ = try? router.run("ip", "route", "flush", "table", "\(table)") }
        let rules = try router.run("ip", "rule", "show").split(separator: "\n")
        for rule in rules {
            let priority = rule.prefix { $0 != ":" }
            if let number = UInt32(priority), Ownership.priorities.contains(number) {
                try router.run("ip", "rule", "del", "priority", "\(number)")
            }
        }
        for change in changes(from: KernelState(), to: wanted) { try router.run(lines: change.command) }
        // Flows of before would go on as they are.
        try router.run("conntrack", "-F")
    }

    /// Brings the table that stands to this, element by element, as the daemon does it.
    func steer(to next: RulesetInput) throws {
        guard let changes = steering(from: input, to: next) else { throw StageError(description: "needs a new table") }
        try elements.perform(changes.flatMap(\.inNetlink), in: .inet("wanctl"))
        input = next
    }

    func nft(_ command: String) throws { try nftables.apply(command + "\n") }

    func listing() throws -> String { try nftables.list(table: Ruleset.table) ?? "" }

    /// Packets that a named counter of our table has seen; 0 where there is none of the name.
    func packets(_ counter: String) throws -> Int {
        let words = try router.run("nft", "list", "counters", "table", "inet", "wanctl").split {
            " \n\t".contains($0)
        }
        guard let index = words.indices.first(where: { words[$0] == "counter" && words[$0 + 1] == counter }) else {
            return 0
        }
        return Int(words[index + 4]) ?? 0
    }
}

extension KernelChange {
    /// As ip(8) is told.
    fileprivate var command: String {
        switch self {
        case .putRoute(let route):
            let via = route.gateway.map { "via \($0) onlink " } ?? ""
            return "ip route replace \(route.key.destination) \(via)dev up\(route.interface.rawValue - 100) "
                + "table \(route.key.table) metric \(route.key.metric) proto 87"
        case .addRule(let rule):
            let words = rule.description.split(separator: " ").dropFirst().joined(separator: " ")
            return "ip rule add priority \(rule.priority) \(words) proto 87"
        case .removeRoute, .removeRule: return ""
        }
    }
}

extension TestNamespace {
    /// The kernel begins to send through a veth only after its link watch saw the carrier, up to a second later.
    func waitUntilRunning(_ name: String) throws {
        let deadline = Clock.boottime() + 5_000_000_000
        while Clock.boottime() < deadline {
            if try run("ip", "-o", "link", "show", "dev", name).contains("LOWER_UP") { return }
            poll(nil, 0, 5)
        }
        throw StageError(description: "\(name) never got a carrier")
    }
}

struct StageError: Error, CustomStringConvertible {
    var description: String
}
