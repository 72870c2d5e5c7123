/// A part of the format that is read and checked before every release can obey it.
package enum PolicyPart: String, Hashable, Sendable, CaseIterable {
    case nodes, vrrp, rules, forwards, notify, weights, dns, ipv6

    /// What this release obeys. A part that works moves in here, and nothing else changes.
    package static let obeyed: Set<PolicyPart> = [.nodes, .vrrp, .rules, .forwards, .weights, .dns]

    /// Where a policy uses a part first.
    struct Use: Hashable, Sendable {
        var part: PolicyPart
        var file: String
        var position: SourcePosition
    }

    /// What the policy has there, in a sentence.
    private var name: String {
        switch self {
        case .nodes: "nodes"
        case .vrrp: "vrrp"
        case .rules: "rules"
        case .forwards: "forwards"
        case .notify: "notify"
        case .weights: "shares within a step of an order"
        case .dns: "dns of an uplink"
        case .ipv6: "an IPv6 address"
        }
    }

    /// What to do until then.
    private var advice: String {
        switch self {
        case .nodes: "write one policy for each box, with the uplinks it has, and remove nodes"
        case .vrrp: "remove it and leave the virtual address to keepalived alone"
        case .rules: "remove them; all traffic would follow failover"
        case .forwards: "remove them and forward the ports in your own nftables table"
        case .notify: "remove it and watch the journal or `wanctl watch`"
        case .weights: "name the uplinks one after the other"
        case .dns: "remove it; name servers are left as they are"
        case .ipv6: "write IPv4 addresses; IPv6 is not routed yet"
        }
    }

    func fault(at position: SourcePosition, in file: String) -> PolicyFault {
        PolicyFault(
            file: file, at: position, problem: "this release reads \(name) but cannot obey it yet", advice: advice)
    }
}

extension [PolicyPart.Use] {
    /// One fault for each part that is used and not obeyed, in the order of the file.
    func unsupported(obeying obeyed: Set<PolicyPart>, file: String) -> [PolicyFault] {
        filter { !obeyed.contains($0.part) }.map { $0.part.fault(at: $0.position, in: $0.file) }.inOrder(from: file)
    }
}
