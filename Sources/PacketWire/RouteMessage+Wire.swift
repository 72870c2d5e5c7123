package import NetworkTypes

/// The part of a route by which one that nobody wants is passed over, among hundreds of thousands (`struct rtmsg`).
package struct RouteHeader: Hashable, Sendable {
    /// 0 is a default route.
    package let destinationLength: UInt8
    package let table: RoutingTable
    package let `protocol`: RouteProtocol

    package init(_ bytes: RawSpan) throws(WireError) {
        try bytes.require(header: 12)
        destinationLength = try bytes.native(at: 1)
        `protocol` = RouteProtocol(rawValue: try bytes.native(at: 5))
        let octet: UInt8 = try bytes.native(at: 4)
        var table = UInt32(octet)
        if octet == 252 {  // RT_TABLE_COMPAT: see RTA_TABLE
            try forEachAttribute(in: bytes.extracting(droppingFirst: 12)) { (kind, payload) throws(WireError) in
                if kind == 15 { table = try payload.native(at: 0) }
            }
        }
        self.table = RoutingTable(rawValue: table)
    }
}

extension RouteMessage {
    /// Reads what follows the netlink header of an RTM_NEWROUTE or RTM_DELROUTE.
    package init(_ bytes: RawSpan) throws(WireError) {
        try bytes.require(header: 12)
        let familyNumber: UInt8 = try bytes.native(at: 0)
        guard let family = AddressFamily(rawValue: familyNumber) else {
            throw WireError(.badValue(field: "rtm_family", value: Int(familyNumber)), at: 0)
        }
        let length: UInt8 = try bytes.native(at: 1)
        let any: IPAddress = family == .v4 ? .v4(IPv4Address(bits: 0)) : .v6(IPv6Address(high: 0, low: 0))
        guard let network = IPPrefix(any, length: Int(length)) else {
            throw WireError(.badValue(field: "rtm_dst_len", value: Int(length)), at: 1)
        }
        destination = network  // RTA_DST is missing where the prefix is 0/0 or ::/0
        sourceLength = try bytes.native(at: 2)
        tos = try bytes.native(at: 3)
        table = RoutingTable(rawValue: UInt32(try bytes.native(at: 4, as: UInt8.self)))
        `protocol` = RouteProtocol(rawValue: try bytes.native(at: 5))
        scope = RouteScope(rawValue: try bytes.native(at: 6))
        type = RouteType(rawValue: try bytes.native(at: 7))
        flags = Flags(rawValue: try bytes.native(at: 8))
        metric = 0
        try forEachAttribute(in: bytes.extracting(droppingFirst: 12)) { (kind, payload) throws(WireError) in
            switch Kind(rawValue: kind) {
            case .destination:
                destination = try payload.prefix(length: length)
                guard self.family == family else { throw WireError(.badLength(payload.byteCount), at: 0) }
            case .output: output = InterfaceIndex(rawValue: try payload.native(at: 0))
            case .gateway: gateway = try payload.address()
            case .metric: metric = try payload.native(at: 0)
            case .preferredSource: preferredSource = try payload.address()
            case .multipath: nexthops = try Self.nexthops(payload)
            case .table:  // 256 and up overflow the header's byte
                table = RoutingTable(rawValue: try payload.native(at: 0))
            case .via: gateway = try payload.via()
            case .nexthopID: nexthopID = try payload.native(at: 0)
            case nil: break
            }
        }
    }

    private static func nexthops(_ bytes: RawSpan) throws(WireError) -> [Nexthop] {
        var nexthops: [Nexthop] = []
        var offset = 0
        while offset < bytes.byteCount {
            let length = Int(try bytes.native(at: offset, as: UInt16.self))
            guard length >= 8, length <= bytes.byteCount - offset else {
                throw WireError(.badLength(length), at: offset)
            }
            var nexthop = Nexthop(
                output: InterfaceIndex(rawValue: try bytes.native(at: offset + 4)), gateway: nil,
                weight: Int(try bytes.native(at: offset + 3, as: UInt8.self)) + 1,
                flags: Flags(rawValue: UInt32(try bytes.native(at: offset + 2, as: UInt8.self))))
            try forEachAttribute(in: bytes.extracting((offset + 8)..<(offset + length))) {
                (kind, payload) throws(WireError) in
                switch Kind(rawValue: kind) {
                case .gateway: nexthop.gateway = try payload.address()
                case .via: nexthop.gateway = try payload.via()
                default: break
                }
            }
            nexthops.append(nexthop)
            offset += (length + 3) & ~3
        }
        return nexthops
    }

    /// Writes what follows the netlink header of an RTM_NEWROUTE or RTM_DELROUTE.
    package func write(into message: inout NetlinkWriter) {
        message.append(native: family.rawValue)
        message.append(native: destination.length)
        message.append(native: sourceLength)
        message.append(native: tos)
        message.append(native: UInt8(exactly: table.rawValue) ?? 0)  // RT_TABLE_UNSPEC: see RTA_TABLE
        message.append(native: self.protocol.rawValue)
        message.append(native: scope.rawValue)
        message.append(native: type.rawValue)
        message.append(native: flags.rawValue)
        if !destination.isDefault { message.attribute(Kind.destination.rawValue, address: destination.address) }
        message.attribute(Kind.table.rawValue, native: table.rawValue)
        if metric != 0 { message.attribute(Kind.metric.rawValue, native: metric) }
        if let preferredSource { message.attribute(Kind.preferredSource.rawValue, address: preferredSource) }
        if let nexthopID { message.attribute(Kind.nexthopID.rawValue, native: nexthopID) }
        if let gateway { write(gateway, into: &message) }
        if let output { message.attribute(Kind.output.rawValue, native: output.rawValue) }
        if !nexthops.isEmpty { message.attribute(Kind.multipath.rawValue) { write(nexthops, into: &$0) } }
    }

    private func write(_ gateway: IPAddress, into message: inout NetlinkWriter) {
        if gateway.family == family {
            message.attribute(Kind.gateway.rawValue, address: gateway)
        } else {
            // RFC 8950: an IPv4 route by way of an IPv6 neighbour (`via inet6 ADDRESS`).
            message.attribute(Kind.via.rawValue) {
                $0.append(native: UInt16(gateway.family.rawValue))
                $0.append(address: gateway)
            }
        }
    }

    private func write(_ nexthops: [Nexthop], into message: inout NetlinkWriter) {
        for nexthop in nexthops {
            message.sized {
                $0.append(native: UInt8(truncatingIfNeeded: nexthop.flags.rawValue))
                $0.append(native: UInt8(clamping: nexthop.weight - 1))
                $0.append(native: nexthop.output.rawValue)
                if let gateway = nexthop.gateway { write(gateway, into: &$0) }
            }
        }
    }

    /// RTA_*, by the kernel's numbers.
    private enum Kind: UInt16 {
        case destination = 1
        case output = 4
        case gateway = 5
        case metric = 6
        case preferredSource = 7
        case multipath = 9
        case table = 15
        case via = 18
        case nexthopID = 30
    }
}

extension RawSpan {
    /// `struct rtvia` (linux/rtnetlink.h): a family, then an address of it.
    fileprivate func via() throws(WireError) -> IPAddress {
        try require(header: 2)
        return try extracting(droppingFirst: 2).address()
    }
}
