package import NetworkTypes

/// The virtual router that the boxes of a site share (RFC 9568, VRRP version 3), as keepalived is to be told of it.
///
/// keepalived speaks VRRP; the daemon feeds it a number through `trackFile` and hears of its state through `notifyFIFO`. Where
/// the administrator keeps a keepalived file of his own, these two paths are all that the daemon needs.
package struct VRRP: Hashable, Sendable {
    /// What a node does about forwarding while another one has the address.
    package enum BackupForwarding: String, Hashable, Sendable, CaseIterable {
        /// It forwards nothing: hosts that kept it as their gateway find out.
        case off
        /// As `lan.forwarding` says.
        case leave
    }

    package var instance: String
    package var interface: String
    /// VRID, 1…255.
    package var routerID: UInt8
    /// The address that the hosts of the LAN have as their gateway, with the length of its network.
    package var address: IPPrefix
    /// Between two advertisements: whole hundredths of a second (RFC 9568 section 5.2.7), as `advert_int` of keepalived.
    package var advertisement: Duration = .milliseconds(100)
    /// Whether the better node takes the address from one that lives: see `NodeHealth.yield` for what it means where not.
    package var preempts = true
    /// How long the better node waits before it does.
    package var preemptDelay: Duration = .zero
    /// Advertisements go to the other nodes' addresses, not to 224.0.0.18.
    package var isUnicast = true
    /// Of a node without a usable uplink; its health comes on top (`NodeHealth.priority`).
    package var priority = 100
    package var trackFile = VRRP.defaultTrackFile
    package var notifyFIFO = VRRP.defaultNotifyFIFO
    /// The file of the secrets with which the boxes sign what they tell each other, or the name of a credential.
    package var key: String?
    package var backupForwarding = BackupForwarding.leave

    package static let defaultTrackFile = "/run/wanctl/health"
    package static let defaultNotifyFIFO = "/run/wanctl/vrrp.fifo"

    /// A better node does not take the address by itself, or only after `preemptDelay`: see `NodeHealth.yield`.
    package var mustGive: Bool { !preempts || preemptDelay > .zero }

    package init(instance: String, interface: String, routerID: UInt8, address: IPPrefix) {
        self.instance = instance
        self.interface = interface
        self.routerID = routerID
        self.address = address
    }
}
