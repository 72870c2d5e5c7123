import LinuxIO
import NetworkTypes
import TestSupport
import Testing
import WANControl
import WANLab
import WANModel

@Suite("a host of the LAN that speaks in the name of a box", .enabled(if: Needs.root, Needs.advice))
struct SiteForgeryTests {
    /// What somebody would say for a box: that it is master and healthier than any, or that it can do nothing at all.
    private func lie(_ node: SiteNode, isMaster: Bool) -> [UInt8] {
        PeerHello(
            node: node.rawValue, site: "lab", version: "0.1.0", run: .max, sequence: .max,
            role: isMaster ? .master : .backup, health: isMaster ? 254 : 0, selected: [],
            uplinks: [.init(name: node.uplink.rawValue, state: isMaster ? .up : .down)]
        ).datagram
    }

    /// Role, health, and what a box believes of the other one.
    private func state(_ world: SiteWorld, _ node: SiteNode) throws -> [String] {
        let status = try world.status(node)
        let peers = status.peers.map {
            "\($0.node) \($0.isPresent) \($0.role?.rawValue ?? "?") \($0.health ?? -1) \($0.uplinks)"
        }
        return ["\(status.role)", "\(world.health(node) ?? -1)", status.virtualAddress?.holder ?? "?"] + peers
    }

    private func areInTouch(_ world: SiteWorld) throws -> Bool {
        try world.lab.nodes.allSatisfy { try world.status($0).peers.allSatisfy(\.isPresent) }
    }

    @Test("with a key, what he forges and what he sends again moves nothing, and a box that starts meanwhile is heard")
    func signed() throws {
        let world = try SiteWorld(hold: "1s")
        // At the switch: he who fools it hears all of the boxes.
        let wire = try world.lab.namespace(.lanSwitch).inside { try Eavesdropper() }
        _ = try world.started()
        try world.wait("the boxes have heard each other") { try areInTouch(world) }
        var recorded = try wire.datagrams(to: 8787)
        try world.wait("he has heard some of each") {
            recorded += try wire.datagrams(to: 8787)
            return SiteNode.allCases.prefix(2).allSatisfy { node in
                recorded.filter { $0.source == node.address }.count > 4
            }
        }
        try world.waitClass("s1.minimum")
        let forger = try world.lab.namespace(.lan).inside { try Forger() }
        let (main, sub) = (SiteNode.main.address, SiteNode.sub.address)
        let attack = {
            for word in recorded {
                try forger.send(word.bytes, from: (word.source, 8787), to: (word.destination, 8787))
            }
            for isMaster in [true, false] {
                try forger.send(lie(.sub, isMaster: isMaster), from: (sub, 8787), to: (main, 8787))
                try forger.send(lie(.main, isMaster: isMaster), from: (main, 8787), to: (sub, 8787))
            }
        }
        let before = try world.lab.nodes.map { try state(world, $0) }
        #expect(before.first?.last?.hasPrefix("sub true backup 2 ") == true, "\(before)")
        // Words of two classes that the daemon tells apart; then for as long as a silent peer would be missed, and an orphan step back.
        try attack()
        try world.wait("main says that somebody forges") {
            try world.status(.main).warnings.contains { $0.hasPrefix("words in the name of sub are not signed") }
        }
        try world.watch(seconds: 5) {
            try attack()
            return try world.lab.nodes.map { try state(world, $0) } == before
        }
        #expect(
            try world.daemon(.main).log().split(separator: "\n").filter { $0.contains("are not signed") }.count == 1)

        try world.daemon(.sub).restart { _ in true }
        try world.wait("main hears the new sub, and sub hears main", seconds: 3) {
            try attack()
            return try areInTouch(world)
        }
        // The hand-over that he would have spoilt by calling sub unfit.
        try world.wait("sub is ready again") {
            try attack()
            return try world.status(.main).peers.first?.health == 2
        }
        #expect(try world.wanctl(.main, "failover", "soracom").succeeded)
        try world.lab.waitForOwners([.sub])
    }

    @Test(
        "without a key he is believed, which the boxes say; a key that one gets after the other ends that, and is changed"
    )
    func unsigned() throws {
        let world = try SiteWorld(extra: [:]) { node, lab in
            SitePolicy.text(for: node, in: lab, isSigned: false, soracom: SoracomInLab.policyLines())
        }.started()
        try world.wait("the boxes have heard each other") { try areInTouch(world) }
        let weakness = "the words of the boxes are not signed"
        for node in world.lab.nodes { #expect(try world.status(node).warnings.contains { $0.hasPrefix(weakness) }) }
        #expect(
            try world.daemon(.main).log().split(separator: "\n").filter { $0.contains(weakness) }.count == 1)
        let forger = try world.lab.namespace(.lan).inside { try Forger() }
        try forger.send(
            lie(.sub, isMaster: false), from: (SiteNode.sub.address, 8787), to: (SiteNode.main.address, 8787))
        try world.wait("main believes him") { try world.status(.main).peers.first?.uplinks.first?.state == .down }

        func policy(_ node: SiteNode) -> String {
            SitePolicy.text(for: node, in: world.lab, soracom: SoracomInLab.policyLines())
        }
        try world.reload(.main, policy(.main))
        for (node, said) in [(SiteNode.main, "the name of sub are not signed"), (.sub, "the name of main are signed")] {
            try world.wait("\(node) says that only one has a key") {
                try world.status(node).warnings.contains { $0.contains(said) }
            }
        }
        try world.wait("they do not hear each other") {
            try world.lab.nodes.allSatisfy { try !(world.status($0).peers.first?.isPresent ?? true) }
        }
        #expect(try world.role(.main) == .master && world.role(.sub) == .backup)
        try world.reload(.sub, policy(.sub))
        try world.wait("they hear each other again", seconds: 2) { try areInTouch(world) }

        // A new key, in the steps of the manual. The boxes of a lab have one file, so the steps are one reload for each box.
        let (old, new) = (try Files.text(world.lab.keyFile), SiteLab.freshSecret())
        for secrets in [[old, new], [new, old], [new]] {
            try world.lab.setKey(secrets)
            for node in world.lab.nodes {
                try world.reload(node, policy(node))
                try world.wait("they hear each other", seconds: 2) { try areInTouch(world) }
            }
        }
        for node in world.lab.nodes {
            #expect(try !world.daemon(node).log().contains("signed with another key"))
            #expect(try !world.status(node).warnings.contains { $0.hasPrefix(weakness) })
        }
        // A key that is none: the policy is refused, and the boxes go on as they were.
        try world.lab.setKey(["short"])
        guard case .refused(let refusal) = try world.daemon(.main).reload(policy: policy(.main)) else {
            Issue.record("a short key was taken")
            return
        }
        #expect(refusal.details.first?.contains("has 5 characters in line 1") == true, "\(refusal)")
        try world.watch(seconds: 1) { try areInTouch(world) }
    }
}
