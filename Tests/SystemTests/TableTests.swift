import Glibc
import LinuxIO
import TestSupport
import Testing
import WANControl
import WANLab
import WANModel

/// Another program that owns the table `inet wanctl` (nft(8), `flags owner`): whatever we want of it, the kernel refuses with
/// EPERM. The table goes with its owner.
private struct TableOwner {
    private let child: Child

    /// In one transaction, so that there is no moment without a table of that name.
    init(in directory: String, spawn: ([String]) throws -> Child) throws {
        let fifo = "\(directory)/owner.fifo"
        guard mkfifo(fifo, 0o600) == 0 else { throw WorldError("mkfifo \(fifo): \(errno)") }
        // Opened for both, so that it never ends.
        child = try spawn(["sh", "-c", "exec nft -i <> \(fifo)"])
        let command = "add table inet wanctl; delete table inet wanctl; add table inet wanctl { flags owner; }\n"
        try Files.write(command, to: fifo)
    }

    func end() { child.kill() }
}

@Suite("an nft table that is refused is an outage", .enabled(if: Needs.root, Needs.advice))
struct TableTests {
    private func own(_ world: World) throws -> TableOwner {
        try TableOwner(in: world.lab.directory) { try world.lab.spawn(in: .router, $0) }
    }

    private func isOwned(_ world: World) throws -> Bool {
        try world.lab.run(in: .router, ["nft", "list", "tables"]).output.contains("inet wanctl")
    }

    @Test("refused at start: status, `why`, log and journal say so, and it heals when the table is taken")
    func start() throws {
        let world = try World()
        let owner = try own(world)
        try world.wait("the table is another's") { try isOwned(world) }
        try world.startDaemon()
        try world.wait("the lines are up") { try world.status().uplinks.allSatisfy { $0.state == .up } }
        let status = try world.wanctl("status")
        #expect(status.output.hasPrefix("router: NO TRANSLATION: the nft table is refused"), "\(status.output)")
        #expect(try world.status().tableFault?.isUntranslated == true)
        #expect(try world.status().warnings.first?.contains("Operation not permitted") == true)
        #expect(try world.wanctl("why").output.contains("NO TRANSLATION"))
        #expect(try world.log.contains("NO TRANSLATION: the nft table is refused"))
        #expect(try world.history().filter { $0.kind == "table" }.count == 1, "told once, however often it is tried")
        // With the table in question no policy is taken, not even the one in force.
        let reload = try world.wanctl("reload")
        #expect(reload.status == .exited(1), "\(reload)")
        #expect(reload.errors.contains("nft table of the policy is refused; the policy in force stays"), "\(reload)")
        owner.end()
        try world.wait("the table is ours") { try world.status().tableFault == nil }
        let client = try ClientProber.start(in: world.lab)
        try world.waitTraffic(of: client, on: .ftth)
        #expect(try world.wanctl("reload").succeeded)
        try world.wait("all is well") { try world.wanctl("status").output.hasPrefix("router: all well") }
        #expect(try world.history().contains { $0.kind == "table" && $0.text.contains("is in force") })
    }

    @Test("refused at start: systemd is told with the readiness, and again when it is over")
    func systemd() throws {
        let world = try World()
        let owner = try own(world)
        try world.wait("the table is another's") { try isOwned(world) }
        let path = "\(world.lab.directory)/notify"
        let listener = try NotifyListener(path)
        try world.write(policy: world.policy)
        _ = try world.lab.spawn(in: .router, try world.daemonWords(), environment: ["NOTIFY_SOCKET": path])
        func waitFor(_ what: String, _ claim: (String) -> Bool) throws {
            try world.wait(what) { listener.message().map(claim) ?? false }
        }
        try waitFor("ready, with what is wrong") {
            $0.hasPrefix("READY=1\nSTATUS=NO TRANSLATION: the nft table is refused")
        }
        owner.end()
        try waitFor("all is well") { $0.contains("STATUS=ftth ") }
    }

    @Test("refused at a reload: nothing of the new policy is taken, and the old table and its choice go on")
    func reload() throws {
        let world = try World.running()
        let client = try ClientProber.start(in: world.lab, flow: .fresh())
        try world.waitTraffic(of: client, on: .ftth)
        let before = try world.ours()
        // The ruleset is written to a file in memory, which may have one octet now.
        let pid = "\(try world.daemon.pid)"
        try world.lab.mustRun(in: .router, ["prlimit", "--pid", pid, "--fsize=1:"])
        try world.write(policy: Policies.threeLines(order: "[jcom, ftth, soracom]"))
        let reload = try world.wanctl("reload")
        #expect(reload.status == .exited(1), "\(reload)")
        #expect(reload.errors.contains("the policy in force stays"), "\(reload)")
        #expect(try world.ours() == before)
        let status = try world.status()
        #expect(status.selected == ["ftth"] && status.uplinks.map(\.name) == ["ftth", "jcom", "soracom"])
        #expect(status.tableFault == nil, "the table in force is the one that is wanted")
        #expect(status.warnings.contains { $0.contains("the policy file was refused") }, "\(status.warnings)")
        try world.lab.setFault(.ftth, .blackhole())
        try world.waitTraffic(of: client, on: .jcom)
        try world.lab.clearFaults(.ftth)
        try world.waitTraffic(of: client, on: .ftth)
        try world.lab.mustRun(in: .router, ["prlimit", "--pid", pid, "--fsize=unlimited:"])
        #expect(try world.wanctl("reload").succeeded)
        try world.waitTraffic(of: client, on: .jcom)
        #expect(try client.stop().wrongSourceCount == 0)
    }

