import LinuxIO
import TestSupport
import Testing
import WANControl
import WANLab
import WANModel

@Suite("three boxes: fibre, cable, SIM", .enabled(if: Needs.root, Needs.advice))
struct ThreeBoxTests {
    @Test("the best box dies, then the second one's line; they come back one by one; each box tells what it knows")
    func fallAndRise() throws {
        let world = try SiteWorld.running([.main, .sub, .third], hold: "1s")
        let client = try world.client()
        try world.waitTraffic(of: client, on: .main)
        try world.wait("each has heard the others") {
            try world.lab.nodes.allSatisfy { try world.status($0).peers.allSatisfy(\.isPresent) }
        }
        try expect(
            world, .main, "main (master): ", "main is master (has 192.168.0.254): 192.168.0.254 came to this box",
            "sub, backup, heard", "third, backup, heard", ": jcom up.")
        try expect(
            world, .sub, "sub (backup): ", "main is master (has 192.168.0.254); sub is backup",
            "main, master, heard", "ftth up and selected")

        try world.lab.powerOff(.main)
        try world.waitTraffic(of: client, on: .third)
        try world.wait("the dead box is missed") {
            try [SiteNode.sub, .third].allSatisfy { try !(world.status($0).peers.first?.isPresent ?? true) }
        }
        try expect(
            world, .third, "main is silent", "third is master (has 192.168.0.254)", "main, silent, last heard",
            " ago as master: ftth up")
        try expect(world, .sub, "third is master (has 192.168.0.254); sub is backup", "main, silent, last heard")

        try world.lab.setFault(.third, .gone)
        try world.waitTraffic(of: client, on: .sub)
        try world.waitClass("s1.fast")
        try world.lab.clearFaults(.third)
        try world.waitTraffic(of: client, on: .third, seconds: 15)
        try world.waitClass("s1.minimum")
        try world.lab.powerOn(.main)
        try world.daemon(.main).restart { _ in true }
        try world.startKeepalived(.main)
        try world.waitTraffic(of: client, on: .main, seconds: 15)
        let report = try client.stop()
        let visits = report.timeline.compactMap { change in change.uplink.map { (at: change.at, line: $0) } }
        #expect(
            withoutEarlyBird(visits, worst: .soracom) == [.ftth, .jcom, .soracom, .jcom, .ftth], "\(report.timeline)")
        #expect(report.longestOutageMilliseconds < 1500, "\(report.outages)")
    }

    @Test(
        "a split LAN, and the operator: the next best takes the address, a worse one not before that one stands aside")
    func splitAndByHand() throws {
        let world = try SiteWorld.running([.main, .sub, .third])
        let client = try world.client()
        try world.waitTraffic(of: client, on: .main)
        try world.waitClass("s1.minimum")

        // The best one alone on its side: the others agree on one master, and the SIM is cheap.
        try world.lab.setCable(.main, .silent)
        try world.waitTraffic(of: client, on: .third)
        try world.wait("both sides have a master, and one each") {
            try world.lab.nodes.map { try world.role($0) } == [.master, .backup, .master]
        }
        try world.lab.setCable(.main, .connected)
        try world.waitTraffic(of: client, on: .main)
        try world.wait("one is master") {
            try world.lab.nodes.map { try world.role($0) } == [.master, .backup, .backup]
        }
        // The worst box misses the master at the same time, and may be one for the 15 ms until it hears the better one.
        try world.waitClass("s1.minimum")

        try world.wait("each has heard the others") {
            try world.lab.nodes.allSatisfy { try world.status($0).peers.allSatisfy(\.isPresent) }
        }
        let elsewhere = try world.wanctl(.sub, "failover", "soracom")
        #expect(elsewhere.status == .exited(1))
        #expect(elsewhere.errors.contains("main has the address: `wanctl failover soracom` there moves the site here"))
        let why = try world.wanctl(.sub, "why").output
        #expect(why.hasPrefix("This box is backup: main has \(LabAddress.virtual); this box is ready with soracom"))
        let taken = try world.wanctl(.main, "disable", "ftth")
        #expect(taken.errors.contains("`wanctl failover jcom` moves the site to third first"), "\(taken.errors)")
        let refused = try world.wanctl(.main, "failover", "soracom")
        #expect(refused.status == .exited(1))
        #expect(
            refused.errors.contains("third is better than sub and would take the address; let it stand aside first"),
            "\(refused.errors)")
        #expect(try world.wanctl(.main, "failover", "jcom").succeeded)
        try world.waitTraffic(of: client, on: .third)
        try world.wait("the new master has heard that the old one stands aside") {
            try world.status(.third).peers.first?.health == 1
        }
        try world.daemon(.main).restart { $0.role == .backup }
        #expect(try world.status(.main).pinned?.uplink == "jcom", "the operator's word outlives the daemon")
        #expect(world.health(.main) == 1)
        #expect(try world.wanctl(.third, "failover", "soracom").succeeded)
        try world.waitTraffic(of: client, on: .sub)
        #expect(try world.wanctl(.third, "auto").succeeded)
        try world.waitTraffic(of: client, on: .third)
        #expect(try world.wanctl(.main, "auto").succeeded)
        try world.waitTraffic(of: client, on: .main)

        try world.lab.setFault(.third, .gone)
        try world.wait("main has heard of it") { try world.status(.main).peers.last?.uplinks.first?.state == .absent }
        let dead = try world.wanctl(.main, "failover", "jcom")
        #expect(dead.status == .exited(1) && dead.errors.contains("jcom is absent on third"), "\(dead.errors)")
        #expect(try world.role(.main) == .master)
        #expect(try client.stop().longestOutageMilliseconds < 1500)
    }

    private func expect(
        _ world: SiteWorld, _ node: SiteNode, _ parts: String..., at place: SourceLocation = #_sourceLocation
    ) throws {
        let text = try world.wanctl(node, "status").output
        let plain = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        for part in parts { #expect(plain.contains(part.trimmed), "\(text)", sourceLocation: place) }
    }
}

extension String {
    /// Without blanks at both ends.
    fileprivate var trimmed: String { split(separator: " ").joined(separator: " ") }
}
