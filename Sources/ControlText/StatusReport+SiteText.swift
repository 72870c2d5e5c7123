internal import WANControl
internal import WANModel

/// What `wanctl status` says of the other boxes and of the address they share.
extension StatusReport {
    /// A line on the virtual address, then one for each peer; none for a box that is alone.
    func siteLines(_ style: TextStyle) -> [String] {
        guard virtualAddress != nil || !peers.isEmpty else { return [] }
        let head = style.wrap("\(siteName): \(addressText)\(reasonText).", indent: 2, firstIndent: 0)
        let tint: TextStyle.Tint = masters.count > 1 ? .bad : holder == nil ? .doubtful : .plain
        return head.map { style.paint($0, tint) }
            + peers.flatMap { peer in
                style.wrap(peer.line, indent: 4, firstIndent: 2).map { style.paint($0, peer.tint) }
            }
    }

    /// For the first line: who is silent, and when it is not clear whose the address is.
    var siteTroubles: [String] {
        let silent = peers.filter { !$0.isPresent }.map { "\(printable($0.node)) is silent" }
        if masters.count > 1 { return silent + ["\(masters.count) nodes are master"] }
        // Where somebody is silent it may be that one.
        return masters.isEmpty && silent.isEmpty && !peers.isEmpty ? ["no node is master"] : silent
    }

    /// Who says now that it is master.
    private var masters: [String] {
        (role == .master ? [node] : []) + peers.filter { $0.isPresent && $0.role == .master }.map(\.node)
    }

    private var holder: String? { virtualAddress?.holder ?? (masters.count == 1 ? masters.first : nil) }
    private var siteName: String { site.map { "Site \(printable($0))" } ?? "Site" }

    private var addressText: String {
        let address = virtualAddress.map { printable($0.address) }
        if masters.count > 1 {
            let names = masters.map { printable($0) }.joined(separator: " and ")
            // Their words pass: so it is no split LAN, but a firewall or a VRID, or the moment of a change.
            return
                "\(names) each say that they have \(address ?? "the address"); unless that ends at once, VRRP does not pass between them, or keepalived died on one"
        }
        // Who has no role has heard nothing of keepalived yet.
        let own = role == .alone ? "\(printable(node)) has no role" : "\(printable(node)) is \(role.rawValue)"
        guard let holder else { return "it is not known who has \(address ?? "the virtual address"); \(own)" }
        let has = address.map { " (has \($0))" } ?? ""
        return holder == node ? "\(own)\(has)" : "\(printable(holder)) is master\(has); \(own)"
    }

    private var reasonText: String {
        roleReason.map { "\(masters.count > 1 ? "; \(printable(node))" : ""): \(printable($0))" } ?? ""
    }
}

extension PeerReport {
    /// `sub, backup, heard 1s ago: soracom up.`
    fileprivate var line: String {
        let name = printable(node)
        guard let heard, let role else { return "\(name) (\(printable(address))) has not been heard yet." }
        guard isPresent else {
            let word = uplinks.isEmpty ? "" : ": \(uplinkText)"
            return "\(name), silent, last heard \(heard.spokenText) ago as \(role.rawValue)\(word)."
        }
        let when = heard < .seconds(1) ? "just now" : "\(heard.spokenText) ago"
        let fitness = isFit ? "" : "; it cannot be master"
        let pin = pinned.map { "; pinned to \(printable($0)) by hand there" } ?? ""
        return "\(name), \(role.rawValue), heard \(when)\(uplinks.isEmpty ? "" : ": \(uplinkText)")\(pin)\(fitness)."
    }

    private var uplinkText: String {
        uplinks.map { uplink in
            let isInUse = role == .master && selected.contains(uplink.name)
            return "\(printable(uplink.name)) \(uplink.state.rawValue)\(isInUse ? " and selected" : "")"
        }.joined(separator: ", ")
    }

    private var isFit: Bool { health.map { $0 > NodeHealth.none } ?? true }

    fileprivate var tint: TextStyle.Tint { isPresent && isFit ? .plain : .doubtful }
}
