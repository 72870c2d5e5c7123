import Glibc
import LinuxIO
import TestSupport
import Testing
import WANControl
import WANLab
import WANModel

@Suite("a policy is edited", .enabled(if: Needs.root, Needs.advice))
struct ReloadTests {
    private let faulty = """
        version: 1
        lan: {interfaces: [eth0]}
        uplinks:
          ftth: {interfase: ppp0}
          jcom: {interface: wlan0, probe: {interval: soon}}
        failover: {order: [ftth, adsl]}

        """

    @Test("one with faults is refused with all of them, and the one in force stays", arguments: ["reload", "SIGHUP"])
    func faulty(way: String) throws {
        let world = try World.running()
        let before = (try world.status().policy.sha256, try world.ours())
        try world.write(policy: faulty)
        if way == "reload" {
            let refusal = try world.wanctl("reload")
            #expect(refusal.status == .exited(65))
            for fault in [":4:10:", "interfase", "interface", ":5:", "soon", "adsl", "the policy in force stays"] {
                #expect(refusal.errors.contains(fault), "\(fault): \(refusal.errors)")
            }
        } else {
            try world.daemon.signal(SIGHUP)
        }
        try world.wait("the status warns") {
            try world.status().warnings.contains { $0.contains("the one in force stays") }
        }
        #expect(try (world.status().policy.sha256, world.ours()) == before)
        try world.write(policy: world.policy)
        #expect(try world.wanctl("reload").succeeded)
        #expect(try world.status().warnings.allSatisfy { !$0.contains("in force") })
    }

    @Test("--check and `wanctl check` say what the daemon would say, and touch nothing")
    func check() throws {
        let world = try World()
        let before = try world.foreign()
        try world.write(policy: world.policy)
        #expect(try world.lab.run(in: .router, world.daemonWords("--check")).status == .exited(0))
        #expect(try world.wanctl("check", world.policyPath).status == .exited(0))
        try world.write(policy: faulty)
        for words in [try world.daemonWords("--check"), [try Programs.path("wanctl"), "check", world.policyPath]] {
            let verdict = try world.lab.run(in: .router, words)
            #expect(verdict.status == .exited(65))
            for fault in ["interfase", "soon", "adsl"] {
                #expect((verdict.errors + verdict.output).contains(fault), "\(fault): \(verdict)")
            }
        }
        let start = try world.lab.run(in: .router, world.daemonWords())
        #expect(start.status == .exited(65))
        try world.write(
            policy: """
                version: 1
                uplinks: {lte: {interface: ppp1, metered: true, soracom: {imsi: "440100000000000"}}}

                """)
        let missing = try world.lab.run(in: .router, world.daemonWords("--check"))
        #expect(missing.status == .exited(0))
        #expect(missing.errors.contains("the credentials of uplink lte, is not there"), "\(missing)")
        #expect(try world.foreign() == before)
        #expect(try world.kernelOurs().contains("proto 87") == false)
        #expect(!Files.exists(world.socketPath))
    }

    @Test("a change to one line does not disturb the others", arguments: ["reload", "SIGHUP"])
    func oneLine(way: String) throws {
        let world = try World.running()
        let client = try ClientProber.start(in: world.lab)
        let connection = try ClientConnection.start(in: world.lab)
        try world.waitTraffic(of: client, on: .ftth)
        let before = try world.uplink(.ftth)
        try world.write(
            policy: Policies.threeLines().replacing(
                "gateway: 192.168.3.1\n    probe: {\(Policies.targets)}",
                with: "gateway: 192.168.3.1\n    probe: {targets: [9.9.9.9], interval: 100ms}"))
        if way == "reload" {
            #expect(try world.wanctl("reload").output.contains("is in force"))
        } else {
            try world.daemon.signal(SIGHUP)
        }
        try world.wait("jcom is asked as the new policy says") {
            let jcom = try world.uplink(.jcom)
            return jcom.targets.map(\.address) == ["9.9.9.9"] && jcom.targets[0].answered == true
        }
        let after = try world.uplink(.ftth)
        #expect(after.since == before.since && after.state == .up && after.traffic == .selected)
        #expect(after.bytes.probes >= before.bytes.probes, "its counters go on")
        #expect(try world.switches().isEmpty)
        #expect(try connection.stop().brokenBy == nil)
        #expect(try client.stop().lost == 0)
    }

    @Test("a line taken out of the policy leaves nothing behind; put in again it is the same line")
    func takenOut() throws {
        let world = try World.running()
        let client = try ClientProber.start(in: world.lab, flow: .fresh())
        try world.waitTraffic(of: client, on: .ftth)
        try world.write(policy: Policies.twoLines())
        #expect(try world.wanctl("reload").succeeded)
        #expect(try world.status().uplinks.map(\.name) == ["ftth", "jcom"])
        var ours = try world.ours()
        #expect(!ours.contains("ppp1") && !ours.contains("10.1.2.3") && !ours.contains("lookup 8703"), "\(ours)")
        try world.write(policy: world.policy)
        #expect(try world.wanctl("reload").succeeded)
        try world.waitState(.soracom, .up)
        ours = try world.ours()
        #expect(ours.contains("from 10.1.2.3 lookup 8703"), "\(ours)")
        #expect(try client.stop().lost == 0)
    }

    @Test("another order moves traffic by the rules of a failback: nothing is lost")
    func otherOrder() throws {
        let world = try World.running()
        let client = try ClientProber.start(in: world.lab, flow: .fresh())
        let connection = try ClientConnection.start(in: world.lab)
        try world.waitTraffic(of: client, on: .ftth)
        try world.write(policy: Policies.threeLines(order: "[jcom, ftth, soracom]"))
        #expect(try world.wanctl("reload").succeeded)
        try world.waitTraffic(of: client, on: .jcom)
        #expect(try connection.stop().brokenBy == nil)
        #expect(try client.stop().lost == 0)
    }

    @Test("the selected line named to another interface moves there")
    func otherInterface() throws {
        let world = try World.running()
        let client = try ClientProber.start(in: world.lab, flow: .fresh())
        try world.waitTraffic(of: client, on: .ftth)
        try world.write(
            policy: Policies.twoLines().replacing("{interface: ppp0", with: "{interface: ppp1"))
        #expect(try world.wanctl("reload").succeeded)
        try world.wait("ftth is on ppp1 and proven") {
            let ftth = try world.uplink(.ftth)
            return ftth.interface == "ppp1" && ftth.state == .up
        }
        try world.wait("traffic is on ftth") { try world.status().selected == ["ftth"] }
        try world.waitTraffic(of: client, on: .soracom)
        #expect(try client.stop().wrongSourceCount == 0)
    }
}
