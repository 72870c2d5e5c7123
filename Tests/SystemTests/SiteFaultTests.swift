import Glibc
import LinuxIO
import TestSupport
import Testing
import WANControl
import WANLab
import WANModel

@Suite("what happens to a site beside its lines", .enabled(if: Needs.root, Needs.advice))
struct SiteFaultTests {
    private func says(_ text: String, _ node: SiteNode, in world: SiteWorld) throws -> Bool {
        try world.status(node).warnings.contains { $0.contains(text) }
    }

    @Test(
        "keepalived killed on the master: both have the address and say so, the client goes on; started again, all is well"
    )
    func keepalivedKilled() throws {
        let world = try SiteWorld.running()
        let client = try world.client()
        try world.waitTraffic(of: client, on: .main)
        world.keepalived[.main]?.kill()
        try world.wait("sub takes over") { try world.role(.sub) == .master }
        #expect(try world.role(.main) == .master, "the address stays where keepalived left it")
        try world.wait("main says so, and steps back", seconds: 12) {
            try says("sub has 192.168.0.254 too", .main, in: world)
                && says("keepalived does not run here", .main, in: world)
        }
        try world.wait("main steps back") { try world.role(.main) == .backup }
        #expect(try world.wanctl(.main, "why").output.contains("keepalived is gone here, and sub has 192.168.0.254"))
        #expect(try world.lab.owners() == [.main, .sub], "the address is keepalived's to take off")
        #expect(try world.status(.main).virtualAddress?.holder == "sub")
        #expect(try !says("keepalived does not run here", .sub, in: world))
        let refused = try world.wanctl(.main, "failover", "soracom")
        #expect(refused.status == .exited(1) && refused.errors.contains("does not run here"), "\(refused)")
        #expect(try client.isAnswered(within: .milliseconds(50)))
        try world.startKeepalived(.main)
        try world.wait("one master again") { try world.role(.main) == .master && world.role(.sub) == .backup }
        try world.waitTraffic(of: client, on: .main)
        try world.wait("nothing to say any more") {
            try !says("too: look", .main, in: world) && !says("does not run", .main, in: world)
        }
        let report = try client.stop()
        #expect(report.longestOutageMilliseconds < 1500, "\(report.outages)")
        try killedOnTheSIM(in: world)
    }

    /// The SIM must not stay expensive for as long as nobody looks.
    private func killedOnTheSIM(in world: SiteWorld) throws {
        try world.lab.setFault(.main, .blackhole())
        try world.wait("sub is master") { try world.role(.sub) == .master }
        try world.waitClass("s1.fast")
        world.keepalived[.sub]?.kill()
        try world.wait("main has the address too") { try world.lab.owners() == [.main, .sub] }
        try world.watch(seconds: 1) { try world.role(.sub) == .master }
        try world.lab.clearFaults(.main)
        try world.wait("sub steps back", seconds: 15) { try world.role(.sub) == .backup }
        try world.waitClass("s1.minimum")
        try world.startKeepalived(.sub)
        try world.lab.waitForOwners([.main])
        try world.wait("sub's own traffic goes to the address") {
            try world.lab.mustRun(in: .sub, ["ip", "route", "get", "8.8.4.4"]).contains("via \(LabAddress.virtual)")
        }
    }

    @Test("a full FIFO holds keepalived up in nothing, and a daemon that slept meanwhile finds its role")
    func fifoFull() throws {
        let world = try SiteWorld.running()
        let client = try world.client()
        try world.waitTraffic(of: client, on: .main)
        try world.daemon(.sub).signal(SIGSTOP)
        let path = world.lab.notifyFIFO(of: .sub)
        let writer = OwnedDescriptor(
            taking: try checked("open(2)", path) { open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC) })
        let line = Array("INSTANCE \"VI_1\" BACKUP 100\n".utf8)
        while write(writer.raw, line, line.count) > 0 {}
        #expect(errno == EAGAIN)
        try world.lab.setFault(.main, .blackhole())
        try world.lab.waitForOwners([.sub])
        try world.waitTraffic(of: client, on: .sub)
        try world.daemon(.sub).signal(SIGCONT)
        try world.wait("sub knows") { try world.role(.sub) == .master }
        #expect(try !world.wanctl(.sub, "why").output.contains("(keepalived said BACKUP)"))
        try world.waitClass("s1.fast")
        try world.lab.clearFaults(.main)
        try world.waitTraffic(of: client, on: .main, seconds: 15)
        // The FIFO is heard again: nothing of it is lost any more.
        try world.wait("it hears") {
            try world.wanctl(.sub, "why").output.contains("keepalived last said: INSTANCE \"VI_1\" BACKUP 202")
        }
        #expect(try client.stop().longestOutageMilliseconds < 1500)

