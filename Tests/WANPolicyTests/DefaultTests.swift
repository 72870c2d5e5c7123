import NetworkTypes
import Testing
import WANModel
import WANPolicy

@Suite("what a policy leaves out has a default")
struct DefaultTests {
    @Test("the smallest policy")
    func smallest() throws {
        let policy = try read(minimal()).policy
        var uplink = Uplink(name: "a", interface: "ppp0")
        uplink.probe.targets = [
            .v4(IPv4Address(8, 8, 8, 8)), .v4(IPv4Address(1, 1, 1, 1)), .v4(IPv4Address(9, 9, 9, 9)),
        ]
        uplink.probe.interval = .milliseconds(250)
        uplink.probe.lossInterval = .auto
        uplink.probe.confirm = .auto
        uplink.probe.patience = nil
        uplink.probe.quorum = 1
        uplink.probe.fall = 1
        uplink.probe.rise = 5
        uplink.probe.degraded = nil
        var wanted = Policy()
        wanted.uplinks = [uplink]
        wanted.lan = LAN()
        wanted.lan.forwarding = .on
        wanted.mark = MarkLayout(mask: 0x00ff_0000)
        wanted.failover.order = [.init("a")]
        wanted.failover.hold = .seconds(60)
        wanted.failover.drain.default = .seconds(300)
        wanted.failover.drain.metered = .seconds(60)
        wanted.failover.drain.idle = .seconds(30)
        wanted.failover.drain.meteredBytes = nil
        wanted.failover.grace = .seconds(2)
        wanted.failover.sticky = nil
        wanted.failover.ownSockets = .close
        #expect(policy == wanted)
        #expect(!policy.uplinks[0].metered)
        #expect(policy.uplinks[0].keepalive == nil)
        #expect(try read(minimal()).warnings.isEmpty)
    }

    @Test("without an order, uplinks follow in the order of the file, metered ones last")
    func order() throws {
        let text =
            "version: 1\nuplinks:\n  lte: {interface: a, metered: true, keepalive: off}\n  z: {interface: b}\n  c: {interface: d}\n"
        #expect(try read(text).policy.failover.order == [.init("z"), .init("c"), .init("lte")])
    }

    @Test("a SORACOM uplink has its classes, ways, credential and metadata service")
    func soracomDefaults() throws {
        let soracom = try #require(try read(soracom("imsi: \"440100000000000\"")).policy.uplinks[0].soracom)
        var wanted = SoracomSettings()
        wanted.identity = .imsi("440100000000000")
        wanted.standby = "s1.minimum"
        wanted.selected = "s1.fast"
        wanted.via = [.metadata, .api]
        wanted.credentials = "soracom"
        wanted.endpoint = nil
        wanted.metadataEndpoint = "http://100.127.100.127"
        #expect(soracom == wanted)
    }

    @Test("no credential is asked for where only the metadata service is used")
    func metadataOnly() throws {
        let soracom = try #require(try read(soracom("via: [metadata]")).policy.uplinks[0].soracom)
        #expect(soracom.via == [.metadata])
        #expect(soracom.credentials == nil)
        #expect(soracom.identity == nil)
    }

    @Test("a metered SORACOM uplink keeps itself alive each 25 minutes by an echo to pong.soracom.io")
    func keepalive() throws {
        let pong = Keepalive(idle: .seconds(1500), target: .v4(IPv4Address(100, 127, 100, 127)))
        let metered = uplink("metered: true\n    soracom: {via: [metadata]}")
        #expect(try read(metered).policy.uplinks[0].keepalive == pong)
        #expect(try read(metered).warnings.isEmpty)
        #expect(try read(uplink("soracom: {via: [metadata]}")).policy.uplinks[0].keepalive == nil)
        let off = uplink("metered: true\n    keepalive: off\n    soracom: {via: [metadata]}")
        #expect(try read(off).policy.uplinks[0].keepalive == nil)
        let partly = uplink("metered: true\n    keepalive: {idle: 10m}\n    soracom: {via: [metadata]}")
        #expect(try read(partly).policy.uplinks[0].keepalive == Keepalive(idle: .seconds(600), target: Keepalive.pong))
        let own = uplink("keepalive: {target: 192.0.2.1}")
        #expect(
            try read(own).policy.uplinks[0].keepalive
                == Keepalive(idle: .seconds(1500), target: .v4(IPv4Address(192, 0, 2, 1))))
    }

    @Test("confirm by rounds is 50 ms apart, degraded looks at 30 s")
    func probeDefaults() throws {
        let text = probe("confirm: {rounds: 3}\n      degraded: {rtt: 1.5s}")
        let probe = try read(text).policy.uplinks[0].probe
        #expect(probe.confirm == .rounds(3, spacing: .milliseconds(50)))
        var degraded = Degraded()
        degraded.rtt = .milliseconds(1500)
        degraded.window = .seconds(30)
        #expect(probe.degraded == degraded)
    }
}
