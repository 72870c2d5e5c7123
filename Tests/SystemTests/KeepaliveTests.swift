import LinuxIO
import Testing
import WANControl
import WANLab

@Suite("a metered line is kept alive and cheap", .enabled(if: Needs.root, Needs.advice))
struct KeepaliveTests {
    private let policy = Policies.threeLines(soracom: "keepalive: {idle: 2s, target: 100.127.100.127}")

    @Test("nothing is sent over it but one packet when it was idle for so long, and that is counted")
    func idle() throws {
        let world = try World.running(policy)
        try world.wait("it was asked when it came up, and that is over") {
            try world.uplink(.soracom).keepalive?.last != nil && world.soracomIsStill()
        }
        let bytes = try world.uplink(.soracom).bytes.probes
        let packets = try world.sentOverSoracom()
        let first = try #require(try world.uplink(.soracom).keepalive?.last)
        try world.wait("the next one is sent") { try world.uplink(.soracom).keepalive?.last != first }
        try world.wait("its answer is there") { try world.soracomIsStill() }
        let soracom = try world.uplink(.soracom)
        #expect(try world.sentOverSoracom() - packets == 1)
        #expect((28...100).contains(soracom.bytes.probes - bytes), "an echo request with its IP header")
        #expect(soracom.state == .up && soracom.traffic == .standby)
        #expect(soracom.keepalive?.answered == true)
    }

    @Test("none is sent while traffic flows")
    func traffic() throws {
        let world = try World(policy: policy)
        let ping = try world.lab.spawn(
            in: .router, ["ping", "-q", "-I", "ppp1", "-i", "0.2", "\(LabUplink.soracom.gateway)"])
        try world.startDaemon()
        try world.settle()
        try world.watch(seconds: 5) { try world.uplink(.soracom).keepalive?.last == nil }
        ping.stop()
        try world.wait("it is sent when the traffic has ended") { try world.uplink(.soracom).keepalive?.last != nil }
    }

    @Test("one that is not answered makes the line be asked and found dead, and traffic stays where it is")
    func dead() throws {
        let world = try World.running(policy)
        try world.lab.setFault(.soracom, .blackhole())
        try world.waitState(.soracom, .down, seconds: 15)
        #expect(try world.history().contains { $0.kind == "keepalive" && $0.text.contains("not answered") })
        #expect(try world.status().selected == ["ftth"])
        #expect(try world.switches().isEmpty)
    }

    @Test("it is woken, and proven, while the selected line is in doubt")
    func woken() throws {
        let world = try World.running(Policies.threeLines(soracom: "keepalive: {idle: 25m, target: 8.8.8.8}"))
        let client = try ClientProber.start(in: world.lab)
        try world.lab.setFault(.jcom, .carrierOff)
        try world.waitState(.jcom, .absent)
        try world.lab.setFault(.ftth, .blackhole())
        try world.waitTraffic(of: client, on: .soracom)
        let report = try client.stop()
        #expect(report.outages.count == 1 && report.longestOutageMilliseconds < 600, "\(report.outages)")
    }
}

extension World {
    /// Packets that left over the metered line since the lab was built.
    fileprivate func sentOverSoracom() throws -> Int {
        guard let counts = try lab.wireCounts()[.soracom] else { throw WorldError("the lab has no SORACOM line") }
        return counts.up + counts.upLost
    }

    /// Every packet that left over it has been answered.
    fileprivate func soracomIsStill() throws -> Bool {
        guard let counts = try lab.wireCounts()[.soracom] else { throw WorldError("the lab has no SORACOM line") }
        return counts.up == counts.down
    }
}
