package import NetworkTypes
package import WANModel

/// An uplink as the data plane sees it.
package struct DataplaneUplink: Hashable, Sendable {
    package var number: UplinkNumber
    package var interface: String
    /// `nil` while it is not attached.
    package var attachment: Attachment?
    /// Whether it has a SIM whose network answers to anybody behind it (`soracom:` of the policy).
    package var isSIM: Bool
    /// Whether traffic may be put on it: what has its address already then leaves by it.
    package var isUsable: Bool
    /// Name servers that are reached over this uplink only.
    package var nameServers: [IPv4Address]

    package init(
        number: UplinkNumber, interface: String, attachment: Attachment?, isSIM: Bool = false, isUsable: Bool = true,
        nameServers: [IPv4Address] = []
    ) {
        self.number = number
        self.interface = interface
        self.attachment = attachment
        self.isSIM = isSIM
        self.isUsable = isUsable
        self.nameServers = nameServers
    }

    /// Its IPv4 addresses of now, the one that packets should carry first.
    package var addresses: [IPv4Address] { (attachment?.addresses ?? []).compactMap(\.v4) }
}
