import Glibc
import LinuxIO
import NetworkTypes
import Testing
import WANControl
import WANLab
import WANModel

@Suite("the kernel is shared property", .enabled(if: Needs.root, Needs.advice))
struct OwnershipTests {
    /// What other programs on a router have: routes, rules, tables, marks, NAT.
    private func furnish(_ world: World) throws {
        try world.lab.mustRun(
            in: .router, ["ip", "-batch", "-"],
            input: """
                route add 10.99.0.0/16 via 192.168.0.99 dev eth0 proto static
                route add default dev ppp1 metric 600 proto dhcp
                route add default dev wlan0 table 100
                route add unreachable 10.98.0.0/16 table 9000
                rule add pref 100 fwmark 0x7 lookup 100
                rule add pref 9500 from 172.16.0.0/12 lookup 100
                rule add pref 5000 iif eth0 ipproto tcp dport 25 lookup 100

                """)
        try world.lab.mustRun(
            in: .router, ["nft", "-f", "-"],
            input: """
                table ip nat {
                    chain postrouting {
                        type nat hook postrouting priority srcnat; policy accept;
                        oifname "tun9" masquerade
                    }
                }
                table inet filter {
                    set bad { type ipv4_addr; elements = { 203.0.113.99 } }
                    chain forward {
                        type filter hook forward priority filter; policy accept;
                        ip saddr @bad drop
                    }
                }

                """)
    }

    @Test("routes, rules and tables of others outlive start, switch, repair, reload, stop and clean-up unchanged")
    func foreignIsUntouched() throws {
        let world = try World()
        try furnish(world)
        let before = try world.foreign()
        try world.startDaemon()
        try world.settle()
        #expect(try world.foreign() == before, "start")
        try world.lab.setFault(.ftth, .blackhole())
        try world.waitSelected(.jcom)
        #expect(try world.foreign() == before, "switch")
        try world.lab.mustRun(in: .router, ["nft", "delete", "table", "inet", "wanctl"])
        try world.wait("the repair is told") { try world.history().contains { $0.kind == "repair" } }
        #expect(try world.foreign() == before, "repair")
        try world.write(policy: Policies.threeLines(jcom: "metered: true"))
        #expect(try world.wanctl("reload").succeeded)
        #expect(try world.foreign() == before, "reload")
        #expect(try world.daemon.terminate() == .exited(0))
        #expect(try world.foreign() == before, "stop")
        let cleanup = try world.lab.run(in: .router, world.daemonWords("--cleanup"))
        #expect(cleanup.status == .exited(0), "\(cleanup.errors)")
        #expect(try world.foreign() == before, "clean-up")
        let left = try world.kernelOurs() + world.lab.mustRun(in: .router, ["nft", "list", "tables"])
        #expect(!left.contains("proto 87") && !left.contains("wanctl"), "\(left)")
        let again = try world.lab.run(in: .router, world.daemonWords("--cleanup"))
        #expect(again.succeeded, "nothing to clean up is no error")
    }

    @Test(
        "another program's default route has no effect and is left alone",
        arguments: ["metric 0", "metric 1", "metric 0 before us", "metric 1 before us"])
    func foreignDefault(way: String) throws {
        let world = try World()
        let words = ["default", "dev", "ppp1", "metric", way.contains("metric 0") ? "0" : "1", "proto", "static"]
        if way.hasSuffix("before us") { try world.lab.mustRun(in: .router, ["ip", "route", "add"] + words) }
        try world.startDaemon()
        try world.settle()
        let client = try ClientProber.start(in: world.lab, flow: .fresh())
        if !way.hasSuffix("before us") {
            // At our own metric there is our mirror, which such a program replaces.
            let verb = way.contains("metric 1") ? "replace" : "add"
            try world.lab.mustRun(in: .router, ["ip", "route", verb] + words)
        }
        let isTaken = way.contains("metric 1")
        if isTaken {
            try world.wait("the status says so") {
                try world.status().warnings.contains { $0.contains("another program's default route has metric 1") }
            }
        }
        let sent = try client.snapshot().sent
        try world.wait("the client goes on") { try client.snapshot().sent > sent + 300 }
        try world.waitTraffic(of: client, on: .ftth)
        let main = try world.lab.mustRun(in: .router, ["ip", "-N", "route", "show", "table", "254"])
        #expect(main.contains("default dev ppp1 proto 4"), "\(main)")
        #expect(main.contains("default dev ppp0 proto 87") == !isTaken, "\(main)")
        try world.lab.mustRun(in: .router, ["ip", "route", "del"] + words)
        try world.wait("our mirror is there (again)") {
            try world.lab.mustRun(in: .router, ["ip", "-N", "route"]).contains("default dev ppp0 proto 87")
        }
        try world.wait("nothing is left to warn of") {
            try world.status().warnings.allSatisfy { !$0.contains("metric") }
        }
        let report = try client.stop()
        #expect(report.lost == 0 && report.byUplink.keys.map(\.rawValue) == ["ftth"])
    }

