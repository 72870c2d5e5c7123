import NetworkTypes
import TestSupport
import Testing
import WANControl
import WANLab
import WANModel

@Suite("uplinks of one step share the load by weight", .enabled(if: Needs.root, Needs.advice))
struct ShareTests {
    private static let shared = "[{ftth: 3, jcom: 1}, soracom]"

    private func running(_ policy: String) throws -> World {
        let world = try World(policy: policy)
        try world.startDaemon()
        try world.wait("both share") { Set(try world.status().selected) == ["ftth", "jcom"] }
        try world.wait("all are up") { try world.status().uplinks.allSatisfy { $0.state == .up } }
        return world
    }

    @Test("10,000 flows are spread three to one, and a second packet on each goes the same way")
    func distribution() throws {
        let world = try running(Policies.threeLines(order: Self.shared))
        let sources = try world.lab.addClientAddresses(100)
        let crowd = try FlowCrowd.open(10_000, .udp, in: world.lab, sources: sources)
        let first = try crowd.send(patience: .seconds(3))
        #expect(first.answered == 10_000, "\(first)")
        #expect(abs(first.share(of: .ftth) - 0.75) < 0.03, "\(first.byUplink)")
        let second = try crowd.send(patience: .seconds(3))
        #expect(second.movedCount == 0, "\(second.moved)")
        try crowd.close()
    }

    @Test("a member that fails takes its own flows along and no other; one that returns takes only new ones")
    func membership() throws {
        let world = try running(Policies.threeLines(hold: "1s", order: Self.shared))
        let crowd = try FlowCrowd.open(400, .udp, in: world.lab)
        let before = try crowd.send()
        let onJcom = before.byUplink[.jcom] ?? 0
        #expect((50...150).contains(onJcom))
        try world.lab.setFault(.jcom, .blackhole())
        try world.wait("jcom has left") { try world.status().selected == ["ftth"] }
        let during = try crowd.send()
        #expect(during.byUplink == [.ftth: 400])
        #expect(during.moved == [CrowdMove(from: .jcom, to: .ftth): onJcom])
        try world.lab.clearFaults()
        try world.wait("jcom is back") { Set(try world.status().selected) == ["ftth", "jcom"] }
        #expect(try crowd.send().movedCount == 0, "nobody moves because a line came back")
        let fresh = try FlowCrowd.open(400, .udp, in: world.lab)
        let after = try fresh.send()
        #expect((50...150).contains(after.byUplink[.jcom] ?? 0), "\(after.byUplink)")
        try crowd.close()
        try fresh.close()
    }

    @Test("a source stays with the line it was given as long as the policy says")
    func sticky() throws {
        let world = try running(Policies.threeLines(order: Self.shared, failover: ["sticky: 10m"]))
        for source in try world.lab.addClientAddresses(12) {
            let crowd = try FlowCrowd.open(20, .udp, in: world.lab, sources: [source])
            #expect(try crowd.send().byUplink.count == 1, "\(source)")
            try crowd.close()
        }
        try world.lab.setFault(.jcom, .blackhole())
        try world.wait("jcom has left") { try world.status().selected == ["ftth"] }
        let crowd = try FlowCrowd.open(60, .udp, in: world.lab, sources: try world.lab.addClientAddresses(12))
        #expect(try crowd.send().byUplink == [.ftth: 60], "not to a line that is gone")
        try crowd.close()
    }

    @Test("a source stays with its line over another table: a reload, a repair, a restart")
    func stickyOverTables() throws {
        let policy = Policies.threeLines(order: Self.shared, failover: ["sticky: 10m"])
        let world = try running(policy)
        let sources = try world.lab.addClientAddresses(12)
        func lines() throws -> [[LabUplink]] {
            try sources.map { source in
                let crowd = try FlowCrowd.open(3, .udp, in: world.lab, sources: [source])
                defer { _ = try? crowd.close() }
                return Array(try crowd.send().byUplink.keys)
            }
        }
        let before = try lines()
        #expect(Set(before) == [[.ftth], [.jcom]], "a share")
        world.policy = policy + "rules:\n  - {name: other, match: {protocol: tcp, port: 25}, order: [ftth]}\n"
        try world.write(policy: world.policy)
        #expect(try world.wanctl("reload").succeeded)
        #expect(try lines() == before, "reload")
        try world.lab.mustRun(in: .router, ["nft", "flush", "chain", "inet", "wanctl", "srcnat"])
        try world.wait("the table is repaired") { try world.history().contains { $0.kind == "repair" } }
        #expect(try lines() == before, "repair")
        try world.startDaemon()
        try world.wait("both share") { Set(try world.status().selected) == ["ftth", "jcom"] }
        #expect(try lines() == before, "restart")
    }

    @Test("a share over a restart and a manual switch: 0 packets lost, 0 flows moved")
    func restart() throws {
        let world = try running(Policies.threeLines(order: Self.shared))
        let fresh = try ClientProber.start(in: world.lab, flow: .fresh())
        let crowd = try FlowCrowd.open(200, .udp, in: world.lab)
        _ = try crowd.send()
        try world.startDaemon()
        try world.wait("both share") { Set(try world.status().selected) == ["ftth", "jcom"] }
        #expect(try crowd.send().movedCount == 0)
        #expect(try world.wanctl("failover", "jcom").succeeded)
        #expect(try world.status().selected == ["jcom"])
        #expect(try crowd.send().movedCount == 0, "they drain")
        #expect(try world.wanctl("auto").succeeded)
        #expect(try fresh.stop().lost == 0)
        try crowd.close()
    }
}
