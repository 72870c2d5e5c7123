/// The classic site that wanctl replaces, to measure beside it: two boxes with keepalived, a check script and notify scripts.
///
/// As such set-ups are written since 2016: `main` pings over the fibre, and the notify scripts of both boxes set the default route
/// and forwarding: a master routes over its own line, a backup sends its own traffic to the virtual address.
package final class ClassicSite: Sendable {
    package let lab: SiteLab
    private let keepalived: [SiteKeepalived]

    /// Returns when `main` has the address.
    package static func start(in lab: SiteLab) throws(LabError) -> ClassicSite {
        var running: [SiteKeepalived] = []
        for node in lab.nodes {
            try lab.routePlainly(node)
            let classic = classic(node, in: lab)
            try doing("write the scripts of \(node.rawValue)") { try classic.writeScripts() }
            running.append(
                try SiteKeepalived.start(on: node, in: lab, configuration: classic.configuration))
        }
        let site = ClassicSite(lab, running)
        try lab.waitForOwners([.main], atMost: .seconds(20))
        return site
    }

    private init(_ lab: SiteLab, _ keepalived: [SiteKeepalived]) {
        self.lab = lab
        self.keepalived = keepalived
    }

    package func stop() {
        for each in keepalived { each.stop() }
    }

    private static func classic(_ node: SiteNode, in lab: SiteLab) -> ClassicKeepalived {
        let own = lab.plainDefault(over: node.uplink).joined(separator: " ")
        return ClassicKeepalived(
            folder: lab.directory(of: node), name: node.rawValue, isFirst: node == .main,
            priority: node == .main ? 200 : node == .sub ? 100 : 50, interface: node.interface,
            // The route first, to be fair: forwarding before it lets flows be tracked without translation, on the way back to
            // the box itself, and those are lost for as long as they last.
            master: "\(own)\necho 1 > /proc/sys/net/ipv4/ip_forward",
            backup:
                "echo 0 > /proc/sys/net/ipv4/ip_forward\nexec ip route replace default via \(LabAddress.virtual) dev eth0"
        )
    }
}
