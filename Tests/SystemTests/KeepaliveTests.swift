import LinuxIO
import Testing
import WANControl
import WANLab
import WANModel

@Suite("a metered line is kept alive and cheap", .enabled(if: Needs.root, Needs.advice))
struct KeepaliveTests {
    private let policy = Policies.threeLines(soracom: "keepalive: {idle: 2s, target: 100.127.100.127}")

    @Test("nothing is sent over it but one packet when it was idle for so long, and that is counted")
    func idle() throws {
        let world = try World.running(policy)
        try world.countSoracom()
        try world.wait("the first one is sent") { try world.uplink(.soracom).keepalive?.last != nil }
        try world.wait("and has arrived") { try world.cameOverSoracom() > 0 }
        let before = try world.uplink(.soracom)
        try world.wait("the next one is sent") { try world.uplink(.soracom).keepalive?.last != before.keepalive?.last }
        try world.wait("and has arrived, alone") { try world.cameOverSoracom() == 1 }
        let after = try world.uplink(.soracom)
        #expect((28...100).contains(after.bytes.probes - before.bytes.probes), "an echo request with its IP header")
        #expect(after.state == .up && after.traffic == .standby)
        #expect(after.keepalive?.answered == true)
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
    /// Counts what comes out of the metered line, IPv4 alone: IPv6 says its hello on every new link.
    fileprivate func countSoracom() throws {
        try lab.mustRun(
            in: .inet, ["nft", "-f", "-"],
            input: """
                table ip watch {
                    counter came { }
                    chain watch {
                        type filter hook prerouting priority -400; policy accept;
                        iifname "soracom0" counter name came
                    }
                }

                """)
    }

    /// Packets that came over the metered line since then.
    fileprivate func cameOverSoracom() throws -> Int {
        let text = try lab.mustRun(in: .inet, ["nft", "reset", "counter", "ip", "watch", "came"])
        let words = text.split { $0 == " " || $0 == "\n" || $0 == "\t" }
        guard let place = words.firstIndex(of: "packets"), let count = Int(words[place + 1]) else {
            throw WorldError("no counter in: \(text)")
        }
        return count
    }
}
