package import NetworkTypes

/// A question over generic netlink (linux/genetlink.h, linux/nl80211.h).
package enum GenericNetlinkRequest: Hashable, Sendable {
    /// `genl ctrl get name NAME`: under which message type does this family listen?
    case family(String)
    /// `iw dev NAME info`: is this interface one of nl80211's? `family` is what the first question found.
    case wirelessInterface(InterfaceIndex, family: UInt16)

    /// The whole message, header included.
    package func write(into datagram: inout NetlinkWriter, sequence: UInt32) {
        switch self {
        case .family(let name):
            datagram.message(type: 16, flags: .request, sequence: sequence) {  // GENL_ID_CTRL
                $0.append(octets: [3, 1, 0, 0])  // CTRL_CMD_GETFAMILY, version 1
                $0.attribute(2, name: name)  // CTRL_ATTR_FAMILY_NAME
            }
        case .wirelessInterface(let index, let family):
            datagram.message(type: family, flags: .request, sequence: sequence) {
                $0.append(octets: [5, 0, 0, 0])  // NL80211_CMD_GET_INTERFACE
                $0.attribute(3, native: index.rawValue)  // NL80211_ATTR_IFINDEX
            }
        }
    }

    /// The message type in the answer to `family`.
    package static func familyNumber(in payload: RawSpan) throws(WireError) -> UInt16 {
        try payload.require(header: 4)
        var number: UInt16?
        try forEachAttribute(in: payload.extracting(droppingFirst: 4)) { (kind, payload) throws(WireError) in
            if kind == 1 { number = try payload.native(at: 0) }  // CTRL_ATTR_FAMILY_ID
        }
        guard let number else { throw WireError(.badValue(field: "CTRL_ATTR_FAMILY_ID", value: 0), at: 4) }
        return number
    }
}

extension GenericNetlinkRequest: CustomStringConvertible {
    package var description: String {
        switch self {
        case .family(let name): "genl ctrl get name \(name)"
        case .wirelessInterface(let index, _): "iw dev #\(index) info"
        }
    }
}
