import ControlText
import NetworkTypes
import WANControl
import WANModel

extension PolicyVerdict {
    /// In which order the uplinks are used, how they share, and what leads in; nothing for a site, whose boxes say it.
    func ordersText(_ style: TextStyle) -> String {
        guard let policy, policy.nodes.isEmpty else { return "" }
        var lines = paragraph("lan", lanText(policy.lan), style)
        lines += paragraph("order", policy.failover.order.map(\.description).joined(separator: ", "), style)
        let servers = policy.uplinks.compactMap { uplink in
            let names = uplink.dns.map(\.description) + [uplink.dnsFile].compactMap(\.self)
            return names.isEmpty ? nil : "\(uplink.name) asks \(names.joined(separator: " and "))"
        }
        if !servers.isEmpty { lines += paragraph("dns", servers.joined(separator: ", "), style) }
        for forward in policy.forwards { lines += paragraph("forward", forward.text, style) }
        return lines.map { $0 + "\n" }.joined()
    }

    private func lanText(_ lan: LAN) -> String {
        switch lan.forwarding {
        case .on where lan.interfaces.isEmpty:
            "none, so nobody is forwarded for unless something else turns it on; `lan: {interfaces: [eth0]}` does"
        case .on: lan.interfaces.joined(separator: ", ")
        case .leave: "forwarding is left as it is set"
        }
    }

    private func paragraph(_ title: String, _ text: String, _ style: TextStyle) -> [String] {
        style.wrap(printable("\(title): \(text)"), indent: 2, firstIndent: 0)
    }
}

extension Forward {
    /// `tcp 80 on ftth to 192.168.0.10:8080`
    var text: String {
        let range = ports.count == 1 ? "\(ports.lowerBound)" : "\(ports.lowerBound)-\(ports.upperBound)"
        return "\(transport.rawValue) \(range) on \(uplinks.joined(separator: " and ")) to \(host):\(hostPort)"
    }
}
