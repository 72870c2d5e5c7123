import TestSupport
import Testing
import WANControl
import WANLab
import WANModel

@Suite("another policy for a site that runs", .enabled(if: Needs.root, Needs.advice))
struct SiteReloadTests {
    @Test(
        "vrrp and nodes go and come, uplinks are renamed, a wrong policy is refused: not a datagram is lost, and roles are right"
    )
    func master() throws {
        let world = try SiteWorld.running()
        let (fresh, call) = (try world.client(), try world.client(.established))
        try world.waitTraffic(of: call, on: .main)
        let (main, sub) = (try world.daemon(.main), try world.daemon(.sub))

        try world.reload(.main, world.plainPolicy(.main))
        #expect(try world.role(.main) == .alone)
        #expect(world.health(.main) == 3, "keepalived goes by what it was told last")
        try world.reload(.main, world.policy(.main))
        #expect(try world.role(.main) == .master)
        try world.reload(.sub, world.plainPolicy(.sub))
        #expect(try world.role(.sub) == .alone)
        try world.reload(.sub, world.policy(.sub))
        #expect(try world.role(.sub) == .backup)
        let route = try world.lab.mustRun(in: .sub, ["ip", "route", "get", "8.8.4.4"])
        #expect(route.contains("via \(LabAddress.virtual)"), "\(route)")

        for forwarding in ["off", "leave"] {
            for node in world.lab.nodes {
                try world.reload(node, world.policy(node, vrrp: ["backup: {forwarding: \(forwarding)}"]))
            }
        }
        // Not for this box, and with a fault: what is in force stays.
        let before = try main.status().policy.sha256
        for wrong in [
            world.policy(.main).replacing("  main: {", with: "  head: {").replacing("node: main", with: "node: head"),
            world.policy(.main) + "nonsense: 1\n",
        ] {
            guard case .refused(let refusal) = try main.reload(policy: wrong) else {
                Issue.record("it was taken")
                continue
            }
            #expect(!refusal.details.isEmpty)
            #expect(try main.status().policy.sha256 == before && world.role(.main) == .master)
        }
        #expect(try call.snapshot(undecided: .milliseconds(100)).lost == 0)
        // Both have new names for their uplinks, the traffic's own among them: the same lines, so their flows stay what they are. One
        // that was let go would lose the datagram that is answered just then.
        let flows = try world.clientFlows(.main)
        #expect(!flows.isEmpty)
        for node in world.lab.nodes {
            let text = world.policy(node).replacing("ftth", with: "fibre").replacing("\n  soracom:", with: "\n  lte:")
            try world.reload(node, text.replacing("[fibre, soracom]", with: "[fibre, lte]"))
            try world.wait("the uplink of \(node) has its new name") {
                try world.status(node).uplinks.allSatisfy { ["fibre", "lte"].contains($0.name) && $0.state == .up }
            }
        }
        #expect(try flows.isSubset(of: world.clientFlows(.main)))
        try world.watch(seconds: 4) { try world.lab.owners() == [.main] && world.role(.main) == .master }
        #expect(world.health(.main) == 3 && world.health(.sub) == 2)
        for report in [try fresh.stop(), try call.stop()] {
            #expect(
                report.lost == 0 && report.timeline.compactMap(\.uplink) == [.ftth],
                "\(report.outages) \(report.timeline) \(report.wrongSources) reloads \(world.reloadedAt)")
        }
        #expect(main.isRunning && sub.isRunning)
        try world.waitClass("s1.minimum")
    }

    @Test("another address, or another interface for it: each box has the role that follows from it")
    func addressChanges() throws {
        let world = try SiteWorld.running()
        let other = "192.168.0.253"
        for node in world.lab.nodes {
            try world.reload(node, world.policy(node).replacing("\(LabAddress.virtual)/24", with: "\(other)/24"))
        }
        #expect(try world.role(.main) == .backup, "keepalived has another address")
        for node in world.lab.nodes {
            world.keepalived[node]?.stop()
            try world.startKeepalived(
                node, policy: world.policy(node).replacing("\(LabAddress.virtual)/24", with: "\(other)/24"))
        }
        try world.wait("roles by the new address", seconds: 12) {
            try world.role(.main) == .master && world.role(.sub) == .backup
        }
        let route = try world.lab.mustRun(in: .sub, ["ip", "route", "get", "8.8.4.4"])
        #expect(route.contains("via \(other) dev eth0"), "\(route)")
        // A cable of its own between the boxes: the way to the master goes there.
        let far = world.lab.namespaceName(.sub)
        try world.lab.mustRun(
            in: .main, ["ip", "link", "add", "lan1", "type", "veth", "peer", "name", "lan1", "netns", far])
        for (node, own) in [(SiteNode.main, "192.168.7.1/24"), (.sub, "192.168.7.2/24")] {
            try world.lab.mustRun(in: node.place, ["ip", "addr", "add", own, "dev", "lan1"])
            try world.lab.mustRun(in: node.place, ["ip", "link", "set", "lan1", "up"])
        }
        for node in world.lab.nodes {
            let text = world.policy(node).replacing("\(LabAddress.virtual)/24", with: "192.168.7.254/24")
                .replacing("interface: eth0", with: "interface: lan1").replacing("[eth0]", with: "[eth0, lan1]")
                .replacing("address: 192.168.0.", with: "address: 192.168.7.")
            try world.reload(node, text)
            world.keepalived[node]?.stop()
            try world.startKeepalived(node, policy: text)
        }
        try world.wait("roles on the other cable", seconds: 12) {
            try world.role(.main) == .master && world.role(.sub) == .backup
        }
        let there = try world.lab.mustRun(in: .sub, ["ip", "route", "get", "8.8.4.4"])
        #expect(there.contains("via 192.168.7.254 dev lan1"), "\(there)")
        try world.wait("they hear each other there") {
            try world.lab.nodes.allSatisfy { try world.status($0).peers.allSatisfy { $0.isPresent } }
        }
    }
}
