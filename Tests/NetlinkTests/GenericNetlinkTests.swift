import LinuxIO
import Netlink
import NetworkTypes
import PacketWire
import TestSupport
import Testing

@Suite("generic netlink and nftables events", .enabled(if: TestNamespace.isAvailable, "\(TestNamespace.advice)"))
struct GenericNetlinkTests {
    private let namespace: TestNamespace

    init() throws { namespace = try TestNamespace.make() }

    @Test("a wired interface is not wireless, and neither is one that is not there")
    func wired() throws {
        var probe = try namespace.inside { try WirelessProbe() }
        let loopback = try probe.isWireless(InterfaceIndex(rawValue: 1))
        let nowhere = try probe.isWireless(InterfaceIndex(rawValue: 4711))
        #expect(!loopback && !nowhere)
    }

    @Test("a generic netlink family has a number, an unknown one has none")
    func families() throws {
        var probe = try namespace.inside { try WirelessProbe() }
        let control = try probe.number(ofFamily: "nlctrl")
        let none = try probe.number(ofFamily: "no-such-family")
        #expect(control == 16)
        #expect(none == nil)
    }

    @Test("somebody who flushes a chain of our table or deletes it is heard")
    func tableEvents() throws {
        let monitor = try namespace.inside { try NftablesMonitor() }
        try namespace.run("nft", "table inet wanctl { chain c { counter; }; }")
        let made = try monitor.read()
        #expect(made.first?.what == .tableMade(.inet("wanctl")))
        guard case .committed(_, let process?, "nft"?) = made.last?.what else {
            Issue.record("no end of a transaction: \(made)")
            return
        }
        #expect(process > 0)
        try namespace.run("nft", "flush", "chain", "inet", "wanctl", "c")
        let flushed = try monitor.read()
        #expect(flushed.first?.what == .changed(.inet("wanctl"), message: 8))  // NFT_MSG_DELRULE
        try namespace.run("nft", "delete", "table", "inet", "wanctl")
        let deleted = try monitor.read()
        #expect(deleted.contains { $0.what == .tableGone(.inet("wanctl")) })
        try namespace.run("nft", "add table ip other")
        let foreign = try monitor.read()
        #expect(foreign.first?.what == .tableMade(.init(family: 2, name: "other")))
    }
}
