import NetworkTypes
import PacketWire
import Testing

@Suite("netlink: flows and events")
struct NetlinkEventTests {
    private func flows(_ datagram: [UInt8]) throws(WireError) -> [ConntrackEntry] {
        try read(datagram) { (_, payload) throws(WireError) in try ConntrackEntry(payload) }
    }

    @Test("a tracked UDP exchange has mark, status and counters")
    func tracked() throws {
        let flow = try #require(try flows(NetlinkDumps.tracked).first)
        let home = try #require(IPAddress("127.0.0.1"))
        #expect(
            flow.original
                == .init(source: home, destination: home, transport: 17, sourcePort: 5556, destinationPort: 5555))
        #expect(flow.reply.sourcePort == 5555)
        #expect(flow.mark == 0x30000)
        #expect(flow.status.contains(.seenReply) && !flow.status.contains(.assured))
        #expect(flow.originalCounters == .init(packets: 1, bytes: 30))
        #expect(flow.replyCounters == .init(packets: 1, bytes: 33))
    }

    @Test("a translated flow's answers go to the outer address")
    func translated() throws {
        let flow = try #require(try flows(NetlinkDumps.translated).first { $0.mark == 0x10000 })
        #expect(flow.original.source == IPAddress("10.0.0.5"))
        #expect(flow.reply.destination == IPAddress("198.51.100.10"))
        #expect(flow.reply.destinationPort == 5060)
        #expect(flow.originalCounters == nil || flow.originalCounters?.packets == 0)
    }

    @Test("an IPv6 TCP flow")
    func tracked6() throws {
        let flow = try #require(try flows(NetlinkDumps.tracked6).first)
        #expect(flow.original.source == IPAddress("2001:db8::5"))
        #expect(flow.original.transport == 6)
        #expect(flow.original.destinationPort == 443)
        #expect(flow.mark == 0x20000)
    }

    @Test("generic netlink tells a family's number")
    func genericFamily() throws {
        let numbers = try read(NetlinkDumps.genericFamily) { (_, payload) throws(WireError) in
            try GenericNetlinkRequest.familyNumber(in: payload)
        }
        #expect(numbers == [16])
    }

    private func nftEvents(_ datagram: [UInt8]) throws(WireError) -> [NftablesEvent] {
        try read(datagram) { (header, payload) throws(WireError) in try NftablesEvent(header, payload) }
    }

    @Test("a transaction of nft is told part by part, then as a whole")
    func nftTransaction() throws {
        let made = try nftEvents(NetlinkDumps.nftMade)
        #expect(made.first?.what == .tableMade(.inet("wanctl")))
        let end = try #require(try nftEvents(NetlinkDumps.nftMadeGeneration).first)
        guard case .committed(let generation, let process, let name) = end.what else {
            Issue.record("no end of a transaction: \(end)")
            return
        }
        #expect(generation == 2 && name == "nft")
        let ports = try read(NetlinkDumps.nftMade) { (header, _) throws(WireError) in header.port }
        #expect(process == ports.first)
    }

    @Test("a table that is deleted is told with what was in it")
    func nftTableGone() throws {
        let events = try nftEvents(NetlinkDumps.nftGone)
        #expect(events.first?.what == .changed(.inet("wanctl"), message: 8))  // NFT_MSG_DELRULE
        #expect(events.last?.what == .tableGone(.inet("wanctl")))
    }

    @Test("an event says who asked for the change")
    func event() throws {
        let events = try read(NetlinkDumps.rules) { (header, payload) throws(WireError) in
            try KernelEvent(header, payload)
        }
        #expect(events.count == 8)
        #expect(events.allSatisfy { if case .rule = $0.what { $0.port != 0 } else { false } })
    }

    @Test("a bridge's view of its port and a clone of a route are no events")
    func noEvents() throws {
        var bridged = NetlinkDumps.vethLink
        bridged[16] = 7  // AF_BRIDGE
        let ports = try read(bridged) { (header, payload) throws(WireError) in try KernelEvent(header, payload) }
        #expect(ports.isEmpty)
        let clones = try read(NetlinkDumps.lookupAnswer) { (header, payload) throws(WireError) in
            try KernelEvent(header, payload)
        }
        #expect(clones.isEmpty)
    }
}
