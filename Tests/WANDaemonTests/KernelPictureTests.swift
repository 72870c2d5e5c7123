import NetworkTypes
import PacketWire
import Testing
import WANDaemon
import WANDataplane
import WANEngine
import WANModel

/// Messages as the kernel writes them, made with our own writer and read by our own parser.
private func link(_ index: Int32, _ name: String, flags: UInt32, carrier: Bool = true) throws -> LinkMessage {
    var body = NetlinkWriter()
    body.append(octets: [0, 0])
    body.append(native: UInt16(512))
    body.append(native: index)
    body.append(native: flags)
    body.append(native: UInt32(0))
    body.attribute(3, name: name)
    body.attribute(16, native: UInt8(carrier ? 6 : 2))
    body.attribute(33, native: UInt8(carrier ? 1 : 0))
    return try LinkMessage(body.bytes.span.bytes)
}

private func address(_ index: Int32, _ local: String, peer: String? = nil) throws -> AddressMessage {
    var body = NetlinkWriter()
    body.append(octets: [2, peer == nil ? 24 : 32, 0x80, 0])
    body.append(native: index)
    let here = try #require(IPAddress(local))
    body.attribute(1, address: try peer.map { try #require(IPAddress($0)) } ?? here)
    body.attribute(2, address: here)
    return try AddressMessage(body.bytes.span.bytes)
}

private let up: UInt32 = 0x1 | 0x40 | 0x1_0000
private let pppUp: UInt32 = up | 0x10 | 0x80

private func prefix(_ text: String) throws -> IPPrefix { try #require(IPPrefix(text)) }
private func gateway(_ text: String, dev index: Int32, metric: UInt32 = 0) throws -> RouteMessage {
    RouteMessage(
        try prefix("0.0.0.0/0"), via: IPAddress(text), output: InterfaceIndex(rawValue: index), table: .main,
        metric: metric, protocol: RouteProtocol(rawValue: 16))
}

@Suite("the kernel's picture and what it says of an uplink")
struct KernelPictureTests {
    private let ftth = Uplink(name: "ftth", interface: "ppp0")
    private let jcom = Uplink(name: "jcom", interface: "wlan0")

    private func find(_ uplink: Uplink, in picture: KernelPicture) -> (WANModel.Attachment?, reason: String) {
        picture.attachment(of: uplink) { _ in false }
    }

    @Test("routes that the kernel takes with a link that bounces are counted: they are to be put back at once")
    func bounce() throws {
        var picture = KernelPicture()
        picture.put(try link(7, "ppp0", flags: pppUp))
        picture.put(try address(7, "198.51.100.10", peer: "198.51.100.1"))
        let before = find(ftth, in: picture).0
        picture.put(
            RouteMessage(
                try prefix("0.0.0.0/0"), output: InterfaceIndex(rawValue: 7), table: Ownership.selected, metric: 1))
        #expect(picture.found.routes.count == 1 && picture.routesTaken == 0)
        picture.put(try link(7, "ppp0", flags: 0x10 | 0x80, carrier: false))
        picture.put(try link(7, "ppp0", flags: pppUp))
        #expect(find(ftth, in: picture).0 == before)
        #expect(picture.found.routes.isEmpty && picture.routesTaken == 1)
    }

    @Test("a lease that is renewed does not change the order of the addresses")
    func renewal() throws {
        var picture = KernelPicture()
        picture.put(try link(3, "wlan0", flags: up))
        picture.put(try address(3, "192.168.3.7"))
        picture.put(try address(3, "192.168.3.8"))
        picture.put(try gateway("192.168.3.1", dev: 3))
        let before = find(jcom, in: picture).0
        #expect(before != nil)
        picture.put(try address(3, "192.168.3.7"))
        #expect(find(jcom, in: picture).0 == before)
    }

    @Test("a PPP link needs no gateway; one that returns with another ifindex and address is known at once")
    func ppp() throws {
        var picture = KernelPicture()
        #expect(find(ftth, in: picture).reason == "ppp0 does not exist")
        picture.put(try link(7, "ppp0", flags: pppUp))
        #expect(find(ftth, in: picture).reason == "ppp0 has no IPv4 address")
        picture.put(try address(7, "198.51.100.10", peer: "198.51.100.1"))
        #expect(find(ftth, in: picture).0?.interfaceIndex == InterfaceIndex(rawValue: 7))
        #expect(find(ftth, in: picture).0?.gateway == nil)
        picture.removeLink(InterfaceIndex(rawValue: 7))
        #expect(find(ftth, in: picture).0 == nil)
        picture.put(try link(12, "ppp0", flags: pppUp))
        picture.put(try address(12, "203.0.113.9", peer: "198.51.100.1"))
        #expect(find(ftth, in: picture).0?.addresses == [IPAddress.v4(IPv4Address(203, 0, 113, 9))])
    }

    @Test("two PPP links with the same peer stay two")
    func samePeer() throws {
        var picture = KernelPicture()
        for (index, name, local) in [(Int32(7), "ppp0", "10.0.0.1"), (8, "ppp1", "10.0.0.2")] {
            picture.put(try link(index, name, flags: pppUp))
            picture.put(try address(index, local, peer: "10.64.64.64"))
        }
        #expect(find(ftth, in: picture).0?.interfaceIndex == InterfaceIndex(rawValue: 7))
        #expect(
            find(Uplink(name: "x", interface: "ppp1"), in: picture).0?.interfaceIndex == InterfaceIndex(rawValue: 8))
    }

    @Test("a gateway is learned from the default route of DHCP, follows it, and outlives it")
    func dhcp() throws {
        var picture = KernelPicture()
        picture.put(try link(3, "wlan0", flags: up))
        picture.put(try address(3, "192.168.3.7"))
        #expect(find(jcom, in: picture).reason.contains("no gateway is known on wlan0"))
        picture.put(try gateway("192.168.3.1", dev: 3))
        #expect(find(jcom, in: picture).0?.gateway == IPAddress("192.168.3.1"))
        picture.put(try gateway("192.168.3.254", dev: 3))
        #expect(find(jcom, in: picture).0?.gateway == IPAddress("192.168.3.254"))
        picture.remove(try gateway("192.168.3.254", dev: 3))
        #expect(find(jcom, in: picture).0?.gateway == IPAddress("192.168.3.254"))
        // But not another address: that may be another network.
        picture.remove(try address(3, "192.168.3.7"))
        picture.put(try address(3, "10.0.0.5"))
        #expect(find(jcom, in: picture).0 == nil)
    }

    @Test("the policy's gateway comes first")
    func configured() throws {
        var picture = KernelPicture()
        picture.put(try link(3, "wlan0", flags: up))
        picture.put(try address(3, "192.168.3.7"))
        picture.put(try gateway("192.168.3.254", dev: 3))
        var uplink = jcom
        uplink.gateway = IPAddress("192.168.3.1")
        #expect(find(uplink, in: picture).0?.gateway == IPAddress("192.168.3.1"))
    }

    @Test("no carrier, set down and renamed away each have their own words")
    func gone() throws {
        var picture = KernelPicture()
        picture.put(try address(7, "198.51.100.10", peer: "198.51.100.1"))
        picture.put(try link(7, "ppp0", flags: 0x1 | 0x10, carrier: false))
        #expect(find(ftth, in: picture).reason == "ppp0 has no carrier")
        picture.put(try link(7, "ppp0", flags: 0x10, carrier: false))
        #expect(find(ftth, in: picture).reason == "ppp0 is set down")
        picture.put(try link(7, "dsl0", flags: pppUp))
        #expect(find(ftth, in: picture).reason == "ppp0 does not exist")
        #expect(find(Uplink(name: "x", interface: "dsl0"), in: picture).0 != nil)
    }

    @Test("our routes go with their link, silently as in the kernel; foreign ones are never ours")
    func ownership() throws {
        var picture = KernelPicture()
        picture.put(try link(7, "ppp0", flags: pppUp))
        let ours = RouteMessage(
            try prefix("0.0.0.0/0"), output: InterfaceIndex(rawValue: 7), table: Ownership.selected, metric: 1)
        picture.put(ours)
        #expect(picture.found.routes.count == 1)
        picture.put(try gateway("10.0.0.1", dev: 7))
        #expect(picture.found.routes.count == 1)
        var intruder = ours
        intruder.protocol = RouteProtocol(rawValue: 3)
        intruder.metric = 5
        picture.put(intruder)
        #expect(picture.found.routes.count == 1)
        #expect(picture.intruders.count == 1)
        picture.put(try link(7, "ppp0", flags: 0x10, carrier: false))
        #expect(picture.found.routes.isEmpty)
    }

    @Test("a rule with a selector that we never use is not ours, though it has our number and protocol")
    func foreignRule() throws {
        var picture = KernelPicture()
        var rule = RuleMessage(.v4, priority: RulePriority(rawValue: 8999), lookup: Ownership.selected)
        picture.put(rule)
        #expect(picture.found.rules.count == 1)
        rule.destination = try prefix("10.0.0.0/8")
        picture.put(rule)
        #expect(picture.found.rules.count == 1)
        #expect(picture.intruders.count == 1)
        rule.priority = RulePriority(rawValue: 100)
        picture.put(rule)
        #expect(picture.intruders.count == 1)
    }

    @Test("host routes of ours in main are seen, put back and cleaned up; other programs' are left alone")
    func hostRoutes() throws {
        var uplink = DataplaneUplink(
            number: UplinkNumber(rawValue: 1), interface: "ppp0",
            attachment: WANModel.Attachment(
                interfaceIndex: InterfaceIndex(rawValue: 7), interface: "ppp0",
                addresses: [.v4(IPv4Address(198, 51, 100, 10))]))
        let without = WantedState.make(uplinks: [uplink], ladder: [uplink.number], mark: MarkLayout())
        uplink.nameServers = [IPv4Address(203, 0, 113, 53)]
        let wanted = WantedState.make(uplinks: [uplink], ladder: [uplink.number], mark: MarkLayout())
        let words = "203.0.113.53/32 dev #7 table main metric 8700"
        var picture = KernelPicture()
        let ours = RouteMessage(
            try prefix("203.0.113.53/32"), output: InterfaceIndex(rawValue: 7), table: .main, metric: 8700)
        picture.put(ours)
        let found = picture.found.routes.values.map(\.description)
        #expect(found == [words])
        // Put back when it is taken away, and gone when nobody wants it any more.
        #expect(!changes(from: picture.found, to: wanted).map(\.description).contains("route replace \(words)"))
        #expect(changes(from: picture.found, to: without).map(\.description).last == "route del \(words)")
        #expect(changes(from: picture.found, to: KernelState()).map(\.description) == ["route del \(words)"])
        picture.remove(ours)
        #expect(changes(from: picture.found, to: wanted).map(\.description).contains("route replace \(words)"))
        var foreign = ours
        foreign.protocol = RouteProtocol(rawValue: 3)
        picture.put(foreign)
        #expect(picture.found.routes.isEmpty && picture.intruders.isEmpty && picture.foreignDefaults.isEmpty)
    }

    @Test("the rule that lets no strict mark past is ours, as the kernel tells it")
    func prohibit() throws {
        var rule = RuleMessage(.v4, priority: RulePriority(rawValue: 8997), lookup: RoutingTable(rawValue: 0))
        rule.action = .prohibit
        rule.mark = MarkLayout().anyStrict
        var picture = KernelPicture()
        picture.put(rule)
        #expect(picture.found.rules.map(\.description) == ["8997: fwmark 0x800000/0x800000 prohibit"])
        rule.action = .blackhole
        picture.put(rule)
        #expect(picture.found.rules.count == 1 && picture.intruders.count == 1)
    }
}

@Suite("where the uplinks are attached")
struct AttachmentsTests {
    private let ftth = (number: UplinkNumber(rawValue: 1), settings: Uplink(name: "ftth", interface: "ppp0"))
    private let jcom = (number: UplinkNumber(rawValue: 2), settings: Uplink(name: "jcom", interface: "ppp1"))

    private func picture(_ addresses: String?...) throws -> KernelPicture {
        var picture = KernelPicture()
        for (place, local) in addresses.enumerated() {
            picture.put(try link(Int32(7 + place), "ppp\(place)", flags: pppUp))
            if let local { picture.put(try address(Int32(7 + place), local, peer: "198.51.100.1")) }
        }
        return picture
    }

    @Test("a look reports what changed, what is not attached, and all where it is asked for all")
    func look() throws {
        let attachments = Attachments { _ in false }
        let both = try picture("198.51.100.10", "203.0.113.9")
        #expect(attachments.refresh(both, [ftth, jcom]).changed == [ftth.number, jcom.number])
        #expect(attachments.refresh(both, [ftth, jcom]).reports.isEmpty)
        let all = attachments.refresh(both, [ftth, jcom], isAll: true)
        #expect(all.changed.isEmpty && all.reports.map(\.uplink) == [ftth.number, jcom.number])
        let one = try picture("198.51.100.10", nil)
        #expect(attachments.refresh(one, [ftth, jcom]).changed == [jcom.number])
        let again = attachments.refresh(one, [ftth, jcom])
        #expect(again.changed.isEmpty && again.reports.map(\.reason) == ["ppp1 has no IPv4 address"])
        let dropped = attachments.drop([ftth.number])
        #expect(attachments[ftth.number] == nil)
        attachments.restore(dropped)
        #expect(attachments.refresh(one, [ftth, jcom]).changed.isEmpty)
    }

    @Test("what flows may carry is known until they are let go, and longer where the uplink has no other address")
    func addresses() throws {
        let attachments = Attachments { _ in false }
        let (old, new) = (try #require(IPAddress("198.51.100.10")), try #require(IPAddress("198.51.100.20")))
        _ = attachments.refresh(try picture("198.51.100.10", "198.51.100.20"), [ftth, jcom])
        #expect(attachments.isElsewhere(new, than: ftth.number) && !attachments.isElsewhere(old, than: ftth.number))
        _ = attachments.refresh(try picture(nil), [ftth])
        #expect(attachments.hasHad(old, ftth.number))
        #expect(attachments.letGo(ftth.number) == [old] && attachments.hasHad(old, ftth.number))
        _ = attachments.refresh(try picture("198.51.100.20"), [ftth])
        #expect(attachments.letGo(ftth.number) == [new, old])
        #expect(attachments.hasHad(new, ftth.number) && !attachments.hasHad(old, ftth.number))
    }

    @Test("whether an interface is Wi-Fi is asked once, and again when it was made anew")
    func wireless() throws {
        var asked = 0
        let attachments = Attachments { _ in
            asked += 1
            return true
        }
        for local in ["198.51.100.10", "198.51.100.20"] {
            _ = attachments.refresh(try picture(local), [ftth])
        }
        #expect(attachments[ftth.number]?.isWireless == true && asked == 1)
        _ = attachments.refresh(KernelPicture(), [ftth])
        _ = attachments.refresh(try picture("198.51.100.10"), [ftth])
        #expect(asked == 2)
    }
}
