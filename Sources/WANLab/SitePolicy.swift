internal import NetworkTypes

/// Policies for the boxes of a site's lab.
package enum SitePolicy {
    /// The site's policy as one box reads it: the same on each but for the two paths that tie it to its keepalived, since the
    /// boxes of a lab share one file system.
    ///
    /// - Parameters:
    ///   - vrrp: More keys of `vrrp`, such as `preempt: false`.
    ///   - soracom: `SoracomInLab.policyLines()`, where SORACOM is there to be asked.
    ///   - more: Further sections at the end.
    package static func text(
        for node: SiteNode, in lab: SiteLab, hold: String = "10s", vrrp: [String] = [], soracom: String? = nil,
        more: String = ""
    ) -> String {
        let boxes = lab.nodes.map { "  \($0.rawValue): {address: \($0.address)}\n" }.joined()
        let uplinks = lab.nodes.map { uplink(of: $0, soracom: soracom) }.joined()
        // Best first, as everywhere in the lab: fibre, cable, SIM.
        let order = LabUplink.allCases.filter { uplink in lab.nodes.contains { $0.uplink == uplink } }
        let settings =
            [
                "instance: VI_1", "interface: eth0", "router-id: 51", "address: \(LabAddress.virtual)/24",
                "track-file: \(lab.healthFile(of: node))", "notify-fifo: \(lab.notifyFIFO(of: node))",
            ] + vrrp
        return """
            # The site of wanctl-lab: \(lab.nodes.map(\.rawValue).joined(separator: ", ")), as \(node.rawValue) reads it.
            version: 1
            site: lab

            lan:
              interfaces: [eth0]

            nodes:
            \(boxes)
            vrrp:
            \(settings.map { "  \($0)\n" }.joined())
            uplinks:
            \(uplinks)
            failover:
              order: [\(order.map(\.rawValue).joined(separator: ", "))]
              hold: \(hold)
            \(more)
            """
    }

    private static func uplink(of node: SiteNode, soracom: String?) -> String {
        let targets = LabAddress.targets.map(\.description).joined(separator: ", ")
        var lines = ["node: \(node.rawValue)", "interface: \(node.interface)"]
        if !node.uplink.isPointToPoint { lines.append("gateway: \(node.uplink.gateway)") }
        lines.append("probe: {targets: [\(targets)], patience: 200ms}")
        if node.uplink == .soracom {
            lines += ["metered: true", "keepalive: {idle: 25m, target: \(LabAddress.soracomMetadata)}"]
        }
        let more = node.uplink == .soracom ? soracom.map { "\($0)\n" } ?? "" : ""
        return "  \(node.uplink.rawValue):\n" + lines.map { "    \($0)\n" }.joined() + more
    }
}
