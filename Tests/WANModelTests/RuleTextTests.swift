import NetworkTypes
import Testing
import WANModel

@Suite("rules in the words of the policy")
struct RuleTextTests {
    @Test("a match with everything, in the order of the format")
    func everyField() {
        var match = PolicyRule.Match()
        #expect(match.description == "everything")
        match.source = AddressSet([0xc0a8_0020...0xc0a8_002f])
        match.destination = AddressSet([0...0], file: "lists/streaming.txt")
        match.transport = 6
        match.sourcePorts = [1024...65535]
        match.ports = [80...80, 443...443]
        match.interface = "eth0"
        match.dscp = 46
        match.mark = FwMark(value: 0x100, mask: 0xff00)
        #expect(
            match.description
                == "source 192.168.0.32/28, destination {file: lists/streaming.txt}, protocol tcp, source-port 1024-65535, "
                + "port [80, 443], interface eth0, dscp ef, fwmark 0x100/0xff00")
    }

    @Test(
        "addresses are hosts, prefixes or ranges",
        arguments: [
            ([0x0a00_0001...0x0a00_0001], "10.0.0.1"), ([0x0a00_0000...0x0aff_ffff], "10.0.0.0/8"),
            ([0 ... .max], "0.0.0.0/0"), ([0x8000_0000 ... .max], "128.0.0.0/1"),
            ([0x0a00_0001...0x0a00_0002], "10.0.0.1-10.0.0.2"),
            // As many as a /31 would have, at an address where none begins.
            ([0x0a00_0003...0x0a00_0004], "10.0.0.3-10.0.0.4"),
            ([0x0a00_0000...0x0a00_0002, 0x0b00_0000...0x0b00_0000], "[10.0.0.0-10.0.0.2, 11.0.0.0]"),
            ([], "[]"),
        ] as [([ClosedRange<UInt32>], String)])
    func addresses(ranges: [ClosedRange<UInt32>], text: String) {
        #expect(AddressSet(ranges).description == text)
    }

    @Test("a long list shows its beginning")
    func longList() {
        let ranges = (0..<20).map { UInt32($0) * 2...UInt32($0) * 2 }
        #expect(
            AddressSet(ranges).description == "[0.0.0.0, 0.0.0.2, 0.0.0.4, 0.0.0.6, 0.0.0.8, 0.0.0.10, … 14 more]")
    }

    @Test("steps are written as an order has them")
    func steps() {
        #expect(Failover.Step("ftth").description == "ftth")
        let even = Failover.Step([.init(uplink: "a", weight: 1), .init(uplink: "b", weight: 1)])
        #expect(even.description == "[a, b]")
        let weighted = Failover.Step([.init(uplink: "a", weight: 3), .init(uplink: "b", weight: 1)])
        #expect(weighted.description == "{a: 3, b: 1}")
    }

    @Test("every DSCP has one name and every name one number, or it is said as a number")
    func dscps() {
        #expect(Set(DSCP.names.map(\.name)).count == DSCP.names.count)
        #expect(Set(DSCP.names.map(\.number)).count == DSCP.names.count)
        for (name, number) in DSCP.names {
            #expect(DSCP.number(named: name) == number)
            #expect(DSCP.text(number) == name)
            // RFC 2597: class and drop precedence; RFC 2474: class selectors.
            let digits = name.utf8.compactMap { (0x30...0x39).contains($0) ? $0 - 0x30 : nil }
            if name.hasPrefix("af") { #expect(number == digits[0] * 8 + digits[1] * 2) }
            if name.hasPrefix("cs") { #expect(number == digits[0] * 8) }
        }
        #expect(DSCP.text(63) == "63")
    }

    @Test("protocols have their numbers, and know whether they have ports")
    func transports() {
        for transport in Transport.allCases { #expect(Transport(number: transport.number) == transport) }
        #expect(Transport(number: 200) == nil)
        #expect(
            Transport.allCases.filter { Transport.hasPorts($0.number) } == [.tcp, .udp, .udplite, .sctp, .dccp])
    }
}
