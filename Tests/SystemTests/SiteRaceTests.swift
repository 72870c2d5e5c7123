import Glibc
import TestSupport
import Testing
import WANControl
import WANLab

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
}
