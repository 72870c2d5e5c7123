package import WANModel

/// What the parts of our table are called, where more than one file has to know it: chains, and the sets, maps and counters
/// that are changed or read while it stands.
package enum TableNames {
    /// Counter and chain of a rule of the policy, by its index.
    package static func rule(_ index: Int) -> String { "rule_\(index)" }
    /// `meta nfproto` → where new flows of a class go.
    package static func choice(_ classIndex: Int) -> String { "choice_\(classIndex)" }
    /// Bucket of a flow, 0…255 → the chain of an uplink.
    package static func buckets(_ classIndex: Int) -> String { "buckets_\(classIndex)" }
    /// Sources that stay with an uplink of a class.
    package static func sticky(_ classIndex: Int, _ uplink: UplinkNumber) -> String { "sticky_\(classIndex)_\(uplink)" }
    /// `meta nfproto` → the chain of the uplink, while it takes part: sources may stay with it.
    package static func hold(_ classIndex: Int, _ uplink: UplinkNumber) -> String { "hold_\(classIndex)_\(uplink)" }
    /// Addresses of uplinks that have forwards → the chain of these forwards.
    package static let own = "own"
    /// The same addresses as a set.
    package static let ownAddresses = "own_addresses"
    /// Connections that are to be answered with a reset: address and port in the LAN, address and port of the server.
    package static let torn = "torn"
    /// `meta nfproto`: while it is in here, connections that come in the middle, unknown to this router, get a reset.
    package static let strays = "strays"

    /// Counters of what was refused, discarded, kept from the network of a SIM, reset.
    package static let refused = "refused"
    package static let discarded = "discarded"
    package static let guarded = "guarded"
    package static let resets = "resets"

    static func shareChain(_ classIndex: Int) -> String { "share_\(classIndex)" }
    static func classChain(_ classIndex: Int) -> String { "class_\(classIndex)" }
    static func keepChain(_ classIndex: Int, _ uplink: UplinkNumber) -> String { "keep_\(classIndex)_\(uplink)" }
    static func toChain(_ uplink: UplinkNumber) -> String { "to_\(uplink)" }
    static func onlyChain(_ uplink: UplinkNumber) -> String { "only_\(uplink)" }
    static func byChain(_ uplink: UplinkNumber) -> String { "by_\(uplink)" }
    static func forwardChain(_ uplink: UplinkNumber) -> String { "forward_\(uplink)" }
    /// The chain that translates: where it stands, a table of ours is in force.
    package static let sourceNAT = "srcnat"
    static let refuseChain = "refuse"
    static let discardChain = "discard"
}
