internal import NetworkTypes
internal import WANModel

// What does not pass, and how it is told.
extension Ruleset {
    /// The network of SORACOM's own services: its metadata service lets whoever asks it over a SIM reconfigure that SIM.
    static let simNetwork = "100.127.0.0/16"

    /// For so long a connection that was moved is owed a reset.
    static let tornSpan = Duration.seconds(60)

    static func addForward(_ text: inout TableText, _ site: RulesetSite) {
        addRefused(&text, site)
        text.collection(
            .set, TableNames.torn,
            [
                "type ipv4_addr . inet_service . ipv4_addr . inet_service", "flags timeout",
                "timeout \(String.time(tornSpan))",
                "size 65535",
            ], [])
        text.collection(
            .set, TableNames.strays, ["type nf_proto"], site.input.resetsStrays ? ["ipv4"] : [])
        text.counter(TableNames.resets)
        // A chain of its own: libnftables 1.1 refuses a TCP reset in a rule that looks at `meta nfproto` as well.
        text.chain(
            TableNames.resets, ["counter name \(String.quoted(TableNames.resets)) reject with tcp reset"])
        text.chain(
            "forward", hook: "filter hook forward priority mangle",
            addGuard(&text, site) + [
                "oifname @uplinks meta mark and \(site.mark.mask) vmap \(String.list(refusals(site)))",
                // A flow that was moved has lost its translation, and so its server: its client is told with its next
                // segment, which conntrack takes for a flow of its own. Not by an answer to a new connection's, nor to another
                // reset; and one that the client has opened since from the same port is tracked and goes its way.
                "iifname != @uplinks ct state new,invalid,untracked tcp flags & (syn | rst) == 0 "
                    + "ip saddr . tcp sport . ip daddr . tcp dport @\(TableNames.torn) goto \(TableNames.resets)",
                // Its server would answer a stranger's segment with a reset, or not at all. Only `new`: a segment that is out
                // of its window is invalid, and its connection may be well.
                "iifname != @uplinks oifname @uplinks ct state new tcp flags & (syn | rst) == 0 "
                    + "meta nfproto @\(TableNames.strays) goto \(TableNames.resets)",
                pinOfForward(site),
                "oifname @uplinks tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu",
                "iifname @uplinks tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu",
            ])
    }

    /// Everything in `forward` comes from somebody else than the router.
    private static func addGuard(_ text: inout TableText, _ site: RulesetSite) -> [String] {
        var seen: Set<String> = []
        let sims = site.input.uplinks.filter { $0.isSIM && seen.insert($0.interface).inserted }.map(\.interface)
        if sims.isEmpty { return [] }
        text.counter(TableNames.guarded)
        return [
            "oifname \(String.list(sims.map(String.quoted))) ip daddr \(simNetwork) "
                + "counter name \(String.quoted(TableNames.guarded)) drop"
        ]
    }

    /// By what the mark of a packet says. A strict one is about to leave by the wrong uplink where a route of `main` names
    /// its destination, such as a name server's: the routing rules ask `main` first.
    private static func refusals(_ site: RulesetSite) -> [String] {
        let layout = site.input.mark
        return [
            "\(String.hex(layout.mark(.reject).value)) : goto refused",
            "\(String.hex(layout.mark(.drop).value)) : goto discarded",
        ]
            + site.input.strictUplinks.sorted().map {
                "\(String.hex(layout.strictMark(of: $0).value)) : jump strict_\($0)"
            }
    }

    private static func addRefused(_ text: inout TableText, _ site: RulesetSite) {
        text.counter(TableNames.refused)
        text.chain(
            "refused",
            [
                "counter name \(String.quoted(TableNames.refused))", "meta l4proto tcp reject with tcp reset",
                "reject with icmpx type admin-prohibited",
            ])
        text.counter(TableNames.discarded)
        text.chain("discarded", ["counter name \(String.quoted(TableNames.discarded)) drop"])
        for uplink in site.input.strictUplinks.sorted() {
            let own = site.interfaces(of: uplink).map(String.quoted)
            text.chain("strict_\(uplink)", ["\(own.isEmpty ? "" : "oifname != \(String.list(own)) ")goto refused"])
        }
    }
}
