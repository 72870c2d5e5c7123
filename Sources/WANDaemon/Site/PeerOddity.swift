internal import WANControl

/// What came to the port of the boxes and was not taken.
package enum PeerOddity: Hashable, Sendable {
    /// From a node's address, but not from the port on which boxes speak.
    case otherPort(node: String, port: UInt16)
    /// From a node's address in another name: the boxes have policies that differ.
    case misnamed(node: String, name: String)
    /// From a node that belongs to another site by its own policy.
    case otherSite(node: String, site: String, own: String)
    /// From a node's address and not signed, where this box has a key.
    case unsigned(node: String)
    /// The other way round.
    case signed(node: String)
    /// From a node's address, and signed by none of this box's secrets.
    case forged(node: String)
    /// From a node, and no hello that this version can read.
    case unreadable(node: String, problem: String)
    /// Taken: a node's hello, of another release than ours.
    case otherVersion(node: String, version: String, own: String)

    /// A sentence for the administrator, with what to do.
    package var text: String {
        switch self {
        case .otherPort(let node, let port):
            "\(node) speaks from port \(port) and not from \(PeerExchange.standardPort); it is ignored: something translates on the way"
        case .misnamed(let node, let name):
            "\(node) calls itself \(Self.short(name)); it is ignored: give all boxes the same policy, and each its own --node"
        case .otherSite(let node, let site, let own):
            "\(node) belongs to site \(Self.short(site)), this box to \(Self.short(own)); it is ignored: give all boxes the same policy"
        case .unsigned(let node):
            "words in the name of \(node) are not signed, and vrrp.key is set here; they are ignored: \(Self.sameKey)"
        case .signed(let node):
            "words in the name of \(node) are signed, and no vrrp.key is set here; they are ignored: \(Self.sameKey)"
        case .forged(let node):
            "words in the name of \(node) are signed with another key; they are ignored: \(Self.sameKey)"
        case .unreadable(let node, let problem):
            "what \(node) says cannot be read (\(bounded(problem, to: 120))); it is ignored: update the older one of both boxes"
        case .otherVersion(let node, let version, let own):
            "\(node) runs wanctl \(Self.short(version)), this box \(own); update the older one"
        }
    }

    private static let sameKey =
        "give all boxes the same policy and key file; where they have them, a host of the LAN forges words"

    /// Its hello was taken all the same: to be told, not to be counted.
    var isTaken: Bool { if case .otherVersion = self { true } else { false } }

    /// Who it is about, and how: what changes from one datagram to the next makes no new one.
    var subject: String {
        switch self {
        case .otherPort(let node, _): "port \(node)"
        case .misnamed(let node, _): "name \(node)"
        case .otherSite(let node, _, _): "site \(node)"
        case .unsigned(let node): "unsigned \(node)"
        case .signed(let node): "signed \(node)"
        case .forged(let node): "forged \(node)"
        case .unreadable(let node, _): "hello \(node)"
        case .otherVersion(let node, _, _): "version \(node)"
        }
    }

    /// Names come from the network: printable, and no longer than a policy's.
    private static func short(_ name: String) -> String { "\u{201c}\(printable(String(name.prefix(63))))\u{201d}" }
}
