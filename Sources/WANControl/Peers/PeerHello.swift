package import WANModel

/// What a box of a site tells the other boxes, about once a second.
///
/// It is for people's eyes (`wanctl status`), and for refusing a `wanctl failover` to an uplink of another box that cannot
/// work. It decides nothing about roles: VRRP does that, and keepalived tells a box nothing of its peers. Without `vrrp.key`, whoever may
/// send from a peer's address in the LAN may say anything in its name.
package struct PeerHello: Hashable, Sendable {
    /// One of the box's own uplinks.
    package struct Uplink: Hashable, Sendable {
        package var name: String
        package var state: UplinkReport.State

        package init(name: String, state: UplinkReport.State) {
            self.name = name
            self.state = state
        }
    }

    /// As the policy names the box: 1 to 63 bytes.
    package var node: String
    package var site: String?
    package var version: String
    /// A fingerprint of what all boxes must agree on; `nil` from a release that has none.
    package var policy: String?
    /// The uplink that the operator wants, by the word of this box.
    package var pinned: String?
    /// A random number of this run of the sender, and the number of the hello in it, from 1 up.
    ///
    /// Together they order hellos without a clock: a box that has booted, or whose clock has jumped, is not taken for an old one.
    /// `PeerExchange` fills them in.
    package var run: Int64
    package var sequence: Int64
    package var role: BoxRole
    /// What stands in the track file (`NodeHealth`).
    package var health: Int
    /// Names of the uplinks that new traffic takes.
    package var selected: [String]
    /// In the order of the policy; the last ones are left out where they do not fit into a datagram.
    package var uplinks: [Uplink]
    /// How many names of `selected` and `uplinks` the sender left out.
    package var leftOut: Int

    package init(
        node: String, site: String? = nil, version: String, policy: String? = nil, pinned: String? = nil,
        run: Int64 = 0, sequence: Int64 = 0,
        role: BoxRole, health: Int, selected: [String], uplinks: [Uplink], leftOut: Int = 0
    ) {
        self.node = node
        self.site = site
        self.version = version
        self.policy = policy
        self.pinned = pinned
        self.run = run
        self.sequence = sequence
        self.role = role
        self.health = health
        self.selected = selected
        self.uplinks = uplinks
        self.leftOut = leftOut
    }
}
