internal import CMnl
internal import Glibc
package import NetworkTypes
internal import PacketWire

/// Tells whether an interface is a wireless one, by asking nl80211 as iw(8) does.
package struct WirelessProbe: ~Copyable {
    private var socket: NetlinkSocket
    /// nl80211's message type; the kernel gives it out when the module is loaded.
    private var family: UInt16?

    /// Opens a socket in the calling thread's network namespace; it stays in it.
    package init() throws(NetlinkError) {
        socket = try NetlinkSocket.open(bus: NETLINK_GENERIC, receiveBuffer: 1 << 18, purpose: "open generic netlink")
    }

    /// Whether the interface belongs to an 802.11 device; false where the kernel has no nl80211 and where the interface is gone.
    package mutating func isWireless(_ index: InterfaceIndex) throws(NetlinkError) -> Bool {
        // Twice: the module may have been loaded again under another number.
        for _ in 0..<2 {
            guard let number = try resolve() else { return false }
            let question = GenericNetlinkRequest.wirelessInterface(index, family: number)
            let verdict = try socket.ask(isDump: false, for: "\(question)", question.write) {
                (_, _) throws(WireError) in
            }
            switch verdict?.errno {
            case 0, nil: return true
            case ENOENT: family = nil
            case ENODEV, EINVAL, EOPNOTSUPP: return false
            case .some(let errno): throw NetlinkError(operation: "\(question)", errno: errno)
            }
        }
        return false
    }

    private mutating func resolve() throws(NetlinkError) -> UInt16? {
        if let family { return family }
        family = try number(ofFamily: "nl80211")
        return family
    }

    /// The message type of a generic netlink family; `nil` where the kernel has none of this name.
    package mutating func number(ofFamily name: String) throws(NetlinkError) -> UInt16? {
        let question = GenericNetlinkRequest.family(name)
        var number: UInt16?
        let verdict = try socket.ask(isDump: false, for: "\(question)", question.write) {
            (_, payload) throws(WireError) in
            number = try GenericNetlinkRequest.familyNumber(in: payload)
        }
        if verdict?.errno == ENOENT { return nil }
        if let verdict, verdict.errno != 0 { throw NetlinkError("\(question)", verdict) }
        return number
    }
}
