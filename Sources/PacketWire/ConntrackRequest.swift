package import NetworkTypes

/// A question or command to ctnetlink (linux/netfilter/nfnetlink_conntrack.h).
package enum ConntrackRequest: Hashable, Sendable {
    /// `conntrack -L --mark VALUE/MASK`; the kernel does the choosing.
    case dump(FwMark)
    /// `conntrack -D --mark VALUE/MASK` in one message: the kernel walks its table once and deletes what has this mark under
    /// this mask, of both address families, and nothing else (Linux 3.0 and later; it says not how many).
    ///
    /// A mask of 0 would match every entry on the machine, so it is refused here before the kernel hears of it.
    case delete(FwMark)
    /// As `delete`, but only IPv4 flows of one protocol (as in the IP header: 17 UDP): `conntrack -D -f ipv4 -p udp --mark …`,
    /// chosen by the kernel (CTA_FILTER, Linux 6.11).
    ///
    /// An older kernel takes the half tuple for a whole one and answers EINVAL; it deletes nothing.
    case deleteTransport(FwMark, transport: UInt8)
    /// As `deleteTransport`, but only flows that never had an answer (no IPS_SEEN_REPLY).
    ///
    /// Kernels before 6.10 would ignore the status and delete them all; the filter that goes with it makes them refuse.
    case deleteUnanswered(FwMark, transport: UInt8)
    /// The flow with this original tuple, and with this id where one is known, so that a later flow of the same tuple is safe.
    /// ENOENT where there is none.
    case deleteEntry(ConntrackEntry)
    /// `conntrack -C`: how many flows this namespace tracks. One short answer; no walk of the table.
    case total
    /// One flow into the table, as `conntrack -I` would: for tests and measurements.
    case create(ConntrackEntry, timeoutSeconds: UInt32)

    /// The number in the answer to `total`.
    package static func total(in payload: RawSpan) throws(WireError) -> UInt32 {
        try payload.require(header: 4)
        var total: UInt32?
        try forEachAttribute(in: payload.extracting(droppingFirst: 4)) { (kind, payload) throws(WireError) in
            if kind == 1 { total = try payload.big(at: 0) }  // CTA_STATS_GLOBAL_ENTRIES
        }
        guard let total else { throw WireError(.badValue(field: "CTA_STATS_GLOBAL_ENTRIES", value: 0), at: 4) }
        return total
    }

    /// The message type of an entry in the answer: NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_NEW.
    package static let entryType: UInt16 = 0x100

    /// The whole message, header included.
    package func write(into datagram: inout NetlinkWriter, sequence: UInt32) {
        switch self {
        case .dump(let mark):
            // IPCTNL_MSG_CT_GET
            datagram.message(type: 0x101, flags: [.request, .dump], sequence: sequence) {
                $0.append(octets: [0, 0, 0, 0])  // struct nfgenmsg: both families
                $0.append(mark)
            }
        case .delete(let mark):
            precondition(mark.mask != 0, "a mark without a mask matches every flow")
            // IPCTNL_MSG_CT_DELETE
            datagram.message(type: 0x102, flags: [.request, .acknowledge], sequence: sequence) {
                $0.append(octets: [0, 0, 0, 0])
                $0.append(mark)
            }
        case .deleteTransport(let mark, let transport):
            deletion(of: mark, transport: transport, unanswered: false, into: &datagram, sequence)
        case .deleteUnanswered(let mark, let transport):
            deletion(of: mark, transport: transport, unanswered: true, into: &datagram, sequence)
        case .deleteEntry(let entry):
            datagram.message(type: 0x102, flags: [.request, .acknowledge], sequence: sequence) {
                $0.append(octets: [entry.original.source.family.rawValue, 0, 0, 0])
                $0.nested(1) { $0.append(entry.original) }  // CTA_TUPLE_ORIG
                if let id = entry.id { $0.attribute(12, big: id) }  // CTA_ID
                if entry.zone != 0 { $0.attribute(18, big: entry.zone) }  // CTA_ZONE
            }
        case .total:
            // IPCTNL_MSG_CT_GET_STATS
            datagram.message(type: 0x105, flags: .request, sequence: sequence) { $0.append(octets: [0, 0, 0, 0]) }
        case .create(let entry, let timeout):
            // IPCTNL_MSG_CT_NEW
            let flags: NetlinkFlags = [.request, .acknowledge, .create, .exclusive]
            datagram.message(type: 0x100, flags: flags, sequence: sequence) {
                $0.append(octets: [entry.original.source.family.rawValue, 0, 0, 0])
                $0.nested(1) { $0.append(entry.original) }  // CTA_TUPLE_ORIG
                $0.nested(2) { $0.append(entry.reply) }
                if entry.status != [] {
                    // CTA_STATUS; without IPS_CONFIRMED the kernel answers EBUSY.
                    $0.attribute(3, big: entry.status.union(.confirmed).rawValue)
                }
                if let state = entry.tcpState {
                    // CTA_PROTOINFO → CTA_PROTOINFO_TCP → CTA_PROTOINFO_TCP_STATE
                    $0.nested(4) { $0.nested(1) { $0.attribute(1, native: state) } }
                }
                $0.attribute(7, big: timeout)  // CTA_TIMEOUT
                $0.attribute(8, big: entry.mark)  // CTA_MARK
                if entry.zone != 0 { $0.attribute(18, big: entry.zone) }  // CTA_ZONE
            }
        }
    }

    private func deletion(
        of mark: FwMark, transport: UInt8, unanswered: Bool, into datagram: inout NetlinkWriter, _ sequence: UInt32
    ) {
        precondition(mark.mask != 0, "a mark without a mask matches every flow")
        // IPCTNL_MSG_CT_DELETE
        datagram.message(type: 0x102, flags: [.request, .acknowledge], sequence: sequence) {
            $0.append(octets: [AddressFamily.v4.rawValue, 0, 0, 0])  // a filter needs a family
            $0.append(mark)
            // CTA_TUPLE_ORIG → CTA_TUPLE_PROTO → CTA_PROTO_NUM
            $0.nested(1) { $0.nested(2) { $0.attribute(1, native: transport) } }
            // CTA_FILTER → CTA_FILTER_ORIG_FLAGS: CTA_FILTER_F_CTA_PROTO_NUM (net/netfilter/nf_internals.h)
            $0.nested(25) { $0.attribute(1, native: 1 << 3 as UInt32) }
            if unanswered {
                $0.attribute(3, big: 0 as UInt32)  // CTA_STATUS
                $0.attribute(26, big: ConntrackEntry.Status.seenReply.rawValue)  // CTA_STATUS_MASK
            }
        }
    }
}

