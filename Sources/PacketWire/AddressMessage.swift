package import NetworkTypes

/// An address of an interface: `ip address show` (rtnetlink(7) RTM_NEWADDR).
package struct AddressMessage: Hashable, Sendable {
    package var interface: InterfaceIndex
    package var local: IPAddress
    /// The other end of a point-to-point link, else the local address.
    package var peer: IPAddress
    /// Of the local address, or of the peer where there is one.
    package var prefixLength: UInt8
    package var flags: Flags

    package var family: AddressFamily { local.family }

    /// What the kernel reaches over the interface because of the address.
    package var network: IPPrefix { IPPrefix(peer, length: Int(prefixLength)) ?? IPPrefix(host: peer) }

    /// IFA_F_* (linux/if_addr.h).
    package struct Flags: OptionSet, Hashable, Sendable {
        package let rawValue: UInt32
        package init(rawValue: UInt32) { self.rawValue = rawValue }
        package static let deprecated = Flags(rawValue: 0x20)
        package static let permanent = Flags(rawValue: 0x80)
        /// The kernel makes no route to its network; who gave the address may have put one anywhere.
        package static let noPrefixRoute = Flags(rawValue: 0x200)
    }

    /// Reads what follows the netlink header of an RTM_NEWADDR or RTM_DELADDR.
    package init(_ bytes: RawSpan) throws(WireError) {
        try bytes.require(header: 8)
        let family: UInt8 = try bytes.native(at: 0)
        prefixLength = try bytes.native(at: 1)
        var flags = UInt32(try bytes.native(at: 2, as: UInt8.self))
        interface = InterfaceIndex(rawValue: try bytes.native(at: 4))
        var address: IPAddress?
        var local: IPAddress?
        try forEachAttribute(in: bytes.extracting(droppingFirst: 8)) { (kind, payload) throws(WireError) in
            switch Kind(rawValue: kind) {
            case .address: address = try payload.address()
            case .local: local = try payload.address()
            case .flags: flags = try payload.native(at: 0)  // 256 and up overflow the header's byte
            case nil: break
            }
        }
        // IPv4 always has both and they differ only towards a peer; IPv6 has IFA_LOCAL only where there is a peer.
        guard let own = local ?? address, own.family.rawValue == family, address?.family ?? own.family == own.family
        else { throw WireError(.badValue(field: "ifa_family", value: Int(family)), at: 0) }
        self.local = own
        peer = address ?? own
        self.flags = Flags(rawValue: flags)
    }

    /// IFA_*, by the kernel's numbers.
    private enum Kind: UInt16 {
        case address = 1
        case local = 2
        case flags = 8
    }
}
