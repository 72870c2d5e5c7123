package import NetworkTypes
internal import WANControl

/// What came to the port of the boxes and was not taken.
package enum PeerOddity: Hashable, Sendable {
    /// From an address that is no node's.
    case stranger(IPv4Address)
    /// From a node's address, but not from the port on which boxes speak.
    case otherPort(node: String, port: UInt16)
    /// From a node's address in another name: the boxes have policies that differ.
    case misnamed(node: String, name: String)
    /// From a node that belongs to another site by its own policy.
    case otherSite(node: String, site: String, own: String)
    /// From a node, and no hello that this version can read.
    case unreadable(node: String, problem: String)
    /// Taken: a node's hello, of another release than ours.
    case otherVersion(node: String, version: String, own: String)

    /// A sentence for the administrator, with what to do.
    package var text: String {
        switch self {
        case .stranger(let address):
            "\(address) speaks as a box of the site and is no node of this policy; it is ignored: correct nodes, here or there"
        case .otherPort(let node, let port):
            "\(node) speaks from port \(port) and not from \(PeerExchange.standardPort); it is ignored: something translates on the way"
        case .misnamed(let node, let name):
            "\(node) calls itself \(Self.short(name)); it is ignored: give all boxes the same policy, and each its own --node"
        case .otherSite(let node, let site, let own):
            "\(node) belongs to site \(Self.short(site)), this box to \(Self.short(own)); it is ignored: give all boxes the same policy"
        case .unreadable(let node, let problem):
            "what \(node) says cannot be read (\(bounded(problem, to: 120))); it is ignored: update the older one of both boxes"
        case .otherVersion(let node, let version, let own):
            "\(node) runs wanctl \(Self.short(version)), this box \(own); update the older one"
        }
    }

    /// Its hello was taken all the same: to be told, not to be counted.
    var isTaken: Bool { if case .otherVersion = self { true } else { false } }

    /// Who it is about, and how: what changes from one datagram to the next makes no new one.
    var subject: String {
        switch self {
        case .stranger(let address): "stranger \(address)"
        case .otherPort(let node, _): "port \(node)"
        case .misnamed(let node, _): "name \(node)"
        case .otherSite(let node, _, _): "site \(node)"
        case .unreadable(let node, _): "hello \(node)"
        case .otherVersion(let node, _, _): "version \(node)"
        }
    }

    /// Names come from the network: printable, and no longer than a policy's.
    private static func short(_ name: String) -> String { "\u{201c}\(printable(String(name.prefix(63))))\u{201d}" }
}