    @Test(
        "what others delete of ours is put back and reported",
        arguments: [
            "ip rule del pref 8999", "ip rule del pref 8701", "ip route flush table 8700", "ip route flush table 8702",
            "ip route del default dev ppp0 metric 1", "ip rule flush", "nft delete table inet wanctl",
            "nft flush ruleset", "nft delete chain inet wanctl srcnat", "nft flush set inet wanctl uplinks",
        ])
    func foreignDeletion(command: String) throws {
        let world = try World.running()
        let before = try world.ours()
        let client = try ClientProber.start(in: world.lab, flow: .fresh())
        try world.waitTraffic(of: client, on: .ftth)
        try world.lab.mustRun(in: .router, command.split(separator: " ").map(String.init))
        try world.wait("it is put back") { try world.ours() == before }
        try world.wait("it is told") { try world.history().contains { $0.kind == "repair" } }
        try world.wait("the client is served") { try client.isAnswered(within: .milliseconds(20)) }
        let report = try client.stop()
        #expect(report.longestOutageMilliseconds < 500, "\(report.outages)")
        #expect(try world.switches().isEmpty)
    }

    @Test("a call that begins while somebody has taken our table away is translated when the table is back")
    func callWithoutTable() throws {
        let world = try World.running()
        // As most firewalls, which have flows tracked also where nothing translates them.
        let firewall = """
            table inet filter {
                chain forward { type filter hook forward priority 0; ct state established accept; }
            }
            """
        try world.lab.mustRun(in: .router, ["nft", "-f", "-"], input: firewall)
        try world.daemon.signal(SIGSTOP)
        try world.lab.mustRun(in: .router, ["nft", "delete", "table", "inet", "wanctl"])
        let client = try ClientProber.start(in: world.lab)
        let list = ["conntrack", "-L", "-p", "udp", "-s", "\(LabAddress.client)"]
        try world.wait("the call is tracked without translation") {
            try world.lab.mustRun(in: .router, list).contains("dst=\(LabAddress.client) ")
        }
        try world.daemon.signal(SIGCONT)
        try world.waitTraffic(of: client, on: .ftth)
        #expect(try world.log.contains("flows that had begun without translation begin anew"))
        _ = try client.stop()
    }

    @Test("who deletes again and again is not fought at full speed")
    func repairPace() throws {
        let world = try World.running()
        let end = Clock.boottime() + 5_000_000_000
        while Clock.boottime() < end {
            _ = try world.lab.run(in: .router, ["ip", "rule", "del", "pref", "8999"])
            try world.watch(seconds: 0.05) { true }
        }
        // Told ones: a switch between lines, as a starved lab may have it, puts the rule back with its own routes.
        let repairs = try world.history().filter { $0.kind == "repair" }.count
        let log = try world.log
        #expect((2...5).contains(repairs), "at once, then after 0.1 s, 1 s, 2 s, 4 s; \(log)")
        try world.lab.mustRun(in: .router, ["nft", "delete", "table", "inet", "wanctl"])
        try world.wait("the table does not wait for the rule", seconds: 1) {
            try world.history().contains { $0.kind == "repair" && $0.text.hasPrefix("nft table") }
        }
        try world.wait("in the end ours is there", seconds: 10) {
            try world.ours().contains("8999: from all lookup 8700")
        }
    }

    @Test("strict reverse path filtering is set loose on the uplinks and told", arguments: ["all", "default"])
    func reversePathFilter(place: String) throws {
        var settings = LabOptions.kernelDefaults
        settings["net/ipv4/conf/\(place)/rp_filter"] = "1"
        let world = try World.running(options: LabOptions(routerSettings: settings))
        for uplink in LabUplink.allCases {
            #expect(try world.setting("net.ipv4.conf.\(uplink.interface).rp_filter") == "2")
        }
        #expect(try world.setting("net.ipv4.conf.\(place).rp_filter") == "1", "what is not ours stays")
        #expect(try world.setting("net.ipv4.conf.eth0.rp_filter") != "2")
        #expect(try world.log.contains("rp_filter was strict on ppp1"))
        // Made anew, the interface is strict again.
        try world.lab.setFault(.ftth, .gone)
        try world.lab.setFault(.ftth, .back())
        try world.waitState(.ftth, .up)
        #expect(try world.setting("net.ipv4.conf.ppp0.rp_filter") == "2")
    }

    @Test(
        "forwarding is turned on for a LAN, and left alone where the policy says so",
        arguments: [
            "interfaces: [eth0]", "interfaces: [eth0], forwarding: leave",
        ])
    func forwarding(lan: String) throws {
        let world = try World(policy: Policies.threeLines(lan: lan))
        try world.startDaemon()
        try world.settle()
        #expect(try world.setting("net.ipv4.ip_forward") == (lan == "interfaces: [eth0]" ? "1" : "0"))
    }
}

extension World {
    func kernelOurs() throws -> String {
        try lab.mustRun(in: .router, ["ip", "-N", "route", "show", "table", "all"])
            + lab.mustRun(in: .router, ["ip", "-N", "rule"])
    }

    func setting(_ name: String) throws -> String {
        let text = try lab.mustRun(in: .router, ["sysctl", "-n", name])
        return text.split(separator: "\n").first.map(String.init) ?? ""
    }
}
