import Glibc
import LinuxIO
import NetworkTypes
import Testing
import WANControl
import WANLab

/// What has the machine to itself (`make test`).
///
/// The kernel takes a large table in one system call. Where it is built without preemption (PREEMPT_NONE), that processor does nothing
/// else meanwhile, for half a second to two: the lines of every other lab stand still, and their daemons rightly call them dead.
@Suite("a table of 60,000 addresses", .enabled(if: Needs.root, Needs.advice))
struct LargeTableTests {
    @Test("a daemon that is only busy, or whose socket was removed, is left alone")
    func busy() throws {
        let world = try World()
        try world.startDaemon()
        _ = try world.addLargeRule()
        try world.write(policy: world.policy)
        try world.daemon.signal(SIGHUP)
        #expect(try world.lab.run(in: .router, world.daemonWords()).errors.contains("another daemon rules"))
        #expect(try world.status().uplinks.count == 3)
        Files.remove(world.socketPath)
        #expect(try world.lab.run(in: .router, world.daemonWords("--hand-over")).output.contains("a daemon runs here"))
        #expect(try world.lab.run(in: .router, world.daemonWords()).errors.contains("another daemon rules"))
        #expect(try world.daemon.isRunning)
    }

    @Test("a table that overflows the monitor by itself, and another program's large set, are nobody's change of ours")
    func largeSets() throws {
        let world = try World()
        let hosts = try world.addLargeRule()
        try world.startDaemon()
        try world.settle()
        let others = "\(world.lab.directory)/others.nft"
        let set = "add set ip blocklist s { type ipv4_addr; }"
        try Files.replace(
            others,
            with: Array(
                "add table ip blocklist\n\(set)\nadd element ip blocklist s { \(hosts.joined(separator: ", ")) }\n"
                    .utf8))
        try world.lab.mustRun(in: .router, ["nft", "-f", others])
        #expect(try world.wanctl("reload").succeeded)
        #expect(try world.wanctl("failover", "jcom").succeeded)
        try world.watch(seconds: 3) { try !world.history().contains { $0.kind == "repair" } }
        // What others do to ours is still seen.
        try world.lab.mustRun(in: .router, ["nft", "flush", "chain", "inet", "wanctl", "srcnat"])
        try world.wait("the repair is told") {
            try world.history().contains { $0.kind == "repair" && $0.text.hasPrefix("nft table") }
        }
    }
}

extension World {
    /// Gives the policy a rule for 60,000 hosts of the Internet, which is returned: a table that takes a debug build seconds to make.
    fileprivate func addLargeRule() throws -> [String] {
        // Every other address, so that none can be put together with its neighbour.
        let hosts = (0..<60_000).map { IPv4Address(bits: 0x0b00_0000 + 2 * UInt32($0)).description }
        let list = "\(lab.directory)/far.txt"
        try Files.replace(list, with: Array(hosts.joined(separator: "\n").utf8))
        policy += "rules:\n  - {name: far, match: {destination: {file: \(list)}}, order: [jcom, ftth]}\n"
        return hosts
    }
}
