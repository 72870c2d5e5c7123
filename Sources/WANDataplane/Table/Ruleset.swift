internal import NetworkTypes
internal import WANModel

/// Our nftables table, as text for one transaction (nft(8)). It replaces the one that stands, if any.
///
/// How a packet meets it:
///
/// | hook | chain | what it does | file |
/// |---|---|---|---|
/// | prerouting | `prerouting` | pins what comes in by an uplink, restores what is pinned, classifies what is new | `+Pins`, `+Classify`, `+Classes` |
/// | prerouting | `dstnat` | forwards | `+Forwards` |
/// | forward | `forward` | guard, refusals, resets, then the pin of what passes, then MSS | `+Refusals`, `+Pins` |
/// | output | `untracked`, `output` | the daemon's own packets; restores what is pinned | `+Pins` |
/// | postrouting | `postrouting` | pins what the router itself sends | `+Pins` |
/// | postrouting | `srcnat`, `egress` | source NAT; nothing leaves with a foreign address | `+Translation` |
///
/// What changes while the table stands is in maps and sets (`TableNames`, `steering(from:to:)`). The kernel looks for loops
/// whenever an element of a verdict map changes, by walking all that can be reached from each base chain. Linux 6.18.44
/// remembers what it has walked (measured); one that does not walks every path. So the way from a rule to its class is not a
/// jump: see `+Classify`.
package enum Ruleset {
    package static let table = "inet wanctl"

    package static func make(_ input: RulesetInput) -> String {
        // An empty set or map is no syntax for a policy without uplinks; the table then only says that it is ours.
        guard !input.uplinks.isEmpty else { return removal + "table \(table) {\n}\n" }
        let site = RulesetSite(input)
        var text = TableText()
        text.collection(.set, "uplinks", ["type ifname"], site.interfaces.map(String.quoted))
        addUplinkChains(&text, site)
        addClasses(&text, site)
        addRules(&text, site)
        addPrerouting(&text, site)
        addForwards(&text, site)
        addForward(&text, site)
        addOutput(&text, site)
        addPostrouting(&text, site)
        addTranslation(&text, site)
        return removal + "table \(table) {\n" + text.text + "}\n"
    }

    /// Removes the table; no error where there is none.
    package static let removal = "add table \(table)\ndelete table \(table)\n"
}

/// What several parts of the ruleset ask of its input.
struct RulesetSite {
    let input: RulesetInput
    let mark: MarkText
    /// Each once, in order of number.
    let interfaces: [String]
    /// Whose flows an interface carries.
    let owners: [(interface: String, uplink: UplinkNumber)]
    /// All that a flow may be bound to.
    let numbers: [UplinkNumber]

    init(_ input: RulesetInput) {
        self.input = input
        mark = MarkText(layout: input.mark)
        var seen: Set<String> = []
        owners = input.uplinks.filter { seen.insert($0.interface).inserted }
            .map { (interface: $0.interface, uplink: $0.number) }
            .sorted { ($0.uplink, $0.interface) < ($1.uplink, $1.interface) }
        interfaces = owners.map(\.interface)
        numbers = Set(input.uplinks.map(\.number) + input.classes.flatMap(\.uplinks)).sorted()
    }

    /// `{ "ppp0", "wlan0" }`
    var interfaceList: String { .list(interfaces.map(String.quoted)) }

    /// What pins a flow by the interface it leaves or comes in by.
    var pins: String {
        .list(owners.map { "\(String.quoted($0.interface)) : jump \(TableNames.byChain($0.uplink))" })
    }

    /// What copies the pin of a flow to its packet.
    var copies: String {
        .list(numbers.map { "\(String.hex(input.mark.mark(of: $0).value)) : jump \(TableNames.toChain($0))" })
    }

    /// Interfaces of an uplink: two while a policy is exchanged.
    func interfaces(of uplink: UplinkNumber) -> [String] {
        var seen: Set<String> = []
        return input.uplinks.filter { $0.number == uplink && seen.insert($0.interface).inserted }.map(\.interface)
    }
}
