import NetworkTypes
import Testing
import WANModel
import WANPolicy

@Suite("every key of the format is read")
struct FormatTests {
    @Test("an uplink with everything")
    func uplinkKeys() throws {
        let text = """
            version: 1
            site: home
            lan: {interfaces: [eth0, br-lan], forwarding: leave}
            marks: {mask: 0xff00}
            uplinks:
              a:
                interface: eth9.100
                gateway: 192.0.2.1
                metered: true
                probe:
                  targets: [192.0.2.9, 198.51.100.9]
                  interval: 1.5s
                  loss-interval: 250ms
                  confirm: {rounds: 4, spacing: 20ms}
                  patience: 0s
                  quorum: 2
                  fall: 1
                  rise: 7
                  degraded: {loss: 0.5%, rtt: 400ms, jitter: 100ms, window: 1m}
                keepalive: {idle: 1h, target: 192.0.2.7}
                soracom:
                  sim: 8981100000000000000
                  standby: u1.slow
                  selected: s1.4xfast
                  credentials: my-key.json
                  via: [api, metadata]
                  endpoint: https://g.api.soracom.io/
                  metadata-endpoint: http://192.0.2.3:8080
            failover:
              order: [a]
              hold: 0s
              drain: {default: 0s, metered: 24h, idle: 1h, metered-bytes: 2GiB}
              grace: 60s
              own-sockets: leave
            """
        let policy = try read(text).policy
        #expect(policy.site == "home")
        #expect(policy.lan.interfaces == ["eth0", "br-lan"])
        #expect(policy.lan.forwarding == .leave)
        #expect(policy.mark == MarkLayout(mask: 0xff00))
        #expect(policy.mark.mark(of: UplinkNumber(rawValue: 64)) == FwMark(value: 0x4000, mask: 0xff00))
        let a = try #require(policy.uplink(named: "a"))
        #expect(a.interface == "eth9.100")
        #expect(a.gateway == .v4(IPv4Address(192, 0, 2, 1)))
        #expect(a.metered)
        #expect(a.probe.targets == [.v4(IPv4Address(192, 0, 2, 9)), .v4(IPv4Address(198, 51, 100, 9))])
        #expect(a.probe.interval == .milliseconds(1500))
        #expect(a.probe.lossInterval == .fixed(.milliseconds(250)))
        #expect(a.probe.confirm == .rounds(4, spacing: .milliseconds(20)))
        #expect(a.probe.patience == .zero)
        #expect(a.probe.quorum == 2)
        #expect(a.probe.rise == 7)
        let degraded = try #require(a.probe.degraded)
        #expect(degraded.loss == 0.005)
        #expect(degraded.rtt == .milliseconds(400))
        #expect(degraded.jitter == .milliseconds(100))
        #expect(degraded.window == .seconds(60))
        #expect(a.keepalive == Keepalive(idle: .seconds(3600), target: .v4(IPv4Address(192, 0, 2, 7))))
        let soracom = try #require(a.soracom)
        #expect(soracom.identity == .sim("8981100000000000000"))
        #expect(soracom.standby == "u1.slow")
        #expect(soracom.selected == "s1.4xfast")
        #expect(soracom.credentials == "my-key.json")
        #expect(soracom.via == [.api, .metadata])
        #expect(soracom.endpoint == "https://g.api.soracom.io")
        #expect(soracom.metadataEndpoint == "http://192.0.2.3:8080")
        #expect(policy.failover.hold == .zero)
        #expect(policy.failover.drain.default == .zero)
        #expect(policy.failover.drain.metered == .seconds(86400))
        #expect(policy.failover.drain.idle == .seconds(3600))
        #expect(policy.failover.drain.meteredBytes == 2 << 30)
        #expect(policy.failover.grace == .seconds(60))
        #expect(policy.failover.ownSockets == .leave)
    }

    @Test("words: confirm off, loss-interval auto, forwarding on, quoted numbers and booleans")
    func words() throws {
        let text = uplink("probe: {confirm: off, loss-interval: auto, fall: \"3\", rise: '4'}\n    metered: \"false\"")
        let probe = try read(text).policy.uplinks[0].probe
        #expect(probe.confirm == .off)
        #expect(probe.lossInterval == .auto)
        #expect(probe.fall == 3)
        #expect(probe.rise == 4)
        #expect(try read(minimal("lan: {forwarding: on}\n")).policy.lan.forwarding == .on)
    }

    @Test("shares: a mapping of weights, or a list for even ones")
    func shares() throws {
        let uplinks = "version: 1\nuplinks:\n  a: {interface: p}\n  b: {interface: q}\n  c: {interface: r}\n"
        let weighted = try read(uplinks + "failover: {order: [{a: 3, b: 1}, c]}\n")
        let step = Failover.Step([.init(uplink: "a", weight: 3), .init(uplink: "b", weight: 1)])
        #expect(weighted.policy.failover.order == [step, .init("c")])
        let even = try read(uplinks + "failover: {order: [c, [a, b]]}\n")
        let evenStep = Failover.Step([.init(uplink: "a", weight: 1), .init(uplink: "b", weight: 1)])
        #expect(even.policy.failover.order == [.init("c"), evenStep])
    }

