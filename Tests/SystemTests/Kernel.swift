import NetworkTypes
import WANLab

/// For the internet: its servers say nothing to TCP that is of no connection of theirs, as those behind many a firewall do.
let silentServers = """
    table inet strangers {
        chain input {
            type filter hook input priority 0
            ct state new tcp flags & (syn | rst) == 0 drop
        }
    }
    """

/// What the kernel of the router holds, in the words of its own tools.
extension World {
    /// Table 8700: the ladder of selected defaults.
    var ladder: String { get throws { try lab.run(in: .router, ["ip", "route", "show", "table", "8700"]).output } }

    /// An uplink's own table. Numbers are given in the policy's order at a first start.
    func table(of uplink: LabUplink) throws -> String {
        let place = LabUplink.allCases.firstIndex(of: uplink) ?? 0
        return try lab.run(in: .router, ["ip", "route", "show", "table", "\(8701 + place)"]).output
    }

    /// Everything that is ours, as `ip` and `nft` list it; counters and handles are not in it.
    func ours() throws -> String {
        try kernelLines { line in line.contains("proto 87") }
            + lab.run(in: .router, ["nft", "-s", "list", "table", "inet", "wanctl"]).output
    }

    /// Everything that is not ours.
    func foreign() throws -> String {
        let rules = try kernelLines { line in !line.contains("proto 87") }
        let tables = try lab.mustRun(in: .router, ["nft", "list", "tables"]).split(separator: "\n")
            .filter { $0 != "table inet wanctl" }
            .map { try lab.mustRun(in: .router, ["nft", "-s", "list"] + $0.split(separator: " ").map(String.init)) }
        return rules + tables.joined()
    }

    private func kernelLines(_ isIncluded: (Substring) -> Bool) throws -> String {
        let routes = try lab.mustRun(in: .router, ["ip", "-4", "-N", "route", "show", "table", "all"])
        let rules = try lab.mustRun(in: .router, ["ip", "-4", "-N", "rule", "show"])
        return (routes + rules).split(separator: "\n").filter(isIncluded)
            .map { $0.split { $0 == " " || $0 == "\t" }.joined(separator: " ") }.sorted().joined(separator: "\n") + "\n"
    }

    /// Flows that connection tracking translates to this source address.
    func flows(from address: IPv4Address) throws -> [String] {
        try lab.mustRun(in: .router, ["conntrack", "-L", "-o", "extended"]).split(separator: "\n").map(String.init)
            .filter { line in
                // Our own probes leave from the address without being translated; a flow of the LAN is answered to it.
                line.contains("dst=\(address) ") && line.contains("src=192.168.0.")
            }
    }
}
