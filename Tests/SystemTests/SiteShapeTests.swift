import LinuxIO
import TestSupport
import Testing
import WANControl
import WANLab
import WANModel

@Suite("sites of other shapes", .enabled(if: Needs.root, Needs.advice))
struct SiteShapeTests {
    /// `main` has the cable too.
    private func twoLines(order: [LabUplink]) throws -> SiteWorld {
        try SiteWorld(extra: [.jcom: .main]) { node, lab in
            SitePolicy.text(
                for: node, in: lab, hold: "1s", order: order, soracom: SoracomInLab.policyLines())
        }.started()
    }

    @Test("two lines on the better box: the address stays while one of them works, and goes when both are gone")
    func together() throws {
        let world = try twoLines(order: [.ftth, .jcom, .soracom])
        try world.waitClass("s1.minimum")
        let client = try world.client()
        try world.waitTraffic(of: client, by: .ftth)
        let roles = try world.daemon(.sub).history().filter { $0.kind == "role" }.count
        try world.lab.setFault(.ftth, .blackhole())
        try world.waitTraffic(of: client, by: .jcom)
        try world.watch(seconds: 1) { try world.role(.main) == .master && world.role(.sub) == .backup }
        #expect(try world.daemon(.sub).history().filter { $0.kind == "role" }.count == roles, "nothing has moved")
        #expect(world.soracom.classChanges.compactMap(\.speedClass) == ["s1.minimum"])
        try world.lab.setFault(.jcom, .gone)
        try world.waitTraffic(of: client, by: .soracom)
        try world.waitClass("s1.fast")
        try world.lab.clearFaults(.jcom)
        try world.waitTraffic(of: client, by: .jcom, seconds: 15)
        try world.wait("main is master") { try world.role(.main) == .master }
        try world.lab.clearFaults(.ftth)
        try world.waitTraffic(of: client, by: .ftth, seconds: 15)
        try world.waitClass("s1.minimum")
        _ = try client.stop()
    }

    @Test("a line of another box between two of one: the site's order decides who is master")
    func between() throws {
        let world = try twoLines(order: [.ftth, .soracom, .jcom])
        let client = try world.client()
        try world.waitTraffic(of: client, by: .ftth)
        try world.lab.setFault(.ftth, .blackhole())
        try world.waitTraffic(of: client, by: .soracom)
        try world.lab.setFault(.soracom, .gone)
        try world.waitTraffic(of: client, by: .jcom)
        try world.lab.clearFaults(.soracom)
        try world.waitTraffic(of: client, by: .soracom, seconds: 15)
        try world.lab.clearFaults(.ftth)
        try world.waitTraffic(of: client, by: .ftth, seconds: 15)
        try world.wait("main is master") { try world.role(.main) == .master && world.role(.sub) == .backup }
        _ = try client.stop()
    }

    @Test("a line past its quality limits is left for a good one of another box, and carries on where there is none")
    func degraded() throws {
        let world = try SiteWorld(extra: [:]) { node, lab in
            SitePolicy.text(
                for: node, in: lab, hold: "1s", probe: [.ftth: "interval: 100ms, degraded: {rtt: 60ms}"],
                soracom: SoracomInLab.policyLines())
        }.started()
        let client = try world.client()
        try world.waitTraffic(of: client, by: .ftth)
        try world.lab.setFault(.ftth, .delay(.milliseconds(120)))
        try world.waitTraffic(of: client, by: .soracom, seconds: 15)
        try world.wait("main is backup, and says why") {
            let status = try world.status(.main)
            return status.role == .backup && status.uplinks[0].state == .degraded
        }
        try world.lab.setFault(.soracom, .gone)
        try world.wait("the slow line again, which is better than none") {
            try client.snapshot().timeline.last?.uplink == .ftth && world.role(.main) == .master
        }
        try world.lab.clearFaults(.soracom)
        try world.waitTraffic(of: client, by: .soracom, seconds: 15)
        try world.lab.clearFaults(.ftth)
        try world.waitTraffic(of: client, by: .ftth, seconds: 20)
        _ = try client.stop()
    }

    @Test("two gateways on one cable router: Wi-Fi without carrier, silent or taken out hands the address over")
    func pair() throws {
        let world = try WiFiPair.world().started()
        let client = try world.client()
        try world.waitTraffic(of: client, by: .jcom)
        for fault in [Fault.carrierOff, .blackhole(), .gone] {
            try world.lab.setFault(.jcom, fault)
            try world.wait("\(fault): sub takes over") {
                try world.role(.sub) == .master && world.role(.main) == .backup
                    && client.isAnswered(within: .milliseconds(50))
            }
            try world.lab.clearFaults(.jcom)
            try world.wait("main has it back", seconds: 20) {
                try world.role(.main) == .master && world.role(.sub) == .backup
                    && client.isAnswered(within: .milliseconds(50))
            }
        }
        let report = try client.stop()
        let said = report.longestOutageMilliseconds < 1500 ? "" : try world.said()
        #expect(report.longestOutageMilliseconds < 1500, "\(report.outages) \(report.timeline)\n\(said)")
        // The cable behind both: nobody is better.
        try world.lab.mustRun(in: .jcom, ["ip", "link", "set", "wan0", "down"])
        // Who finds it out first gives the address to the one that does not know yet; then it stays.
        var masters: [SiteNode] = []
        try world.wait("both know, and one has the address") {
            masters = try world.lab.nodes.filter { try world.role($0) == .master }
            return try masters.count == 1
                && world.lab.nodes.allSatisfy { node in
                    // Not while one is giving it away.
                    try world.status(node).uplinks[0].state == .down && (0...1).contains(world.health(node) ?? 9)
                }
        }
        try world.watch(seconds: 1) { try world.lab.nodes.filter { try world.role($0) == .master } == masters }
    }
}
