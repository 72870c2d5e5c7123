internal import NetworkTypes

/// Policies for the boxes of a site's lab.
package enum SitePolicy {
    /// The site's policy as one box reads it: the same on each but for the two paths that tie it to its keepalived, since the
    /// boxes of a lab share one file system.
    ///
    /// - Parameters:
    ///   - run: The directory of what it shares with its keepalived; the box's own where none is given.
    ///   - order: `failover.order`; best first as everywhere in the lab where none is given.
    ///   - isSigned: The boxes sign what they tell each other, by the lab's key.
    ///   - vrrp: More keys of `vrrp`, such as `preempt: false`.
    ///   - probe: More keys of each line's `probe`.
    ///   - soracom: `SoracomInLab.policyLines()`, where SORACOM is there to be asked.
    ///   - more: Further sections at the end.
    package static func text(
        for node: SiteNode, in lab: SiteLab, hold: String = "10s", run: String? = nil, order: [LabUplink]? = nil,
        isSigned: Bool = true, vrrp: [String] = [], probe: [LabUplink: String] = [:], soracom: String? = nil,
        more: String = ""
    ) -> String {
        let boxes = lab.nodes.map { "  \($0.rawValue): {address: \($0.address)}\n" }.joined()
        let uplinks = lab.uplinks.map { text(of: $0, in: lab, probe: probe[$0], soracom: soracom) }.joined()
        let order = order ?? lab.uplinks
        let trackFile = run.map { "\($0)/health" } ?? lab.healthFile(of: node)
        let fifo = run.map { "\($0)/vrrp.fifo" } ?? lab.notifyFIFO(of: node)
        let settings =
            [
                "instance: VI_1", "interface: eth0", "router-id: 51", "address: \(LabAddress.virtual)/24",
                "track-file: \(trackFile)", "notify-fifo: \(fifo)",
            ] + (isSigned ? ["key: \(lab.keyFile)"] : []) + vrrp
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

    private static func text(of uplink: LabUplink, in lab: SiteLab, probe: String?, soracom: String?) -> String {
        let targets = LabAddress.targets.map(\.description).joined(separator: ", ")
        let node = lab.homes[uplink].map { "node: \($0.rawValue)" } ?? ""
        var lines = [node, "interface: \(lab.interface(of: uplink))"]
        if !uplink.isPointToPoint { lines.append("gateway: \(uplink.gateway)") }
        lines.append("probe: {targets: [\(targets)], patience: 200ms\(probe.map { ", \($0)" } ?? "")}")
        if uplink == .soracom {
            lines += ["metered: true", "keepalive: {idle: 25m, target: \(LabAddress.soracomMetadata)}"]
        }
        let more = uplink == .soracom ? soracom.map { "\($0)\n" } ?? "" : ""
        return "  \(uplink.rawValue):\n" + lines.map { "    \($0)\n" }.joined() + more
    }
}