    @Test("dns: addresses, or the file that a PPP or DHCP client keeps")
    func dns() throws {
        let listed = try read(uplink("dns: [192.0.2.53, 192.0.2.54]")).policy.uplinks[0]
        #expect(listed.dns == [.v4(IPv4Address(192, 0, 2, 53)), .v4(IPv4Address(192, 0, 2, 54))])
        #expect(listed.dnsFile == nil)
        let kept = try read(uplink("dns: /etc/ppp/resolv.conf")).policy.uplinks[0]
        #expect(kept.dns == [])
        #expect(kept.dnsFile == "/etc/ppp/resolv.conf")
        #expect(try read(uplink("dns: [192.0.2.53]")).unsupported() == [])
    }

    @Test("two boxes may call their interfaces alike")
    func sameInterfaceOnTwoNodes() throws {
        let text = """
            version: 1
            uplinks:
              a: {node: m, interface: ppp0}
              b: {node: s, interface: ppp0}
            nodes:
              m: {address: 192.168.0.1}
              s: {address: 192.168.0.2}
            vrrp: {instance: VI_1, interface: eth0, router-id: 51, address: 192.168.0.254/24}
            """
        let policy = try read(text).policy
        #expect(policy.uplinks.map(\.node) == ["m", "s"])
        #expect(policy.nodes.map(\.name) == ["m", "s"])
        let vrrp = try #require(policy.vrrp)
        #expect(vrrp.routerID == 51)
        #expect(vrrp.address.description == "192.168.0.254/24")
    }

    @Test("a byte order mark, CR LF and a text of other scripts do no harm")
    func encodings() throws {
        let text = "\u{feff}version: 1\r\nsite: 自宅\r\nuplinks:\r\n  a: {interface: ppp0}\r\n"
        #expect(try read(text).policy.site == "自宅")
        let wrong = "\u{feff}version: 1\r\nsite: 自宅\r\nuplinks: {自: {interface: ppp0, x: 1}}\r\n"
        #expect(
            faults(of: wrong) == [
                "3:11: uplink name \"自\" cannot be used; a small letter, then at most 14 of a-z 0-9 _ -",
                "3:32: unknown key \"x\"; known: interface, node, gateway, metered, probe, keepalive, soracom, dns",
            ])
    }
}

@Suite("quantities")
struct QuantityTests {
    @Test(
        "durations are exact",
        arguments: [
            ("250ms", 250_000_000), ("30s", 30_000_000_000), ("25m", 1_500_000_000_000), ("1h", 3_600_000_000_000),
            ("0s", 0), ("1.5s", 1_500_000_000), ("0.1s", 100_000_000), ("0.001ms", 1000), ("007s", 7_000_000_000),
        ] as [(String, Int64)])
    func durations(text: String, nanoseconds: Int64) throws {
        #expect(try Duration(policyText: text) == .nanoseconds(nanoseconds))
    }

    @Test(
        "what is no duration says why",
        arguments: [
            ("", .noNumber), ("s", .noNumber), ("1", .noUnit), ("1 s", .unknownUnit(" s")), ("1S", .unknownUnit("S")),
            ("1.s", .noNumber), ("1.2.3s", .noNumber), ("٣s", .noNumber), ("1.0000001s", .tooLarge),
            ("9223372036854775807s", .tooLarge), ("2562048h", .tooLarge),
        ] as [(String, QuantityFault)])
    func notDurations(text: String, why: QuantityFault) {
        // A closure that throws its type, given to #expect(throws:), crashes the compiler (6.3.1, LifetimeDependenceDiagnostics).
        do throws(QuantityFault) {
            Issue.record("read as \(try Duration(policyText: text))")
        } catch {
            #expect(error == why)
        }
    }

    @Test(
        "sizes count by thousands or by 1024",
        arguments: [("5MB", 5_000_000), ("2GiB", 2 << 30), ("1.5kB", 1500), ("0B", 0), ("1TiB", 1 << 40)]
            as [(String, Int64)])
    func sizes(text: String, bytes: Int64) throws {
        #expect(try ByteSize(policyText: text) == ByteSize(bytes: bytes))
        #expect(throws: QuantityFault.self) { try ByteSize(policyText: text.lowercased() + "x") }
    }

    @Test("a size is written in the largest unit that is exact", arguments: ["5MB", "2GiB", "1500B", "1TB", "0B"])
    func sizeText(text: String) throws { #expect(try ByteSize(policyText: text).description == text) }
}
