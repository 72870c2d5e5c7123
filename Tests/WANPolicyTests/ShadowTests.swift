import Testing
import WANModel
import WANPolicy

@Suite("a rule that can never match is a warning")
struct ShadowTests {
    /// The warnings about rules with these matches, named r0, r1 … in lines 4, 5 …
    private func warnings(_ matches: String..., files: [String: String] = [:]) throws -> [String] {
        let rules = matches.enumerated().map { "  - {name: r\($0), match: {\($1)}, order: [a, b]}\n" }.joined()
        let text = "version: 1\nuplinks: {a: {interface: ppp0}, b: {interface: wlan0}}\nrules:\n" + rules
        let read = try PolicyReader.read(Array(text.utf8), fileName: "p", files: .of(files))
        return read.warnings.map(\.description)
    }

    private func shadowed(_ rule: Int, by other: Int, takes what: String = "all of it") -> String {
        "p:\(4 + rule):12: warning: rule \"r\(rule)\" can never match: rule \"r\(other)\" before it (line \(4 + other)) takes \(what); "
            + "the first rule that matches counts; move it up, or remove it"
    }

    @Test("an earlier rule takes all of it; which one is said, the first of several")
    func covered() throws {
        #expect(
            try warnings(
                "source: 10.0.0.0/8", "protocol: tcp, port: [80, 443]", "protocol: tcp, port: 443, source: 192.168.0.1",
                "source: 10.1.2.3, protocol: udp, port: 53") == [shadowed(2, by: 1), shadowed(3, by: 0)])
        #expect(
            try warnings(
                "source: {file: l}", "source: [10.0.0.7, 10.0.0.9-10.0.0.12]", "source: 10.0.0.64",
                files: ["l": "10.0.0.0/27\n"]) == [shadowed(1, by: 0)])
    }

    @Test("after a rule for everything nothing is left")
    func everything() throws {
        #expect(
            try warnings("destination: 0.0.0.0/0", "dscp: ef", "source: 10.0.0.1") == [
                shadowed(1, by: 0, takes: "everything"), shadowed(2, by: 0, takes: "everything"),
            ])
    }

    @Test("nothing is said where a packet is left for the later rule")
    func notCovered() throws {
        #expect(try warnings("protocol: tcp, port: 80", "protocol: tcp, port: 80-81", "protocol: tcp") == [])
        #expect(try warnings("source: 10.0.0.1, dscp: ef", "source: 10.0.0.1", "dscp: ef") == [])
        #expect(try warnings("interface: eth0", "interface: eth1", "source: 10.0.0.1") == [])
        #expect(
            try warnings("fwmark: 0x100/0xff00", "fwmark: 0x100/0xff01", "fwmark: 0x0/0x100") == [shadowed(1, by: 0)])
        // Two rules that only together take all of a third: that is not looked for.
        #expect(try warnings("source: 10.0.0.0/9", "source: 10.128.0.0/9", "source: 10.0.0.0/8") == [])
    }

    @Test("what comes in by an uplink has its uplink already")
    func uplinkInterface() throws {
        #expect(
            try warnings("interface: wlan0", "interface: wlan0, dscp: ef", "interface: eth0") == [
                "p:4:12: warning: rule \"r0\" can never match: what comes in by wlan0 belongs to uplink \"b\"; rules are for traffic from the LAN; name an interface of the LAN",
                "p:5:12: warning: rule \"r1\" can never match: what comes in by wlan0 belongs to uplink \"b\"; rules are for traffic from the LAN; name an interface of the LAN",
            ])
    }

    @Test("nothing follows from a rule with a fault, since what it was meant to match is unknown")
    func faulty() {
        let text = minimal(
            """
            rules:
              - {name: r0, match: {source: hme}, order: [a]}
              - {name: r1, match: {source: {file: gone}}, order: [a]}
              - {name: r2, match: {source: {file: gone}}, order: [a]}
              - {name: r3, match: {source: 10.0.0.1}, order: [a]}
            """)
        do throws(PolicyFaults) {
            _ = try PolicyReader.read(Array(text.utf8))
            Issue.record("it was taken")
        } catch {
            #expect(error.faults.map(\.line) == [5, 6])
            #expect(error.warnings == [])
        }
    }

    @Test("a thousand rules are read and compared in a moment, with a long list in each too")
    func thousand() throws {
        let list = (0..<20_000).map { "10.\($0 >> 8).\($0 & 255).1\n" }.joined()
        let rules = (0..<1000).map {
            "  - {name: r\($0), match: {source: {file: l}, destination: 198.\($0 / 256).\($0 % 256).0/24}, order: [a]}\n"
        }
        let text = minimal("rules:\n" + rules.joined())
        let clock = ContinuousClock()
        var found: ReadPolicy?
        let took = try clock.measure { found = try PolicyReader.read(Array(text.utf8), files: .of(["l": list])) }
        print("1000 rules with a list of 20,000: read in \(took)")
        #expect(found?.policy.rules.count == 1000)
        #expect(found?.warnings == [])
        #expect(took < .seconds(10))
    }
}
