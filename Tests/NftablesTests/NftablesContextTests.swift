import Nftables
import TestSupport
import Testing

@Suite("nftables: rulesets whole or not at all", .enabled(if: TestNamespace.isAvailable, "\(TestNamespace.advice)"))
struct NftablesContextTests {
    private let namespace: TestNamespace

    init() throws { namespace = try TestNamespace.make() }

    private func context() throws -> NftablesContext { try namespace.inside { try NftablesContext.make() } }

    /// A table as the daemon would write it: made, emptied and filled in one transaction.
    private func table(_ interfaces: [String]) -> String {
        """
        add table inet wanctl
        delete table inet wanctl
        table inet wanctl {
            set uplinks { type ifname; elements = { \(interfaces.map { "\"\($0)\"" }.joined(separator: ", ")) } }
            map marks {
                type ifname : mark
                elements = { \(interfaces.enumerated().map { "\"\($1)\" : 0x\($0 + 1)0000" }.joined(separator: ", ")) }
            }
            chain postrouting {
                type nat hook postrouting priority srcnat; policy accept;
                oifname @uplinks masquerade
            }
            chain mss {
                type filter hook forward priority mangle; policy accept;
                oifname @uplinks tcp flags syn tcp option maxseg size set rt mtu
            }
        }
        """
    }

    @Test("a whole table goes in and is listed as nft(8) lists it")
    func applies() throws {
        var context = try context()
        try context.apply(table(["ppp0", "wlan0"]))
        let listed = try context.list(table: "inet wanctl")
        #expect(listed == (try namespace.run("nft", "list", "table", "inet", "wanctl")))
        let json = try #require(try context.list(table: "inet wanctl", format: .json))
        #expect(json.hasPrefix("{\"nftables\": ["))
        let again = try context.list(table: "inet wanctl")
        #expect(again == listed)
    }

    @Test("a table is replaced in one transaction; other tables are not touched")
    func replaces() throws {
        try namespace.run("nft", "table ip other { chain c { counter; }; }")
        let other = try namespace.run("nft", "list", "table", "ip", "other")
        var context = try context()
        try context.apply(table(["ppp0", "wlan0"]))
        try context.apply(table(["ppp0", "ppp1"]))
        let listed = try #require(try context.list(table: "inet wanctl"))
        #expect(listed.contains("ppp1") && !listed.contains("wlan0"))
        #expect(try namespace.run("nft", "list", "table", "ip", "other") == other)
    }

    @Test("a ruleset with a fault is refused with nft's words, and nothing of it happens")
    func refuses() throws {
        var context = try context()
        try context.apply(table(["ppp0"]))
        let before = try context.list(table: "inet wanctl")
        var complaint: NftablesError?
        do throws(NftablesError) {
            try context.apply("delete table inet wanctl\nadd table inet other\nadd rule inet other nochain accept")
        } catch {
            complaint = error
        }
        let text = try #require(complaint).text
        #expect(text.hasPrefix("ruleset:3:") && text.contains("No such file or directory"))
        let after = try context.list(table: "inet wanctl")
        #expect(after == before)
        let other = try context.list(table: "inet other")
        #expect(other == nil)
        complaint = nil
        do throws(NftablesError) { try context.apply("table inet wanctl {\n  chain c { acept; }\n}") } catch {
            complaint = error
        }
        #expect(try #require(complaint).text.hasPrefix("ruleset:2:"))
    }

    @Test("a dry run judges and changes nothing; the next run is a real one")
    func dryRun() throws {
        var context = try context()
        try context.apply(table(["ppp0"]), dryRun: true)
        let dry = try context.list(table: "inet wanctl")
        #expect(dry == nil)
        var refused = false
        do throws(NftablesError) { try context.apply("delete table inet nothing", dryRun: true) } catch {
            refused = true
        }
        #expect(refused)
        try context.apply(table(["ppp0"]))
        let real = try context.list(table: "inet wanctl")
        #expect(real != nil)
    }

    @Test("two contexts in two namespaces do not see each other's tables")
    func namespaces() throws {
        var here = try context()
        let elsewhere = try TestNamespace.make()
        var there = try elsewhere.inside { try NftablesContext.make() }
        try here.apply(table(["ppp0"]))
        let unseen = try there.list(table: "inet wanctl")
        #expect(unseen == nil)
    }

    @Test("a hundred rounds through one context")
    func rounds() throws {
        var context = try context()
        for round in 1...100 {
            try context.apply(table((0...(round % 5)).map { "ppp\($0)" }))
        }
        let listed = try #require(try context.list(table: "inet wanctl"))
        #expect(listed.contains("\"ppp0\"") && !listed.contains("ppp1"))
    }
}
