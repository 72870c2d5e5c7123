internal import NetworkTypes
internal import WANModel

// Addresses of what leaves.
extension Ruleset {
    static func addTranslation(_ text: inout TableText, _ site: RulesetSite) {
        // From the LAN to a forward of the router and back into the LAN: the server would answer its neighbour directly, from
        // an address that the neighbour never asked. What came in by an uplink has a pin and keeps its source.
        let hairpin =
            site.input.forwards.isEmpty
            ? []
            : [
                "\(site.mark.isUnset("ct")) oifname != @uplinks ct status dnat "
                    + "ct original ip daddr @\(TableNames.ownAddresses) masquerade"
            ]
        text.chain(
            TableNames.sourceNAT, hook: "nat hook postrouting priority srcnat",
            ["meta nfproto ipv4 oifname @uplinks masquerade"] + hairpin)
        // Drops what would leave an uplink with an address that is not that interface's: packets that conntrack calls invalid
        // and so cannot be translated, and the router's own last words (a reset, an ICMP error) on a line that is gone. A DHCP
        // client that has none yet says 0.0.0.0. Whose address it is the kernel looks up itself, so nothing has to follow when
        // an address changes.
        text.chain(
            "egress", hook: "filter hook postrouting priority srcnat + 10",
            ["oifname @uplinks ip saddr != 0.0.0.0 fib saddr . oif type != local counter drop"])
    }
}