extension ConntrackRequest: CustomStringConvertible {
    /// In conntrack(8)'s words.
    package var description: String {
        switch self {
        case .dump(let mark): "conntrack -L --mark \(mark)"
        case .delete(let mark): "conntrack -D --mark \(mark)"
        case .deleteTransport(let mark, let transport): "conntrack -D -f ipv4 -p \(transport) --mark \(mark)"
        case .deleteUnanswered(let mark, let transport):
            "conntrack -D -f ipv4 -p \(transport) -u UNREPLIED --mark \(mark)"
        case .deleteEntry(let entry): "conntrack -D \(entry)"
        case .total: "conntrack -C"
        case .create(let entry, _): "conntrack -I \(entry)"
        }
    }
}

extension NetlinkWriter {
    fileprivate mutating func append(_ mark: FwMark) {
        attribute(8, big: mark.value)  // CTA_MARK
        attribute(21, big: mark.mask)  // CTA_MARK_MASK
    }

    fileprivate mutating func append(_ tuple: ConntrackEntry.Tuple) {
        let isV4 = tuple.source.family == .v4
        nested(1) {  // CTA_TUPLE_IP
            $0.attribute(isV4 ? 1 : 3, address: tuple.source)
            $0.attribute(isV4 ? 2 : 4, address: tuple.destination)
        }
        nested(2) {  // CTA_TUPLE_PROTO
            $0.attribute(1, native: tuple.transport)
            if let echo = tuple.echo {
                // CTA_PROTO_ICMP_ID, _TYPE, _CODE, then those of ICMPv6
                $0.attribute(isV4 ? 4 : 7, big: echo.identifier)
                $0.attribute(isV4 ? 5 : 8, native: echo.type)
                $0.attribute(isV4 ? 6 : 9, native: echo.code)
                return
            }
            $0.attribute(2, big: tuple.sourcePort)
            $0.attribute(3, big: tuple.destinationPort)
        }
    }
}
