import JSONText
import LinuxIO
import Testing
import WANControl

@Suite("wanctl check")
struct CheckTests {
    private func check(_ policy: String, _ options: [String] = []) throws -> ProgramRun {
        let world = try ControlWorld()
        let file = world.directory + "/policy.yaml"
        try Files.replace(file, with: Array(policy.utf8))
        return try ProgramRun.wanctl(["check", file] + options, in: world)
    }

    @Test("a policy in order is 0, without a daemon")
    func good() throws {
        let run = try check("version: 1\nuplinks:\n  ftth: {interface: ppp0}\nfailover: {order: [ftth]}\n")
        #expect(run.exitCode == 0)
        #expect(
            run.output.hasSuffix(
                """
                policy.yaml is in order: uplinks ftth.

                lan: none, so nobody is forwarded for unless something else turns it on; `lan: {interfaces: [eth0]}` does
                order: ftth

                """), "\(run.output)")
    }

    @Test("how uplinks share, who names names, and what leads in is told; and a site on the wrong box")
    func orders() throws {
        let run = try check(
            """
            version: 1
            lan: {interfaces: [eth0, eth1]}
            uplinks:
              ftth: {interface: ppp0, dns: [192.0.2.53]}
              jcom: {interface: wlan0, dns: /run/jcom}
            failover: {order: [{ftth: 3, jcom: 1}]}
            forwards: [{uplinks: [ftth], protocol: tcp, port: 80, to: "192.168.0.10:8080"}]

            """)
        #expect(
            run.output.hasSuffix(
                """
                lan: eth0, eth1
                order: {ftth: 3, jcom: 1}
                dns: ftth asks 192.0.2.53, jcom asks /run/jcom
                forward: tcp 80 on ftth to 192.168.0.10:8080

                """), "\(run.output)")
        let site = try check(
            """
            version: 1
            nodes: {not-this-one: {address: 192.168.0.1}, nor-this: {address: 192.168.0.2}}
            vrrp: {instance: VI_1, interface: eth0, router-id: 51, address: 192.168.0.254/24}
            uplinks:
              a: {node: not-this-one, interface: ppp0}
              b: {node: nor-this, interface: ppp0}

            """)
        #expect(site.exitCode == 0 && site.output.contains("which is no node of the policy"), "\(site.output)")
    }

    @Test(
        "the key of a site: a file without a secret is a fault, what the daemon alone can see is a warning, none is one too"
    )
    func key() throws {
        let world = try ControlWorld()
        let (policy, key) = (world.directory + "/policy.yaml", world.directory + "/site.key")
        func check(_ line: String) throws -> ProgramRun {
            let text = """
                version: 1
                uplinks: {a: {node: m, interface: p}, b: {node: s, interface: p}}
                nodes: {m: {address: 10.0.0.1}, s: {address: 10.0.0.2}}
                vrrp:
                  instance: V
                  interface: eth0
                  router-id: 1
                  address: 10.0.0.9/24
                \(line)

                """
            try Files.replace(policy, with: Array(text.utf8))
            return try ProgramRun.wanctl(["check", policy], in: world)
        }
        let missing = try check("  key: \(key)")
        #expect(missing.exitCode == 65)
        #expect(
            missing.output.contains(
                "policy.yaml:9:3: the key of the site cannot be read: open(2) \(key): No such file or directory; make a secret by `openssl rand -hex 32`"
            ), "\(missing)")
        let credential = try check("  key: site.key")
        #expect(credential.exitCode == 0)
        #expect(
            credential.output.contains("policy.yaml:9:3: warning: the key of the site cannot be judged here: "),
            "\(credential)")
        try Files.replace(key, with: Array("secret\n".utf8), mode: 0o600)
        #expect(try check("  key: site.key").exitCode == 65)
        try Files.replace(key, with: [UInt8](repeating: 0x61, count: 32), mode: 0o600)
        for name in ["site.key", key] {
            let good = try check("  key: \(name)")
            #expect(good.exitCode == 0 && !good.output.contains("key"), "\(good)")
        }
        let none = try check("")
        #expect(
            none.exitCode == 0
                && none.output.contains("policy.yaml:4:1: warning: the words of the boxes are not signed"))
    }

    @Test("all faults are listed with line and column, exit 65")
    func bad() throws {
        let policy = "version: 1\nuplinks:\n  ftth: {interface: ppp0, intervall: 1s}\nfailover: {order: [ftth, jcm]}\n"
        let run = try check(policy)
        #expect(run.exitCode == 65)
        #expect(run.output.contains("policy.yaml:3:27: "))
        #expect(run.output.contains("policy.yaml:4:26: "))
        #expect(run.error.contains("2 faults"))
        let json = try check(policy, ["--json"])
        #expect(json.exitCode == 65)
        let verdict = try JSONValue(parsing: json.output)
        #expect(verdict["accepted"] == false)
        #expect(verdict["faults"]?.array?.compactMap { $0["line"]?.integer } == [3, 4])
    }

    @Test("rules are listed in the words of the policy, in text and as JSON")
    func rules() throws {
        let policy = """
            version: 1
            uplinks: {ftth: {interface: ppp0}, jcom: {interface: wlan0}}
            rules:
              - {name: backup, match: {source: 192.168.0.200, protocol: tcp, port: 873}, order: [{ftth: 3, jcom: 1}], otherwise: reject}
              - {name: the rest, match: {source: {file: list.txt}}, order: [jcom, ftth], sticky: 10m, drain: 30s}
              - {name: late, match: {source: 192.168.0.200, protocol: tcp, port: 873, dscp: ef}, order: [jcom]}

            """
        let world = try ControlWorld()
        let file = world.directory + "/policy.yaml"
        try Files.replace(file, with: Array(policy.utf8))
        let without = try ProgramRun.wanctl(["check", file], in: world)
        #expect(without.exitCode == 65)
        #expect(
            without.output.contains(
                "cannot read \"\(world.directory)/list.txt\": No such file or directory; file names count from"))
        try Files.replace(world.directory + "/list.txt", with: Array("home\n".utf8))
        #expect(
            try ProgramRun.wanctl(["check", file], in: world).output.hasPrefix(
                "\(world.directory)/list.txt:1:1: \"home\" is no network"))
        try Files.replace(world.directory + "/list.txt", with: Array("10.0.0.0/8 # all\n".utf8))
        let run = try ProgramRun.wanctl(["check", file], in: world)
        #expect(run.exitCode == 0)
        #expect(run.output.contains("policy.yaml:6:12: warning: rule \"late\" can never match"))
        #expect(
            run.output.hasSuffix(
                """
                policy.yaml is in order: uplinks ftth, jcom.

                lan: none, so nobody is forwarded for unless something else turns it on; `lan: {interfaces: [eth0]}` does
                order: ftth, jcom

                rule      order               otherwise  match
                backup    {ftth: 3, jcom: 1}  reject     source 192.168.0.200, protocol tcp, port 873
                the rest  jcom, ftth          default    source {file: list.txt}; sticky 10m; drain 30s
                late      jcom                default    source 192.168.0.200, protocol tcp, port 873, dscp ef

                """))
        let verdict = try JSONValue(parsing: try ProgramRun.wanctl(["check", "--json", file], in: world).output)
        #expect(verdict["rules"]?.array?.compactMap { $0["name"]?.string } == ["backup", "the rest", "late"])
        #expect(
            verdict["rules"]?.array?.first == [
                "name": "backup", "match": "source 192.168.0.200, protocol tcp, port 873",
                "order": [[["uplink": "ftth", "weight": 3], ["uplink": "jcom", "weight": 1]]], "otherwise": "reject",
                "sticky_ms": nil, "drain_ms": nil,
            ])
        #expect(verdict["rules"]?.array?[1]["drain_ms"]?.double == 30_000)
        #expect(verdict["warnings"]?.array?.first?["file"]?.string == file)
    }

    @Test("a file that is not there, or too large, is 65 with the reason")
    func unreadable() throws {
        let world = try ControlWorld()
        let missing = try ProgramRun.wanctl(["check", world.directory + "/policy.yaml"], in: world)
        #expect(missing.exitCode == 65)
        #expect(missing.error.contains("No such file or directory"))
        #expect(try check(String(repeating: "#\n", count: 1 << 20)).exitCode == 65)
    }
}
