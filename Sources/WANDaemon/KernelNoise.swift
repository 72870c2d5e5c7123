package import LinuxIO
internal import NetworkTypes
package import PacketWire
internal import WANDataplane

/// What the kernel has or tells and is none of our business. A router that speaks BGP has a million routes, and a blocklist a hundred
/// thousand elements: neither may cost memory here, or push what matters out of a socket's buffer.
package enum KernelNoise {
    /// Of routes: defaults, ours, and whatever stands in our tables.
    package static func concerns(_ route: RouteHeader) -> Bool {
        route.destinationLength == 0 || route.protocol == .wanctl || Ownership.isOurTable(route.table)
    }

    /// The same for notifications, where tables from 8448 to 8959 count as ours.
    package static let routesOfOthers: [FilterInstruction] = {
        guard isLittleEndian else { return [] }
        let ours = UInt32(RouteProtocol.wanctl.rawValue)
        var program: [FilterInstruction] = [
            .loadHalf(at: 4),  // nlmsg_type
            .ifEqual(0x1800, skip: 1, else: 0),  // RTM_NEWROUTE
            .ifEqual(0x1900, skip: 0, else: 12),  // RTM_DELROUTE
            .loadByte(at: 17),  // rtm_dst_len
            .ifEqual(0, skip: 10, else: 0),
            .loadByte(at: 21),  // rtm_protocol
            .ifEqual(ours, skip: 8, else: 0),
        ]
        program += FilterInstruction.findAttribute(15, from: 28)  // RTA_TABLE
        program += [
            .transfer,
            // The second lowest octet; the two above it are 0 in every table that anybody uses.
            .loadByte(atIndexPlus: 5),
            .ifEqual(0x21, skip: 2, else: 0),
            .ifEqual(0x22, skip: 1, else: 0),
            .accept(0),
            .accept(.max),
        ]
        return program
    }()

    /// Elements of sets that are not of our table. The kernel puts changes of one transaction into one packet, of which this sees the
    /// first: enough, since nobody changes elements of his own table and ours at once.
    package static let elementsOfOthers: [FilterInstruction] = {
        guard isLittleEndian else { return [] }
        let name = Array("wanctl\0".utf8)
        let rest = UInt8(2 * name.count)
        var program: [FilterInstruction] = [
            .loadHalf(at: 4),  // nlmsg_type
            .ifEqual(0x0c0a, skip: 1, else: 0),  // NFT_MSG_NEWSETELEM
            .ifEqual(0x0e0a, skip: 0, else: rest + 1),  // NFT_MSG_DELSETELEM
        ]
        // NFTA_SET_ELEM_LIST_TABLE comes first.
        for (index, octet) in name.enumerated() {
            let left = UInt8(2 * (name.count - 1 - index))
            program.append(.loadByte(at: 24 + UInt32(index)))
            program.append(.ifEqual(UInt32(octet), skip: left == 0 ? 1 : 0, else: left))
        }
        program += [.accept(0), .accept(.max)]
        return program
    }()

    /// The kernel's numbers are in the order of the host, and a filter's in that of the network.
    private static let isLittleEndian = UInt16(1).littleEndian == 1
}
