import NetworkTypes
import Testing
import WANDaemon
import WANModel

@Suite("a provider's name servers rule nobody else's traffic")
struct NameServerCheckTests {
    private let ftth = UplinkNumber(rawValue: 1)
    private let jcom = UplinkNumber(rawValue: 2)

    private func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }

    private func check(_ more: (network: String, interface: String, uplink: UplinkNumber?)...) throws -> NameServerCheck
    {
        let networks: [(String, String, UplinkNumber?)] = [
            ("192.168.0.1/24", "eth0", nil), ("198.51.100.1/32", "ppp0", ftth), ("192.168.3.7/24", "wlan0", jcom),
        ]
        return NameServerCheck(
            networks: try (networks + more.map { ($0.network, $0.interface, $0.uplink) }).map {
                NameServerCheck.Network(try #require(IPPrefix($0.0)), interface: $0.1, uplink: $0.2)
            }, own: [try address("192.168.0.1"), try address("192.168.0.254")],
            lines: [
                .init(number: ftth, name: "ftth", gateway: nil, targets: [try address("8.8.8.8")]),
                .init(
                    number: jcom, name: "jcom", gateway: try address("203.0.113.1"),
                    targets: [try address("8.8.8.8"), try address("1.1.1.1")]),
            ])
    }

    @Test(
        "what of the fibre's servers gets a route",
        arguments: [
            ("192.0.2.53", .led),
            ("192.168.0.102", .refused("is in the network of eth0")),
            ("192.168.0.254", .refused("is an address of this router")),
            ("192.168.3.1", .refused("is in the network of wlan0")),
            ("203.0.113.1", .refused("is the gateway of jcom")),
            ("1.1.1.1", .open),
            ("198.51.100.1", .near),
            ("2001:db8::53", .near),
        ] as [(String, NameServerCheck.Verdict)])
    func verdicts(server: String, verdict: NameServerCheck.Verdict) throws {
        #expect(try check().verdict(on: address(server), of: ftth) == verdict)
    }

    @Test("a home router that hands itself out is reached in its own network, without a route")
    func homeRouter() throws {
        #expect(try check().verdict(on: address("192.168.3.1"), of: jcom) == .near)
    }

    @Test("of two lines behind routers of one make each has its route, and the best one's counts")
    func twins() throws {
        let check = try check(("192.168.3.9/24", "ppp0", ftth))
        #expect(try check.verdict(on: address("192.168.3.1"), of: jcom) == .led)
        #expect(try check.verdict(on: address("192.168.3.1"), of: ftth) == .led)
    }

    @Test("a provider that hands out a wide network does not have the narrower ones in it")
    func wideNetwork() throws {
        let check = try check(("192.168.200.1/16", "ppp0", ftth))
        #expect(try check.verdict(on: address("192.168.0.102"), of: ftth) == .refused("is in the network of eth0"))
        #expect(try check.verdict(on: address("192.168.3.1"), of: ftth) == .refused("is in the network of wlan0"))
        #expect(try check.verdict(on: address("192.168.77.1"), of: ftth) == .near)
        let same = try self.check(("192.168.0.200/24", "ppp0", ftth))
        #expect(try same.verdict(on: address("192.168.0.102"), of: ftth) == .refused("is in the network of eth0"))
    }

    @Test("of a file three servers count, the rest is told")
    func threeOfMany() {
        let lines = (1...3000).map { "nameserver 10.0.\($0 / 250).\($0 % 250 + 1)\n" }.joined()
        let found = ResolverFile.servers(in: "# by pppd\nnameserver 0.0.0.0\nnameserver 10.0.0.2\n" + lines)
        #expect(found.servers.map(\.description) == ["10.0.0.2", "10.0.0.3", "10.0.0.4"])
        #expect(found.spare == 2997)
    }
}
