import Testing
import WANPolicy

@Suite("what is valid but hardly meant is a warning")
struct WarningTests {
    @Test(
        "warnings",
        arguments: [
            Faulty(
                "version: 1\nuplinks:\n  a: {interface: p}\n  b: {interface: q}\nfailover: {order: [a]}\n",
                "4:3: warning: uplink \"b\" is in no order; it is probed but never carries traffic; add it to failover.order"
            ),
            Faulty(
                uplink("metered: true"),
                "3:3: warning: metered uplink \"a\" has no keepalive; while it waits nothing keeps its line up or tells whether it works"
            ),
            Faulty(
                probe("confirm: off"),
                "5:7: warning: with confirm off and fall 1 one lost probe takes the uplink down; set fall to 3"),
            Faulty(probe("fall: 3"), "5:7: warning: fall 3 has no effect; it counts with `confirm: off` only"),
            Faulty(
                uplink("gateway: 192.0.2.1\n    probe: {targets: [192.0.2.1]}"),
                "4:5: warning: the gateway of \"a\" is a probe target too; it answers when the line behind it is dead; ask an address beyond it"
            ),
            Faulty(
                soracom("endpoint: http://127.0.0.1:8080\n      imsi: \"440100000000000\""),
                "5:17: warning: endpoint \"http://127.0.0.1:8080\" is not encrypted; the key would be readable on the way"
            ),
            Faulty(
                minimal("failover: {order: [a], sticky: 10m}\n"),
                "4:24: warning: sticky 10m has no effect; it keeps a source on one uplink of a step that several share, and this order has no such step"
            ),
            Faulty(
                soracom("imsi: \"440100000000000\"\n      selected: s1.fats"),
                "6:17: warning: selected \"s1.fats\" is no speed class that this release knows; did you mean \"s1.fast\"?"
            ),
            Faulty(
                uplink("dns: [192.0.2.53, 8.8.8.8]"),
                "4:23: warning: 8.8.8.8 is a public name server, and dns leads it over \"a\" alone; hosts that ask it themselves have no names while that line is down; name the provider's own here"
            ),
            Faulty(
                "version: 1\nuplinks:\n  a: {interface: p, dns: [8.8.8.8]}\n  b: {interface: q, dns: [192.0.2.1]}\n",
                "3:27: warning: dns 8.8.8.8 is a target of uplink \"b\" too, and goes the way of all traffic; name the provider's own server here, or other targets there"
            ),
            Faulty(
                minimal(
                    "lan: {interfaces: [eth0]}\nrules: [{name: x, match: {interface: eth1}, order: [a]}]\n"),
                "5:38: warning: interface eth1 is not in lan.interfaces; it may be one of a VPN or of another network; if it is the LAN's, name it there: eth0"
            ),
            Faulty(
                "version: 1\nuplinks:\n  a: {interface: p, dns: [192.0.2.1]}\n  b: {interface: q}\n  c: {interface: r, dns: /run/r}\n",
                "4:3: warning: uplink \"b\" has no dns, but \"a\" has; while it is selected no name server of its own can be named; add dns: [ADDRESS] or dns: /FILE"
            ),
        ])
    func warnings(_ case: Faulty) throws {
        #expect(try read(`case`.text).warnings.map { String($0.description.dropFirst(2)) } == `case`.faults)
    }

    @Test("an uplink that only a rule names is used")
    func namedByRule() throws {
        let text = """
            version: 1
            uplinks: {a: {interface: p}, b: {interface: q}}
            failover: {order: [a]}
            rules: [{name: x, match: {source: 10.0.0.1}, order: [b]}]
            """
        #expect(try read(text).warnings.isEmpty)
    }

    @Test("faults, warnings and what is not obeyed yet are told together")
    func together() {
        let text = uplink("metered: true\n    interval: 1s") + "rules: [{name: x}]\nnotify: []\n"
        do throws(PolicyFaults) {
            _ = try PolicyReader.read(Array(text.utf8))
            Issue.record("it was taken")
        } catch {
            #expect(error.faults.count == 4)
            #expect(error.warnings.count == 1)
            #expect(error.unsupported.map(\.line) == [8])
            #expect(error.description.hasPrefix("policy.yaml:5:5: unknown key \"interval\""))
        }
    }

    @Test("of a thousand faults the description lists fifty and counts the rest")
    func many() {
        let text = minimal((0..<1000).map { "k\($0): 1\n" }.joined())
        do throws(PolicyFaults) {
            _ = try PolicyReader.read(Array(text.utf8))
            Issue.record("it was taken")
        } catch {
            #expect(error.faults.count == 1000)
            #expect(error.description.split(separator: "\n").count == 51)
            #expect(error.description.hasSuffix("… and 950 faults more"))
        }
    }
}

@Suite("what a release cannot obey is named with its position")
struct UnsupportedTests {
    @Test("IPv6 is read, and not obeyed yet")
    func ipv6() throws {
        let found = try read(probe("targets: [\"2001:db8::1\"]"))
        #expect(
            found.unsupported().map(\.description) == [
                "p:5:17: this release reads an IPv6 address but cannot obey it yet; write IPv4 addresses; IPv6 is not routed yet"
            ])
        #expect(found.unsupported(obeying: [.ipv6]).isEmpty)
    }

    @Test("a plain policy has nothing of the kind")
    func plain() throws { #expect(try read(minimal()).unsupported().isEmpty) }
}
