package import NetworkTypes

/// A question to rtnetlink(7).
package enum RouteQuery: Hashable, Sendable {
    /// `ip link show`
    case links
    /// `ip -statistics link show dev #N`
    case link(InterfaceIndex)
    /// `ip address show`
    case addresses(AddressFamily)
    /// `ip route show table TABLE proto PROTOCOL`; `nil` asks for all. The kernel does the choosing (NETLINK_GET_STRICT_CHK).
    case routes(AddressFamily, table: RoutingTable?, protocol: RouteProtocol?)
    /// `ip rule show`
    case rules(AddressFamily)
    /// `ip route get`
    case lookup(RouteLookup)

    /// Whether many messages and an NLMSG_DONE answer it, or one message.
    package var isDump: Bool {
        switch self {
        case .links, .addresses, .routes, .rules: true
        case .link, .lookup: false
        }
    }

    /// The whole message, header included.
    package func write(into datagram: inout NetlinkWriter, sequence: UInt32) {
        let flags: NetlinkFlags = isDump ? [.request, .dump] : .request
        datagram.message(type: type, flags: flags, sequence: sequence) { message in
            switch self {
            case .links: message.appendLinkHeader(InterfaceIndex(rawValue: 0))
            case .link(let index): message.appendLinkHeader(index)
            case .addresses(let family):
                message.append(native: family.rawValue)
                message.append(octets: [UInt8](repeating: 0, count: 7))
            case .routes(let family, let table, let origin):
                message.append(native: family.rawValue)
                message.append(octets: [0, 0, 0, 0, origin?.rawValue ?? 0, 0, 0, 0, 0, 0, 0])
                if let table { message.attribute(15, native: table.rawValue) }  // RTA_TABLE
            case .rules(let family):
                message.append(native: family.rawValue)
                message.append(octets: [UInt8](repeating: 0, count: 11))
            case .lookup(let lookup): lookup.write(into: &message)
            }
        }
    }

    private var type: UInt16 {
        switch self {
        case .links, .link: RTM.getLink
        case .addresses: RTM.getAddress
        case .routes, .lookup: RTM.getRoute
        case .rules: RTM.getRule
        }
    }
}

extension RouteQuery: CustomStringConvertible {
    /// In ip(8)'s words.
    package var description: String {
        switch self {
        case .links: "ip link show"
        case .link(let index): "ip link show dev #\(index)"
        case .addresses(let family): "ip \(family.option) address show"
        case .routes(let family, let table, let origin):
            "ip \(family.option) route show table \(table.map(String.init(describing:)) ?? "all")"
                + (origin.map { " proto \($0)" } ?? "")
        case .rules(let family): "ip \(family.option) rule show"
        case .lookup(let lookup): "ip route get \(lookup)"
        }
    }
}

/// What the kernel's own route look-up is asked: `ip route get` (RTM_GETROUTE).
package struct RouteLookup: Hashable, Sendable {
    package var destination: IPAddress
    package var source: IPAddress?
    /// As if the packet had come in here and were forwarded; then give a source too.
    package var input: InterfaceIndex?
    /// As if the socket were bound to this interface.
    package var output: InterfaceIndex?
    package var mark: UInt32?
    package var user: UInt32?
    /// Answer with the table's entry as it stands, with its metric and protocol (RTM_F_FIB_MATCH), instead of the route
    /// as it applies to this destination. Either way the answer names the table it came from (RTM_F_LOOKUP_TABLE).
    package var wantsEntry = false

    package init(_ destination: IPAddress) { self.destination = destination }

    func write(into message: inout NetlinkWriter) {
        message.append(native: destination.family.rawValue)
        message.append(native: IPPrefix(host: destination).length)
        message.append(native: source.map { IPPrefix(host: $0).length } ?? 0)
        message.append(octets: [0, 0, 0, 0, 0])
        message.append(native: (wantsEntry ? 0x3000 : 0x1000) as UInt32)
        message.attribute(1, address: destination)  // RTA_DST
        if let source { message.attribute(2, address: source) }  // RTA_SRC
        if let input { message.attribute(3, native: input.rawValue) }  // RTA_IIF
        if let output { message.attribute(4, native: output.rawValue) }  // RTA_OIF
        if let mark { message.attribute(16, native: mark) }  // RTA_MARK
        if let user { message.attribute(25, native: user) }  // RTA_UID
    }
}

extension RouteLookup: CustomStringConvertible {
    package var description: String {
        var words = "\(destination)"
        if let source { words += " from \(source)" }
        if let input { words += " iif #\(input)" }
        if let output { words += " oif #\(output)" }
        if let mark { words += " mark 0x\(String(mark, radix: 16))" }
        if let user { words += " uid \(user)" }
        return words + (wantsEntry ? " fibmatch" : "")
    }
}

extension AddressFamily {
    fileprivate var option: String { self == .v4 ? "-4" : "-6" }
}

extension NetlinkWriter {
    /// linux/rtnetlink.h `struct ifinfomsg`.
    fileprivate mutating func appendLinkHeader(_ index: InterfaceIndex) {
        append(native: 0 as UInt32)
        append(native: index.rawValue)
        append(native: 0 as UInt64)
    }
}