    @Test("refused after a restart: the earlier run's table stands, routes go on, and what does not follow is said")
    func frozen() throws {
        let world = try World.running(
            Policies.threeLines(sections: "rules: [{name: r, match: {dscp: 8}, order: [jcom, ftth]}]\n"))
        let client = try ClientProber.start(in: world.lab, flow: .fresh())
        try world.waitTraffic(of: client, on: .ftth)
        try world.daemon.kill()
        let next = ["prlimit", "--fsize=1", "--"] + (try world.daemonWords())
        _ = try world.lab.spawn(in: .router, next)
        try world.wait("it answers and says so") {
            (try? world.wanctl("status").output.contains("an earlier run's stands: rules, shares and forwards")) == true
        }
        #expect(try world.status().tableFault?.isFrozen == true)
        try world.lab.setFault(.ftth, .blackhole())
        try world.waitTraffic(of: client, on: .jcom)
        #expect(try client.stop().wrongSourceCount == 0)
    }

    @Test("`check --table` asks libnftables and the kernel, as root and as nobody in particular")
    func check() throws {
        let world = try World()
        try world.write(policy: world.policy)
        let check = [try Programs.path("wanctl"), "check", "--table", world.policyPath]
        // Root without a capability is anybody, but for the files it may read.
        let nobody = ["setpriv", "--securebits", "+noroot", "--bounding-set=-all", "--inh-caps=-all", "--"]
        let mayMake = try world.lab.run(in: .router, nobody + ["unshare", "--net", "true"])
        #expect(!mayMake.succeeded, "it has no right to a namespace but by a user namespace")
        for user in [[], nobody] {
            let answer = try world.lab.run(in: .router, user + check)
            #expect(answer.succeeded, "\(answer)")
            #expect(answer.output.contains("libnftables and this kernel take its nft table"), "\(answer)")
        }
        // The ruleset is written to a file in memory, which may not be as large as this one is.
        try world.write(
            policy: Policies.threeLines(sections: ManyRules.text(1000, uplinks: ["ftth", "jcom", "soracom"])))
        let refused = try world.lab.run(in: .router, ["prlimit", "--fsize=65536", "--"] + check)
        #expect(refused.status == .exited(1), "\(refused)")
        #expect(refused.errors.contains("nft table of \(world.policyPath) is refused"), "\(refused)")
        #expect(try world.lab.run(in: .router, ["nft", "list", "tables"]).output == "", "it was made somewhere else")
    }

    @Test("in a site the other box takes the address, and gives it back when the table is taken")
    func site() throws {
        let world = try SiteWorld.running()
        let client = try world.client()
        try world.waitTraffic(of: client, on: .main)
        let owner = try TableOwner(in: world.lab.directory) { try world.lab.spawn(in: .main, $0) }
        try world.waitTraffic(of: client, on: .sub)
        #expect(try world.status(.main).tableFault?.isUntranslated == true)
        #expect(try world.wanctl(.main, "status").output.hasPrefix("main (backup): NO TRANSLATION: "))
        try world.wait("its health is none") { world.health(.main) == 0 }
        owner.end()
        try world.waitTraffic(of: client, on: .main, seconds: 15)
        let report = try client.stop()
        #expect(report.outages.count == 1, "0 lost on the way back: \(report.outages)")
        #expect(report.longestOutageMilliseconds < 1500)
    }

    @Test("in a site a box that starts without a table does not take the address")
    func siteStart() throws {
        let world = try SiteWorld()
        try world.startDaemon(.sub)
        try world.startKeepalived(.sub)
        try world.wait("sub is master") { try world.role(.sub) == .master }
        let client = try world.client()
        try world.waitTraffic(of: client, on: .sub)
        let owner = try TableOwner(in: world.lab.directory) { try world.lab.spawn(in: .main, $0) }
        try world.wait("the table is another's") {
            try world.lab.mustRun(in: .main, ["nft", "list", "tables"]).contains("inet wanctl")
        }
        try world.startDaemon(.main)
        try world.startKeepalived(.main)
        try world.watch(seconds: 4) { try world.role(.main) == .backup && world.role(.sub) == .master }
        #expect(world.health(.main) == 0)
        owner.end()
        try world.waitTraffic(of: client, on: .main, seconds: 15)
        #expect(try client.stop().lost == 0)
    }
}
