import JSONText
import LinuxIO
import TestSupport
import Testing
import WANControl

@Suite("wanctl export keepalived, and wanctl check of a site")
struct ExportTests {
    private func site(_ vrrp: String = "", nodes: Int = 2, uplinks: Int = 2, name: String = "home") -> String {
        let boxes = (1...nodes).map { "  n\($0): {address: 192.168.0.\($0)}\n" }.joined()
        let lines = (0..<uplinks).map { "  u\($0): {node: n\($0 % nodes + 1), interface: ppp\($0)}\n" }.joined()
        return """
            version: 1
            site: "\(name)"
            lan: {interfaces: [eth0]}
            uplinks:
            \(lines)nodes:
            \(boxes)vrrp: {instance: VI_1, interface: eth0, router-id: 51, address: 192.168.0.254/24\(vrrp)}

            """
    }

    private func wanctl(_ policy: String, _ arguments: (String) -> [String]) throws -> ProgramRun {
        let world = try ControlWorld()
        let file = world.directory + "/policy.yaml"
        try Files.replace(file, with: Array(policy.utf8))
        return try ProgramRun.wanctl(arguments(file), in: world)
    }

    private func export(_ policy: String, node: String = "n1") throws -> ProgramRun {
        try wanctl(policy) { ["export", "keepalived", "--node", node, "--policy", $0] }
    }

    /// keepalived itself reads the file, in a namespace that has its interface; what it complains of is the error.
    private func configTest(_ text: String) throws -> String {
        let namespace = try TestNamespace.make()
        try namespace.run(
            lines: "ip link add eth0 type veth peer name far0\nip link set eth0 up\nip addr add 192.168.0.1/24 dev eth0"
        )
        let directory = try TemporaryDirectory()
        // keepalived 2.3 refuses a track file whose directory is not there; on a router tmpfiles.d makes it.
        let moved = text.replacing("/run/wanctl/", with: directory.path + "/")
        let file = try directory.write(moved, to: "keepalived.conf", mode: 0o600)
        let log = directory.path + "/log"
        try namespace.run("timeout", "10", "keepalived", "--config-test=\(log)", "--use-file", file)
        return Files.exists(log) ? try Files.text(log) : ""
    }

    @Test(
        "keepalived takes every form of it without a word",
        .enabled(if: TestNamespace.isAvailable, Comment(rawValue: TestNamespace.advice)),
        arguments: [
            ("", 2, 2), (", preempt: false", 2, 2), (", preempt-delay: 1.5s, priority: 1", 2, 2),
            (", unicast: false, advertisement: 40s", 2, 2), (", advertisement: 10ms, backup: {forwarding: off}", 3, 3),
            (", track-file: /tmp/a-b_c.x, notify-fifo: \"/tmp/a,b/c\"", 16, 64),
        ])
    func accepted(_ vrrp: String, _ nodes: Int, _ uplinks: Int) throws {
        for node in Set([1, nodes]) {
            let run = try export(site(vrrp, nodes: nodes, uplinks: uplinks), node: "n\(node)")
            #expect(run.exitCode == 0, "\(run.error)")
            #expect(try configTest(run.output) == "")
        }
    }

