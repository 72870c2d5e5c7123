internal import NetworkTypes
internal import WANModel

// A flow remembers the uplink it started on in our bits of the ct mark, whichever side started it:
//
// - `prerouting` writes it when a flow comes in by an uplink, `forward` when what passes leaves by one, `postrouting` when what
//   the router itself sends does;
// - `prerouting` (what the LAN sends) and `output` (what the router sends) copy it to the packet, and a routing rule leads
//   marked packets to that uplink's table. Other programs' bits of both marks survive.
//
// A packet of the router that already has our bits before its flow does comes from a socket that chose its uplink itself, such
// as our probes: it needs no pin and is not counted as a flow of that uplink. What passes through may have them from
// `classify`, and is pinned where it really leaves.
extension Ruleset {
    /// The copy is a jump to a chain of constants for each uplink: see `MarkText`.
    static func addUplinkChains(_ text: inout TableText, _ site: RulesetSite) {
        let strict = site.input.strictUplinks
        for uplink in site.numbers {
            let value = site.input.mark.mark(of: uplink).value
            text.chain(TableNames.toChain(uplink), [site.mark.set("meta", to: value)])
            text.chain(TableNames.byChain(uplink), [site.mark.set("ct", to: value)])
            if strict.contains(uplink) {
                text.chain(
                    TableNames.onlyChain(uplink),
                    [site.mark.set("meta", to: site.input.mark.strictMark(of: uplink).value)])
            }
        }
    }

    /// Other programs set their marks at the priority `mangle`: rules may ask for them, and we add ours to what they leave.
    static func addPrerouting(_ text: inout TableText, _ site: RulesetSite) {
        let mark = site.mark
        text.chain(
            "prerouting", hook: "filter hook prerouting priority mangle + 10",
            [
                "iifname @uplinks ct state new \(mark.isUnset("ct")) iifname vmap \(site.pins)",
                "iifname != @uplinks ct mark and \(mark.mask) vmap \(site.copies)",
            ] + classifying(site))
    }

    /// The pin of what passes; behind whatever refuses it.
    static func pinOfForward(_ site: RulesetSite) -> String {
        "\(site.mark.isUnset("ct")) oifname vmap \(site.pins)"
    }

    static func addOutput(_ text: inout TableText, _ site: RulesetSite) {
        // What the daemon forges is of no flow; conntrack would make one of it.
        let untracked = String.hex(site.input.mark.mark(.untracked).value)
        text.chain(
            "untracked", hook: "filter hook output priority raw",
            ["meta mark and \(site.mark.mask) == \(untracked) notrack"])
        text.chain(
            "output", hook: "route hook output priority mangle", ["ct mark and \(site.mark.mask) vmap \(site.copies)"])
    }

    static func addPostrouting(_ text: inout TableText, _ site: RulesetSite) {
        text.chain(
            "postrouting", hook: "filter hook postrouting priority mangle",
            ["\(site.mark.isUnset("ct")) \(site.mark.isUnset("meta")) oifname vmap \(site.pins)"])
    }
}
