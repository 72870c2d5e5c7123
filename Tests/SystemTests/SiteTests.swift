import LinuxIO
import NetworkTypes
import TestSupport
import Testing
import WANControl
import WANLab
import WANModel

@Suite("boxes of a site hand the LAN's gateway to each other", .enabled(if: Needs.root, Needs.advice))
struct SiteTests {
    @Test("a backup sends its own traffic to the address, keeps its SIM quiet and cheap, and can take over")
    func backup() throws {
        let world = try SiteWorld.running()
        try world.waitClass("s1.minimum")
        let route = try world.lab.mustRun(in: .sub, ["ip", "route", "get", "8.8.4.4"])
        #expect(route.contains("via \(LabAddress.virtual) dev eth0"), "\(route)")
        let client = try world.client()
        try world.waitTraffic(of: client, on: .main)
        let before = try world.status(.sub).uplinks[0].bytes.probes
        try world.watch(seconds: 2) { try world.role(.sub) == .backup }
        #expect(try world.status(.sub).uplinks[0].bytes.probes == before, "no probe but the keepalive")
        #expect(try client.stop().lost == 0)
    }

    @Test("a silent line: the address moves, the class is raised; the way back costs no datagram, and the class falls")
    func blackhole() throws {
        let world = try SiteWorld.running()
        try world.waitClass("s1.minimum")
        let client = try world.client()
        try world.waitTraffic(of: client, on: .main)
        try world.lab.setFault(.main, .blackhole())
        try world.waitTraffic(of: client, on: .sub)
        #expect(try world.role(.main) == .backup && world.role(.sub) == .master)
        try world.waitClass("s1.fast")
        // Its own traffic goes where the LAN's goes.
        let route = try world.lab.mustRun(in: .main, ["ip", "route", "get", "8.8.4.4"])
        #expect(route.contains("via \(LabAddress.virtual)"), "\(route)")
        try world.lab.clearFaults(.main)
        try world.waitTraffic(of: client, on: .main, seconds: 15)
        try world.waitClass("s1.minimum")
        let report = try client.stop()
        #expect(report.outages.count == 1, "0 lost on the way back: \(report.outages)")
        #expect(report.longestOutageMilliseconds < 1500)
        #expect(report.timeline.compactMap(\.uplink) == [.ftth, .soracom, .ftth])
        #expect(
            world.soracom.classChanges.compactMap(\.speedClass) == ["s1.minimum", "s1.fast", "s1.minimum"],
            "by SORACOM's own record of calls")
        #expect(world.soracom.service.violations == [])
    }

    @Test("`ppp0` gone, and a box without power, are handed over too", arguments: [true, false])
    func gone(hasPower: Bool) throws {
        // Whether the boxes speak to each other or to all of the LAN is the same.
        let world = try SiteWorld.running(vrrp: ["unicast: \(hasPower)"])
        let client = try world.client()
        try world.waitTraffic(of: client, on: .main)
        if hasPower { try world.lab.setFault(.main, .gone) } else { try world.lab.powerOff(.main) }
        try world.waitTraffic(of: client, on: .sub)
        let report = try client.stop()
        #expect(report.longestOutageMilliseconds < 1500, "\(report.outages)")
    }

    @Test("a keepalived file of the administrator's own, of the old kind, needs the two paths and nothing else of us")
    func ownFile() throws {
        let world = try SiteWorld()
        for node in world.lab.nodes {
            try world.startDaemon(node)
            // Version 2 by multicast, with a password, as such files are; an advertisement each second.
            try world.startKeepalived(
                node,
                configuration: """
                    global_defs {
                        vrrp_notify_fifo \(world.lab.notifyFIFO(of: node))
                    }
                    track_file line {
                        file "\(world.lab.healthFile(of: node))"
                        weight 20
                    }
                    vrrp_instance gateway {
                        state BACKUP
                        interface eth0
                        virtual_router_id 7
                        priority 100
                        advert_int 1
                        authentication {
                            auth_type PASS
                            auth_pass 1111
                        }
                        virtual_ipaddress {
                            \(LabAddress.virtual)/24
                        }
                        track_file {
                            line
                        }
                    }

                    """)
        }
        try world.settle()
        let client = try world.client()
        try world.waitTraffic(of: client, on: .main)
        try world.lab.setFault(.main, .blackhole())
        try world.waitTraffic(of: client, on: .sub, seconds: 12)
        try world.lab.clearFaults(.main)
        try world.waitTraffic(of: client, on: .main, seconds: 20)
        #expect(try client.stop().outages.count == 1, "none on the way back")
    }

    @Test("a connection that ran over the other box is reset, there and back, though its server ignores strangers")
    func strays() throws {
        let world = try SiteWorld.running()
        try world.lab.mustRun(in: .inet, ["nft", "-f", "-"], input: silentServers)
        for (fault, box) in [(true, SiteNode.sub), (false, .main)] {
            let connection = try ClientConnection.start(at: world.lab.clientSite)
            try world.wait("it is connected") { try connection.snapshot().echoed > 5 }
            if fault { try world.lab.setFault(.main, .blackhole()) } else { try world.lab.clearFaults(.main) }
            try world.wait("\(box) is master", seconds: 12) { try world.role(box) == .master }
            try world.wait("it is reset", seconds: 3) { try connection.snapshot().brokenBy != nil }
            #expect(try connection.stop().brokenBy == "Connection reset by peer")
        }
    }

    @Test("a doubt hands nothing over")
    func doubt() throws {
        let world = try SiteWorld.running()
        let client = try world.client()
        try world.waitTraffic(of: client, on: .main)
        for _ in 0..<4 {
            try world.lab.setFault(.main, .silence(.milliseconds(150)))
            try world.watch(seconds: 1) { try world.role(.main) == .master }
        }
        #expect(try client.stop().timeline.compactMap(\.uplink) == [.ftth])
    }

    @Test("nobody has a way out: the address stays; the first who has one gets it")
    func nobody() throws {
        let world = try SiteWorld.running()
        try world.lab.setFault(.sub, .gone)
        try world.wait("sub knows") { try world.status(.sub).uplinks[0].state == .absent }
        try world.lab.setFault(.main, .blackhole())
        try world.wait("main knows") { try world.status(.main).uplinks[0].state == .down }
        try world.watch(seconds: 2) { try world.role(.main) == .master && world.role(.sub) == .backup }
        try world.lab.clearFaults(.sub)
        try world.wait("sub takes over", seconds: 12) {
            try world.role(.sub) == .master && world.role(.main) == .backup
        }
    }

    @Test("a daemon that dies as master, and comes again, moves nothing and loses nothing")
    func killed() throws {
        let world = try SiteWorld.running()
        let client = try world.client()
        try world.waitTraffic(of: client, on: .main)
        try world.daemon(.main).kill()
        try world.watch(seconds: 1) { try world.role(.sub) == .backup }
        try world.daemon(.main).restart { $0.role == .master && $0.uplinks.allSatisfy { $0.state == .up } }
        try world.watch(seconds: 4) { try world.role(.main) == .master && world.role(.sub) == .backup }
        let report = try client.stop()
        #expect(report.lost == 0 && report.timeline.compactMap(\.uplink) == [.ftth], "\(report.outages)")
    }

    @Test("killed while it carries the traffic over the SIM: the class still ends where it should")
    func killedRaised() throws {
        let world = try SiteWorld.running()
        try world.lab.setFault(.main, .blackhole())
        try world.wait("sub is master") { try world.role(.sub) == .master }
        try world.waitClass("s1.fast")
        try world.daemon(.sub).kill()
        try world.lab.clearFaults(.main)
        try world.wait("main has it back", seconds: 12) { try world.role(.main) == .master }
        try world.daemon(.sub).restart { $0.role == .backup }
        try world.waitClass("s1.minimum")
    }

    @Test("keepalived that is not there, starts late, starts again; a FIFO that is taken away")
    func keepalivedAway() throws {
        let world = try SiteWorld()
        for node in world.lab.nodes { try world.startDaemon(node) }
        #expect(try world.role(.main) == .backup && world.role(.sub) == .backup, "nobody has the address")
        for node in world.lab.nodes { try world.startKeepalived(node) }
        try world.settle()
        Files.remove(world.lab.notifyFIFO(of: .main))
        world.keepalived[.main]?.stop()
        try world.wait("sub takes over") { try world.role(.sub) == .master }
        try world.startKeepalived(.main)
        try world.wait("main takes it back") { try world.role(.main) == .master && world.role(.sub) == .backup }
        try world.wait("the FIFO is there again") { Files.exists(world.lab.notifyFIFO(of: .main)) }
    }

    @Test("a LAN in two parts has two masters, and one again when it is whole; the class follows")
    func split() throws {
        let world = try SiteWorld.running()
        try world.lab.setCable(.sub, .silent)
        try world.wait("both are master") { try world.role(.main) == .master && world.role(.sub) == .master }
        try world.waitClass("s1.fast")
        try world.lab.setCable(.sub, .connected)
        try world.wait("one is") { try world.role(.main) == .master && world.role(.sub) == .backup }
        try world.waitClass("s1.minimum")
        let client = try world.client()
        try world.waitTraffic(of: client, on: .main)
        _ = try client.stop()
    }

    @Test("three boxes: always the one whose line stands highest")
    func three() throws {
        let world = try SiteWorld.running([.main, .sub, .third])
        let client = try world.client()
        try world.waitTraffic(of: client, on: .main)
        try world.lab.setFault(.main, .blackhole())
        try world.waitTraffic(of: client, on: .third)
        try world.lab.setFault(.third, .gone)
        try world.waitTraffic(of: client, on: .sub)
        try world.lab.clearFaults(.third)
        try world.waitTraffic(of: client, on: .third, seconds: 15)
        try world.lab.clearFaults(.main)
        try world.waitTraffic(of: client, on: .main, seconds: 15)
        _ = try client.stop()
    }

    @Test("a box that boots with its fibre dead does not take the address")
    func bootsDead() throws {
        let world = try SiteWorld()
        try world.lab.setFault(.main, .blackhole())
        for node in world.lab.nodes {
            try world.startDaemon(node)
            try world.startKeepalived(node)
        }
        try world.wait("sub is master") { try world.role(.sub) == .master && world.role(.main) == .backup }
        try world.watch(seconds: 3) { try world.role(.sub) == .master }
    }

    @Test("`wanctl failover` on the master moves the site to another box's line, and `auto` brings it back")
    func byHand() throws {
        let world = try SiteWorld.running()
        let client = try world.client()
        try world.waitTraffic(of: client, on: .main)
        try world.wait("each has heard the other") {
            try world.lab.nodes.allSatisfy { try world.status($0).peers.allSatisfy { $0.isPresent } }
        }
        let text = try world.wanctl(.main, "status").output
        #expect(text.contains("main is master (has 192.168.0.254)") && text.contains("sub, backup, heard"), "\(text)")
        #expect(try world.status(.sub).virtualAddress?.holder == "main")
        #expect(try world.wanctl(.sub, "why").output.contains("this box is backup"))
        // Two boxes with different policies say so, as long as they have them.
        try world.reload(.main, world.policy(.main, vrrp: ["priority: 90"]))
        try world.wait("both say that their policies differ") {
            try world.lab.nodes.allSatisfy { node in
                try world.status(node).warnings.contains { $0.contains("has another policy in force") }
            }
        }
        try world.reload(.main, world.policy(.main))
        try world.wait("and that it is over") {
            try world.lab.nodes.allSatisfy { try world.status($0).warnings.isEmpty }
        }
        // What cannot work is refused with the reason, and can be had by force.
        try world.lab.setFault(.sub, .gone)
        try world.wait("main has heard of it") { try world.wanctl(.main, "failover", "soracom").status == .exited(1) }
        #expect(try world.wanctl(.main, "failover", "soracom").errors.contains("--force"))
        #expect(try world.wanctl(.main, "failover", "soracom", "--force").succeeded)
        try world.wait("it is said that this is in vain") {
            try world.status(.main).warnings.contains { $0.contains("no other box takes the address") }
        }
        #expect(try world.wanctl(.main, "auto").succeeded && world.role(.main) == .master)
        try world.lab.clearFaults(.sub)
        try world.wait("main has heard that it is back", seconds: 15) {
            try world.status(.main).peers.first?.uplinks.first?.state == .up
                && (world.status(.main).peers.first?.health ?? 0) > 1
        }
        // One thing at a time: the pin of before ends.
        #expect(try world.wanctl(.main, "failover", "ftth").succeeded)
        let moved = try world.wanctl(.main, "failover", "soracom")
        #expect(moved.succeeded, "\(moved)")
        try world.waitTraffic(of: client, on: .sub)
        #expect(try world.status(.main).mode == .manual)
        #expect(try !world.wanctl(.main, "why").output.contains("pinned by the operator"))
        try world.wait("the other one hears what the operator wants") {
            try world.wanctl(.sub, "status").output.contains("pinned to soracom by hand there")
        }
        try world.watch(seconds: 1) { try world.role(.sub) == .master }
        #expect(try world.wanctl(.main, "auto").succeeded)
        try world.waitTraffic(of: client, on: .main)
        #expect(try client.stop().longestOutageMilliseconds < 700)
        let refused = try world.wanctl(.main, "drain", "soracom")
        #expect(refused.status == .exited(1) && refused.errors.contains("an uplink of sub"), "\(refused.errors)")
    }

    @Test(
        "without preemption the better box waits until it is needed",
        arguments: [["preempt: false"], ["preempt-delay: 3s"]])
    func preemption(vrrp: [String]) throws {
        let world = try SiteWorld.running(vrrp: vrrp)
        let client = try world.client()
        try world.waitTraffic(of: client, on: .main)
        try world.lab.setFault(.main, .blackhole())
        try world.waitTraffic(of: client, on: .sub)
        try world.lab.clearFaults(.main)
        try world.watch(seconds: 4) { try world.role(.sub) == .master }
        if vrrp == ["preempt: false"] {
            try world.lab.setFault(.sub, .gone)
        }
        try world.waitTraffic(of: client, on: .main, seconds: 15)
        // A box whose daemon is gone for good has to give the address away too.
        try world.lab.clearFaults(.sub)
        try world.wait("main has heard that sub can take it", seconds: 15) {
            (try world.status(.main).peers.first?.health ?? 0) > 1
        }
        let main = try world.daemon(.main)
        let words = [try Programs.path("wanctld"), "--hand-over", "--socket", main.socketPath]
        #expect(try world.lab.run(in: SiteNode.main.place, words).output.contains("a daemon runs here"))
        #expect(main.terminate() == .exited(0))
        let said = try world.lab.run(in: SiteNode.main.place, words)
        #expect(said.succeeded && said.output.contains("health 0 for keepalived"), "\(said)")
        try world.waitTraffic(of: client, on: .sub)
        _ = try client.stop()
    }
}
