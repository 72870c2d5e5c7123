internal import NetworkTypes
package import WANModel

/// Our nftables table, as text for one transaction (nft(8)).
///
/// A flow remembers the uplink it started on in our bits of the ct mark, whichever side started it:
/// - `postrouting` writes it when a flow first leaves by an uplink, `prerouting` when one comes in by an uplink;
/// - `prerouting` (what the LAN sends) and `output` (what the router sends) copy it to the packet, and a routing rule leads
///   marked packets to that uplink's table. Other programs' bits of both marks survive.
///
/// A packet that already has our bits before its flow does comes from a socket of the router that chose its uplink itself,
/// such as our probes: it needs no pin and is not counted as a flow of that uplink.
///
/// `egress` drops what would leave an uplink with an address that is not that interface's: packets that conntrack calls
/// invalid and so cannot be translated, and the router's own last words (a reset, an ICMP error) on a line that is gone.
/// A DHCP client that has none yet says 0.0.0.0. Whose address it is the kernel looks up itself, so nothing has to follow when an address changes.
///
/// The copy is a jump to a chain of constants for each uplink, since kernels before 6.14 cannot combine two registers in
/// one bitwise expression.
package enum Ruleset {
    package static let table = "inet wanctl"

    /// `uplinks` may name an uplink twice, with two interfaces: while a policy is exchanged both its old and its new one are
    /// translated and pinned.
    package static func make(uplinks: [DataplaneUplink], mark: MarkLayout) -> String {
        let mask = hex(mark.mask)
        let rest = hex(~mark.mask)
        let sorted = uplinks.sorted { ($0.number, $0.interface) < ($1.number, $1.interface) }
        let values = Set(sorted.map(\.number)).sorted().map { ($0, hex(mark.mark(of: $0).value)) }
        let copies = values.map { "\($1) : jump to_\($0)" }.joined(separator: ", ")
        // An empty set or map is no syntax for a policy without uplinks; the table then only says that it is ours.
        guard !sorted.isEmpty else { return "add table \(table)\ndelete table \(table)\ntable \(table) {\n}\n" }
        let names = sorted.map { quoted($0.interface) }.joined(separator: ", ")
        let chains = values.map { number, value in
            """
                chain to_\(number) {
                    meta mark set meta mark and \(rest) or \(value)
                }
                chain by_\(number) {
                    ct mark set ct mark and \(rest) or \(value)
                }
            """
        }.joined(separator: "\n")
        let byInterface = sorted.map { "\(quoted($0.interface)) : jump by_\($0.number)" }
            .joined(separator: ", ")
        return """
            add table \(table)
            delete table \(table)
            table \(table) {
                set uplinks {
                    type ifname
                    elements = { \(names) }
                }
            \(chains)
                chain prerouting {
                    type filter hook prerouting priority mangle; policy accept;
                    iifname @uplinks ct state new ct mark and \(mask) == 0 iifname vmap { \(byInterface) }
                    iifname != @uplinks ct mark and \(mask) vmap { \(copies) }
                }
                chain output {
                    type route hook output priority mangle; policy accept;
                    ct mark and \(mask) vmap { \(copies) }
                }
                chain forward {
                    type filter hook forward priority mangle; policy accept;
                    oifname @uplinks tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu
                    iifname @uplinks tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu
                }
                chain postrouting {
                    type filter hook postrouting priority mangle; policy accept;
                    ct mark and \(mask) == 0 meta mark and \(mask) == 0 oifname vmap { \(byInterface) }
                }
                chain srcnat {
                    type nat hook postrouting priority srcnat; policy accept;
                    meta nfproto ipv4 oifname @uplinks masquerade
                }
                chain egress {
                    type filter hook postrouting priority srcnat + 10; policy accept;
                    oifname @uplinks ip saddr != 0.0.0.0 fib saddr . oif type != local counter drop
                }
            }

            """
    }

    /// Removes the table; no error where there is none.
    package static let removal = "add table \(table)\ndelete table \(table)\n"

    private static func hex(_ value: UInt32) -> String {
        let digits = String(value, radix: 16)
        return "0x" + String(repeating: "0", count: 8 - digits.count) + digits
    }

    /// Interface names come from a checked policy, without quotes or newlines.
    private static func quoted(_ name: String) -> String { "\"\(name)\"" }
}