        // Another one in its place, which keepalived does not know.
        try world.lab.mustRun(in: .sub, ["sh", "-c", "rm \(path) && mkfifo -m 600 \(path)"])
        try world.wait("sub misses keepalived", seconds: 15) { try says("or not with \(path)", .sub, in: world) }
        world.keepalived[.sub]?.reload()
        try world.wait("it is heard again", seconds: 12) { try !says("or not with", .sub, in: world) }
        #expect(try world.role(.main) == .master && world.role(.sub) == .backup)
    }

    @Test("a box that boots with its fibre dead takes nothing, though it remembers to have been master")
    func boots() throws {
        let world = try SiteWorld.running()
        let client = try world.client()
        try world.lab.setFault(.main, .blackhole())
        try world.waitTraffic(of: client, on: .sub)
        try world.powerCycle(.main)
        try world.daemon(.main).restart { $0.role == .backup }
        try world.startKeepalived(.main)
        try world.watch(seconds: 4) { try world.role(.sub) == .master && world.role(.main) == .backup }
        #expect(world.health(.main) == 0)
        let own = try world.lab.run(in: .main, ["ping", "-c", "1", "-W", "1", "\(LabAddress.targets[0])"])
        #expect(own.succeeded, "its own traffic goes to the address")
        let report = try client.stop()
        let isOne = report.outages.count == 1 && report.timeline.last?.uplink == .soracom
        let said = isOne ? "" : try world.said()
        #expect(isOne, "\(report.outages) \(report.timeline)\n\(said)")
    }

    @Test("a master that is cut off from the LAN: the other one carries on, and the flows come back with the cable")
    func parted() throws {
        let world = try SiteWorld.running()
        let (fresh, call) = (try world.client(), try world.client(.established))
        try world.waitTraffic(of: call, on: .main)
        try world.lab.setCable(.main, .silent)
        try world.waitTraffic(of: fresh, on: .sub)
        try world.waitTraffic(of: call, on: .sub)
        #expect(try world.role(.main) == .master && world.role(.sub) == .master)
        try world.waitClass("s1.fast")
        try world.lab.setCable(.main, .connected)
        try world.wait("one master") { try world.role(.main) == .master && world.role(.sub) == .backup }
        try world.waitTraffic(of: fresh, on: .main)
        try world.waitTraffic(of: call, on: .main)
        try world.waitClass("s1.minimum")
        for report in [try fresh.stop(), try call.stop()] {
            #expect(report.longestOutageMilliseconds < 1500, "\(report.outages)")
        }
    }

    @Test("where no daemon comes after it, a box gives the address away; where one does, it keeps it")
    func daemonEnds() throws {
        let world = try SiteWorld.running()
        let client = try world.client()
        try world.waitTraffic(of: client, on: .main)
        let main = try world.daemon(.main)
        #expect(main.terminate() == .exited(0))
        #expect(try world.ended(.main, result: "success", status: "0").succeeded)
        main.kill()
        #expect(try world.ended(.main, result: "signal", status: "KILL").succeeded)
        try world.watch(seconds: 1) { try world.lab.owners() == [.main] }
        let told = try world.ended(.main, result: "exit-code", status: "65")
        #expect(told.succeeded && told.output.contains("health 0 for keepalived"), "\(told)")
        try world.lab.waitForOwners([.sub])
        try world.waitTraffic(of: client, on: .sub)
        try main.restart { $0.uplinks.allSatisfy { $0.state == .up } }
        try world.waitTraffic(of: client, on: .main, seconds: 15)
        #expect(try client.stop().longestOutageMilliseconds < 700)
        // One that dies again and again is not relied on, though its line is good.
        main.kill()
        for _ in 0..<5 { _ = try world.ended(.main, result: "signal", status: "SEGV") }
        try world.lab.waitForOwners([.sub])
        try main.restart { $0.uplinks.allSatisfy { $0.state == .up } }
        try world.wait("main is held back") { world.health(.main) == 1 }
        #expect(try says("crashed soon after their start", .main, in: world))
        try world.watch(seconds: 1) { try world.lab.owners() == [.sub] }
        try world.lab.setFault(.sub, .gone)
        try world.lab.waitForOwners([.main])
        try world.lab.clearFaults(.sub)
        try world.wait("sub is better again", seconds: 15) { try world.role(.sub) == .master }
        let sub = try world.daemon(.sub)
        sub.kill()
        #expect(try world.cleanUp(.sub).succeeded)
        try world.lab.waitForOwners([.main])
    }

    /// What the unit's timer and its end do; systemd itself hangs a daemon in `Tests/VM/part-7-service`.
    @Test("a daemon that hangs does not hold the address: neither after the timer's hand-over nor after the unit's end")
    func daemonHangs() throws {
        let world = try SiteWorld.running()
        let client = try world.client()
        try world.waitTraffic(of: client, on: .main)
        let main = try world.daemon(.main)
        for way in ["--hand-over", "--ended"] {
            main.signal(SIGSTOP)
            let start = Clock.boottime()
            let said =
                way == "--ended"
                ? try world.ended(.main, result: "watchdog", status: "KILL") : try world.handOver(.main)
            #expect(said.succeeded && said.output.contains("process \(main.pid), does not answer"), "\(said)")
            #expect(said.output.contains("health 0 for keepalived"), "\(said)")
            let moved = try world.lab.waitForOwners([.sub])
            #expect(moved - start < 3_000_000_000)
            try world.waitTraffic(of: client, on: .sub)
            // It says itself how the box is when it can again.
            main.signal(SIGCONT)
            try world.lab.waitForOwners([.main])
            try world.waitTraffic(of: client, on: .main)
            #expect(try world.handOver(.main).output.contains("a daemon runs here"))
        }
        #expect(try client.stop().longestOutageMilliseconds < 700)
    }
}
