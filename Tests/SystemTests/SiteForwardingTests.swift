import Glibc
import TestSupport
import Testing
import WANControl
import WANLab
import WANModel

/// `vrrp: {backup: {forwarding: off}}`, as the classic `sub` has it.
@Suite("a backup that forwards nothing of the LAN's", .enabled(if: Needs.root, Needs.advice))
struct SiteForwardingTests {
    private static let off = ["backup: {forwarding: off}"]

    private func waitForwarding(
        _ value: String, on node: SiteNode, in world: SiteWorld, at place: SourceLocation = #_sourceLocation
    ) throws {
        try world.wait("forwarding of \(node) is \(value)", at: place) {
            try world.setting("forwarding", on: node) == value
        }
    }

    /// Whether a host whose gateway is a box's own address gets out by it.
    private func passes(_ node: SiteNode, in world: SiteWorld) throws -> Bool {
        let target = "\(LabAddress.targets[0])"
        try world.lab.mustRun(in: .lan, ["ip", "route", "replace", target, "via", "\(node.address)"])
        defer { _ = try? world.lab.run(in: .lan, ["ip", "route", "del", target]) }
        return try world.lab.run(in: .lan, ["ping", "-c", "1", "-W", "1", target]).succeeded
    }

    @Test("off while another has the address, on with it; the way back costs no datagram; every end turns it on again")
    func roles() throws {
        let world = try SiteWorld.running(vrrp: Self.off)
        try waitForwarding("0", on: .sub, in: world)
        #expect(try world.setting("forwarding", on: .main) == "1")
        #expect(try passes(.main, in: world))
        #expect(try !passes(.sub, in: world))
        // Its own traffic goes to the address, and is answered.
        let own = try world.lab.run(in: .sub, ["ping", "-c", "1", "-W", "1", "\(LabAddress.targets[0])"])
        #expect(own.succeeded, "\(own)")
        #expect(try world.wanctl(.sub, "why").output.contains("nothing from eth0 is forwarded"))

        // What is translated does not depend on the role.
        let translation = ["nft", "list", "chain", "inet", "wanctl", "srcnat"]
        #expect(try world.lab.mustRun(in: .sub, translation).contains("oifname @uplinks masquerade"))

        let client = try world.client()
        try world.waitTraffic(of: client, on: .main)
        try world.lab.setFault(.main, .blackhole())
        try world.waitTraffic(of: client, on: .sub)
        #expect(try world.setting("forwarding", on: .sub) == "1")
        try world.waitClass("s1.fast")
        try world.wait("the class is known here too") { try raised(on: .sub, in: world) != nil }
        let history = try world.daemon(.sub).history()
        let forwards = history.lastIndex { $0.kind == "sysctl" && $0.text.contains("eth0") }
        #expect(try forwards ?? .max < raised(on: .sub, in: world) ?? .min, "first forwarding, then the class")
        try waitForwarding("0", on: .main, in: world)
        try world.lab.clearFaults(.main)
        try world.waitTraffic(of: client, on: .main, seconds: 15)
        try waitForwarding("0", on: .sub, in: world)
        let report = try client.stop()
        let said = report.outages.count == 1 ? "" : "\(report.timeline)\n\(try world.said())"
        #expect(report.outages.count == 1, "0 lost on the way back: \(report.outages) \(said)")
        #expect(report.longestOutageMilliseconds < 1500)

        try ends(of: world)
    }

    /// Where a box's history says that its SIM has the expensive class.
    private func raised(on node: SiteNode, in world: SiteWorld) throws -> Int? {
        try world.daemon(node).history().lastIndex { $0.kind == "speed" && $0.text.hasPrefix("s1.fast, ") }
    }

    /// Of the daemon, and of the policy that wants it off; `sub` is backup all the time.
    private func ends(of world: SiteWorld) throws {
        let sub = try world.daemon(.sub)
        #expect(sub.terminate() == .exited(0))
        #expect(try world.setting("forwarding", on: .sub) == "1", "stopped")
        try sub.restart { $0.role == .backup }
        try waitForwarding("0", on: .sub, in: world)
        // Killed, it cannot; the next one knows of it, and so does the one that cleans up.
        sub.kill()
        #expect(try world.setting("forwarding", on: .sub) == "0")
        try sub.restart { $0.role == .backup }
        // Also while it still waits for hosts that have not heard of the new gateway.
        try world.reload(.sub, world.policy(.sub, vrrp: []))
        #expect(try world.setting("forwarding", on: .sub) == "1", "leave")
        try world.reload(.sub, world.policy(.sub))
        #expect(try world.setting("forwarding", on: .sub) == "0", "at once: no host has just lost its gateway")
        try world.reload(.sub, world.plainPolicy(.sub))
        #expect(try world.setting("forwarding", on: .sub) == "1", "no vrrp any more")
        try world.reload(.sub, world.policy(.sub))
        try waitForwarding("0", on: .sub, in: world)
        sub.kill()
        #expect(try world.cleanUp(.sub).succeeded)
        #expect(try world.setting("forwarding", on: .sub) == "1", "cleaned up")
        #expect(world.health(.sub) == 0)
        // What was off before is nobody's to turn on.
        try world.lab.writeSettings(["net/ipv4/conf/eth0/forwarding": "0"], in: .sub)
        try sub.restart { $0.role == .backup }
        try world.watch(seconds: 2.5) { try world.setting("forwarding", on: .sub) == "0" }
        #expect(sub.terminate() == .exited(0))
        #expect(try world.setting("forwarding", on: .sub) == "0", "as it was")
    }

    @Test(
        "the role and what hangs on it come from the address, whether keepalived runs or not; a file in the FIFO's place"
    )
    func adopted() throws {
        let world = try SiteWorld(vrrp: Self.off)
        let address = ["\(LabAddress.virtual)/24", "dev", "eth0"]
        try world.lab.mustRun(in: .main, ["ip", "addr", "add"] + address)
        let fifo = world.lab.notifyFIFO(of: .main)
        try world.lab.mustRun(in: .main, ["touch", fifo])
        try world.startDaemon(.main)
        try world.startDaemon(.sub)
        #expect(try world.role(.main) == .master && world.role(.sub) == .backup)
        #expect(try world.wanctl(.main, "why").output.contains("\(LabAddress.virtual) was on this box at start"))
        try waitForwarding("0", on: .sub, in: world)
        #expect(try world.setting("forwarding", on: .main) == "1")
        let warnings = try world.status(.main).warnings
        #expect(
            warnings.contains { $0.contains("\(fifo), which is no FIFO") && $0.contains("; remove it;") }, "\(warnings)"
        )
        try world.lab.mustRun(in: .main, ["rm", fifo])
        try world.wait("the FIFO is made") { try !world.status(.main).warnings.contains { $0.contains("no FIFO") } }

        try world.lab.mustRun(in: .main, ["ip", "addr", "del"] + address)
        try world.wait("main is backup") { try world.role(.main) == .backup }
        try world.lab.mustRun(in: .sub, ["ip", "addr", "add"] + address)
        try world.wait("sub is master") { try world.role(.sub) == .master }
        #expect(try world.setting("forwarding", on: .sub) == "1")
        let sub = try world.daemon(.sub)
        sub.kill()
        try sub.restart { $0.role == .master }
        #expect(try world.setting("forwarding", on: .sub) == "1")
        try waitForwarding("0", on: .main, in: world)
        try world.wait("it says that keepalived is not there") {
            try world.status(.main).warnings.contains { $0.contains("keepalived does not run here") }
        }
    }
}