    @Test(
        "keepalived does not take what is wrong, nor a site's name for its own language",
        .enabled(if: TestNamespace.isAvailable, Comment(rawValue: TestNamespace.advice)))
    func hostile() throws {
        let run = try export(site(name: "~SEQ(X,1,3) ${_RANDOM} @home $A=1 include /etc/passwd !"))
        #expect(run.exitCode == 0, "\(run.error)")
        #expect(try configTest(run.output) == "")
        // That the test above can fail.
        #expect(throws: CommandError.self) {
            try configTest(run.output.replacing("virtual_router_id 51", with: "virtual_router_id 300"))
        }
    }

    @Test("the options follow the policy")
    func options() throws {
        let text = try export(site(", advertisement: 250ms", nodes: 3, uplinks: 3), node: "n2").output
        let lines = Set(text.split(separator: "\n").map { $0.drop { $0 == " " } })
        for line in [
            "router_id n2", "state BACKUP", "interface eth0", "virtual_router_id 51", "priority 100", "advert_int 0.25",
            "weight 38", "init_file 0", "unicast_src_ip 192.168.0.2", "192.168.0.1", "192.168.0.3",
            "192.168.0.254/24 dev eth0", "vrrp_notify_fifo /run/wanctl/vrrp.fifo", "file \"/run/wanctl/health\"",
            "#   u1 usable: 100 + 3 × 38 = 214",
        ] {
            #expect(lines.contains(line[...]), "\(line)")
        }
        #expect(!lines.contains("192.168.0.2"))
        #expect(!lines.contains("nopreempt"))
        #expect(!text.contains("preempt_delay"))
        #expect(try export(site(", preempt: false")).output.contains("\n    nopreempt\n"))
        #expect(try export(site(", preempt-delay: 1.05s")).output.contains("\n    preempt_delay 1.05\n"))
        let multicast = try export(site(", unicast: false")).output
        #expect(multicast.contains("\n    mcast_src_ip 192.168.0.1\n"))
        #expect(!multicast.contains("unicast"))
    }

    @Test("an unknown box, a policy without nodes and one with faults are refused with the reason")
    func refusals() throws {
        let unknown = try export(site(), node: "n9")
        #expect(unknown.exitCode == 65)
        #expect(unknown.error.contains("no node \"n9\"; its nodes are n1, n2"))
        let alone = try export("version: 1\nuplinks: {a: {interface: ppp0}}\n")
        #expect(alone.exitCode == 65)
        #expect(alone.error.contains("has no nodes and no vrrp"))
        let faulty = try export(site(", prempt: true"))
        #expect(faulty.exitCode == 65)
        #expect(faulty.error.contains("did you mean \"preempt\"?"))
        #expect([unknown, alone, faulty].allSatisfy { $0.output.isEmpty })
    }

    @Test("written to a file it replaces it in one step; after a fault the file stays as it is")
    func output() throws {
        let directory = try TemporaryDirectory()
        let target = try directory.write("mine\n", to: "keepalived.conf", mode: 0o644)
        func write(_ policy: String) throws -> ProgramRun {
            try wanctl(policy) { ["export", "keepalived", "--node", "n1", "--policy", $0, "--output", target] }
        }
        #expect(try write(site(", prempt: true")).exitCode == 65)
        #expect(try Files.text(target) == "mine")
        let done = try write(site())
        #expect(done.exitCode == 0 && done.output.hasSuffix("keepalived.conf: the configuration of n1.\n"), "\(done)")
        #expect(try Files.text(target).contains("vrrp_instance VI_1 {"))
        let nowhere = try wanctl(site()) {
            ["export", "keepalived", "--node", "n1", "--policy", $0, "-o", directory.path + "/no/where"]
        }
        #expect(nowhere.exitCode == 1 && nowhere.error.contains("/no/where"), "\(nowhere)")
    }

    @Test("check tells what each box will do, and of one box its part")
    func check() throws {
        let policy =
            site(", backup: {forwarding: off}", uplinks: 3)
                + """
                rules:
                  - {name: only here, match: {source: 192.168.0.9}, order: [u1], otherwise: reject}
                forwards:
                  - {uplinks: [u0, u1], protocol: tcp, port: 80, to: 192.168.0.10:8080}

                """
        let whole = try wanctl(policy) { ["check", $0] }.output
        #expect(
            whole.contains(
                "2 nodes share 192.168.0.254/24 on eth0; the one whose best usable uplink stands first has it"))
        for line in ["n1, 192.168.0.1, of n1, n2", "n2, 192.168.0.2, of n1, n2"] { #expect(whole.contains(line)) }
        let first = try wanctl(policy) { ["check", "--node", "n1", $0] }.output
        #expect(
            first.contains(
                """
                n1, 192.168.0.1, of n1, n2
                  uplinks     u0 (ppp0, 1 of 3), u2 (ppp2, 3 of 3)
                  order       u0, u2
                  priority    252 with u0, 176 with u2, 138 with a held one alone, 100 with none
                  as master   own traffic by its best uplink; forwards for eth0
                  as backup   own traffic to 192.168.0.254; forwards nothing
                  keepalived  health in /run/wanctl/health, role from /run/wanctl/vrrp.fifo
                  elsewhere   the uplinks of rule only here (u1 of n2): while this box is master, its traffic is rejected
                  forwards    tcp 80 on u0 to 192.168.0.10:8080

                rule       order      otherwise  match
                only here  none here  reject     source 192.168.0.9

                """))
        #expect(!first.contains("192.168.0.2,"))
        let json = try JSONValue(parsing: try wanctl(policy) { ["check", "--json", $0] }.output)
        #expect(json["site"]?.array?.compactMap { $0["name"]?.string } == ["n1", "n2"])
        #expect(json["site"]?.array?.first?["uplinks"]?.array?.compactMap { $0["priority"]?.integer } == [252, 176])
        #expect(json["site"]?.array?.first?["priority_none"]?.integer == 100)
        let unknown = try wanctl(policy) { ["check", "--node", "n9", $0] }
        #expect(unknown.exitCode == 65)
        #expect(unknown.output.contains("its nodes are n1, n2"))
    }
}
