import ControlText
import JSONText
import WANControl
import WANModel

extension PolicyVerdict {
    /// Every box of the site and what it will do; empty for a policy without nodes.
    func siteText(_ style: TextStyle) -> String {
        guard let policy, let vrrp = policy.vrrp, !policy.nodes.isEmpty else { return "" }
        let head =
            "\(policy.nodes.count) node\(policy.nodes.count == 1 ? "" : "s") share \(vrrp.address) on \(vrrp.interface); the one whose best usable uplink stands first has it: "
            + policy.siteOrder.joined(separator: ", ")
        let blocks = [style.wrap(printable(head), indent: 2, firstIndent: 0)] + siteParts.map { $0.lines(style) }
        return blocks.map { $0.map { $0 + "\n" }.joined() }.joined(separator: "\n")
    }

    /// For who checks the policy on a box that the site does not know by this name.
    func strangerNote(hostName: String) -> String? {
        guard let policy, !policy.nodes.isEmpty, !policy.nodes.contains(where: { $0.name == hostName }) else {
            return nil
        }
        return
            "This machine is called \(hostName), which is no node of the policy: a daemon on it would refuse the file. "
            + "Rename one of them, or start `wanctld --node NAME`."
    }

    /// One object for each node; null for a policy without nodes.
    var siteJSON: JSONValue {
        let parts = siteParts
        return parts.isEmpty ? nil : .array(parts.map(\.json))
    }

    private var siteParts: [SitePart] {
        guard let policy else { return [] }
        return policy.nodes.compactMap { node in
            // A node of the policy's own list is never unknown to it.
            do throws(UnknownNode) { return try SitePart(of: node.name, in: policy) } catch { return nil }
        }
    }
}
