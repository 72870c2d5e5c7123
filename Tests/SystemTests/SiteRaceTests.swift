import Glibc
import TestSupport
import Testing
import WANControl
import WANLab
import WANModel

@Suite("the address is quicker than the daemon", .enabled(if: Needs.root, Needs.advice))
struct SiteRaceTests {
    @Test("a box that gets the address while its daemon sleeps carries the LAN's flows all the same")
    func asleep() throws {
        let world = try SiteWorld.running()
        let client = try world.client(.established)
        try world.waitTraffic(of: client, on: .main)
        try world.daemon(.sub).signal(SIGSTOP)
        try world.lab.powerOff(.main)
        try world.waitTraffic(of: client, on: .sub)
        try world.daemon(.sub).signal(SIGCONT)
        try world.wait("sub knows") { try world.role(.sub) == .master }
        let report = try client.stop()
        #expect(report.timeline.compactMap(\.uplink) == [.ftth, .soracom] && report.outages.count == 1)
    }

    /// Some packets still come when the address has gone; what they leave behind must not meet the flow when it is back.
    @Test("a line that is away for a moment has the call back each time")
    func awayAndBack() throws {
        let world = try SiteWorld.running(hold: "1s")
        let client = try world.client(.established)
        try world.waitTraffic(of: client, on: .main)
        let listing = ["conntrack", "-L", "-p", "udp", "-d", "192.0.2.10"]
        try world.lab.setFault(.main, .gone)
        try world.wait("main knows") { try world.role(.main) == .backup }
        // A host that has not heard of the new gateway.
        let stale = try world.lab.mustRun(in: .main, ["cat", "/sys/class/net/eth0/address"])
        let address = stale.split(separator: "\n").joined()
        try world.lab.mustRun(
            in: .lan,
            ["ip", "neigh", "replace", "\(LabAddress.virtual)", "lladdr", address, "dev", "eth0", "nud", "permanent"])
        try world.watch(seconds: 0.5) {
            try !world.lab.mustRun(in: .main, listing).contains("dst=\(LabAddress.client) ")
        }
        try world.lab.clearFaults(.main)
        try world.waitTraffic(of: client, on: .main, seconds: 15)
        _ = try client.stop()
    }
}
