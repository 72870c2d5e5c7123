import Glibc
import JSONText
import LinuxIO
import TestSupport
import Testing
import WANControl
import WANLab
import WANModel

@Suite("what the operator says", .enabled(if: Needs.root, Needs.advice))
struct OperatorTests {
    @Test("failover between two good lines loses nothing and is done when the command returns")
    func failover() throws {
        let world = try World.running()
        let client = try ClientProber.start(in: world.lab, flow: .fresh())
        let connection = try ClientConnection.start(in: world.lab)
        try world.waitTraffic(of: client, on: .ftth)
        for uplink in [LabUplink.jcom, .soracom, .ftth, .jcom] {
            let start = Clock.boottime()
            let result = try world.wanctl("failover", uplink.rawValue)
            let milliseconds = Double(Clock.boottime() - start) / 1e6
            #expect(result.status == .exited(0), "\(result.errors)")
            #expect(result.output.contains("\(uplink) is pinned"), "\(result.output)")
            // A debug build, started by way of `ip netns exec` on a busy machine; the bar of 50 ms is the benchmark's.
            #expect(milliseconds < 400)
            #expect(try world.ladder.hasPrefix(uplink == .jcom ? "default via" : "default dev \(uplink.interface)"))
            let status = try world.status()
            #expect(status.selected == [uplink.rawValue] && status.mode == .manual)
            #expect(status.lastSwitch?.manual == true)
            try world.waitTraffic(of: client, on: uplink)
        }
        try world.wait("the last switch is proven") { try world.status().lastSwitch?.proven == true }
        #expect(try world.wanctl("auto").succeeded)
        try world.waitTraffic(of: client, on: .ftth)
        #expect(try world.status().mode == .auto)
        let report = try client.stop()
        #expect(report.lost == 0, "\(report.outages)")
        #expect(report.wrongSourceCount == 0)
        #expect(try connection.stop().brokenBy == nil, "an old connection stays where it is and drains")
    }

    @Test("failover to a line that does not work is refused with its reason, unless forced")
    func refused() throws {
        let world = try World.running()
        try world.lab.setFault(.jcom, .blackhole())
        try world.waitState(.jcom, .down)
        let refusal = try world.wanctl("failover", "jcom")
        #expect(refusal.status == .exited(1))
        #expect(refusal.errors.contains("jcom is down: 0 of 3 targets answered"), "\(refusal.errors)")
        #expect(try world.status().mode == .auto && world.status().selected == ["ftth"])
        let unknown = try world.wanctl("failover", "adsl")
        #expect(unknown.status == .exited(1))
        #expect(unknown.errors.contains("there is no uplink adsl; the policy has ftth, jcom, soracom"))
        #expect(try world.wanctl("failover", "jcom", "--force").succeeded)
        #expect(try world.status().selected == ["jcom"])
        #expect(try world.wanctl("auto").succeeded)
        try world.waitSelected(.ftth)
    }

    @Test("failover to a standby that died unseen is refused: it is asked first, and nothing is lost")
    func unproven() throws {
        let world = try World.running()
        let client = try ClientProber.start(in: world.lab, flow: .fresh())
        try world.waitTraffic(of: client, on: .ftth)
        // It rests, so nobody sees it die. What was asked before the rest is answered or lost within a second.
        try world.lab.setFault(.soracom, .blackhole())
        try world.watch(seconds: 1.5) { try world.uplink(.soracom).state == .up }
        let refusal = try world.wanctl("failover", "soracom")
        #expect(refusal.status == .exited(1))
        #expect(
            refusal.errors.contains("soracom was asked just now and did not answer within 300 ms; try again"),
            "\(refusal.errors)")
        let status = try world.status()
        #expect(status.mode == .auto && status.selected == ["ftth"] && status.pinned == nil)
        let report = try client.snapshot(undecided: .milliseconds(300))
        #expect(report.lost == 0 && report.timeline.map(\.uplink) == [.ftth], "\(report.outages)")
        try world.lab.clearFaults(.soracom)
        try world.waitState(.soracom, .up)
        let accepted = try world.wanctl("failover", "soracom")
        #expect(accepted.succeeded, "\(accepted.errors)")
        try world.waitTraffic(of: client, on: .soracom)
        #expect(try client.stop().lost == 0)
    }

    @Test("`--for` ends by itself")
    func timed() throws {
        let world = try World.running()
        #expect(try world.wanctl("failover", "jcom", "--for", "1s").succeeded)
        #expect(try world.status().pinned?.uplink == "jcom")
        try world.waitSelected(.ftth)
        #expect(try world.status().mode == .auto)
        #expect(try world.history().contains { $0.text.contains("the pin ended: its time is over") })
    }

    @Test("a pin outlives the daemon; when its line dies the order applies until it is back")
    func pinSurvives() throws {
        let world = try World.running()
        #expect(try world.wanctl("failover", "jcom").succeeded)
        try world.daemon.kill()
        try world.startDaemon()
        #expect(try world.status().mode == .manual && world.status().selected == ["jcom"])
        try world.waitState(.jcom, .up)
        try world.waitState(.ftth, .up)
        #expect(try world.status().selected == ["jcom"])
        try world.lab.setFault(.jcom, .blackhole())
        try world.waitSelected(.ftth)
        #expect(try world.status().mode == .manual)
        try world.lab.clearFaults(.jcom)
        try world.waitSelected(.jcom)
    }

    @Test("with `--strict` a pinned line is stayed with though it dies")
    func strict() throws {
        let world = try World.running()
        #expect(try world.wanctl("failover", "jcom", "--strict").succeeded)
        try world.lab.setFault(.jcom, .blackhole())
        try world.waitState(.jcom, .down)
        try world.watch(seconds: 1) { try world.status().selected == ["jcom"] }
        #expect(try world.wanctl("auto").succeeded)
        try world.waitSelected(.ftth)
    }

    @Test("disable takes a line out at once, across restarts, until enable")
    func disable() throws {
        let world = try World.running()
        let client = try ClientProber.start(in: world.lab, flow: .fresh())
        try world.waitTraffic(of: client, on: .ftth)
        #expect(try world.wanctl("disable", "ftth").succeeded)
        #expect(try world.status().selected == ["jcom"])
        #expect(try world.uplink(.ftth).state == .disabled)
        try world.daemon.kill()
        try world.startDaemon()
        #expect(try world.uplink(.ftth).state == .disabled)
        try world.waitState(.jcom, .up)
        let probes = try world.uplink(.ftth).bytes.probes
        try world.watch(seconds: 1.5) { try world.uplink(.ftth).bytes.probes == probes }
        let refusal = try world.wanctl("failover", "ftth")
        #expect(refusal.status == .exited(1) && refusal.errors.contains("ftth is disabled"))
        #expect(try world.wanctl("enable", "ftth").succeeded)
        try world.waitSelected(.ftth)
        try world.waitTraffic(of: client, on: .ftth)
        #expect(try client.stop().longestOutageMilliseconds < 100)
    }

    @Test("the last usable line is neither disabled nor drained")
    func lastLine() throws {
        let world = try World.running(Policies.twoLines())
        #expect(try world.wanctl("disable", "jcom").succeeded)
        for verb in ["disable", "drain"] {
            let refusal = try world.wanctl(verb, "ftth")
            #expect(refusal.status == .exited(1))
            #expect(refusal.errors.contains("no other uplink is usable"), "\(refusal.errors)")
        }
    }

    @Test("drain moves new flows, lets old ones finish and says when there are none left")
    func drain() throws {
        let world = try World.running()
        let connection = try ClientConnection.start(in: world.lab)
        try world.wait("it talks") { try connection.snapshot().echoed > 2 }
        let drain = try world.lab.spawn(
            in: .router, [try Programs.path("wanctl"), "--socket", world.socketPath, "drain", "ftth", "--json"])
        try world.waitSelected(.jcom)
        #expect(try world.uplink(.ftth).traffic == .draining)
        try world.wait("flows are counted") { try drain.output().contains(#""flows":"#) }
        let before = try connection.snapshot().echoed
        try world.wait("the old connection goes on") { try connection.snapshot().echoed > before + 10 }
        #expect(drain.isRunning)
        #expect(try connection.stop().brokenBy == nil)
        // The closed connection lingers in TIME_WAIT; the operator need not wait for that.
        #expect(drain.wait(atMost: .seconds(10)) == .exited(0))
        #expect(try drain.output().contains(#""flows":0"#))
        #expect(try world.wanctl("enable", "ftth").succeeded)
        try world.waitSelected(.ftth)
    }

    @Test("probe asks every target and shows each answer, or why there is none")
    func probe() throws {
        let world = try World.running()
        try world.lab.setFault(.jcom, .carrierOff)
        try world.waitState(.jcom, .absent)
        try world.lab.setTarget(LabAddress.targets[2], .dead, over: .ftth)
        let one = try world.wanctl("probe", "ftth")
        #expect(one.succeeded)
        #expect(one.output.contains("8.8.8.8") && one.output.contains("ms"), "\(one.output)")
        #expect(one.output.contains("no answer within 2 s"), "\(one.output)")
        let all = try world.wanctl("probe", "--json")
        #expect(all.succeeded)
        let lines = try all.output.split(separator: "\n").map { try JSONValue(parsing: Array($0.utf8)) }
        #expect(lines.count == 7, "three of ftth, three of soracom, one for jcom")
        #expect(lines.contains { $0["uplink"] == "jcom" && $0["problem"] == "wlan0 has no carrier" }, "\(all.output)")
    }

    @Test("speed is for SORACOM's lines alone")
    func speed() throws {
        let world = try World.running()
        let refusal = try world.wanctl("speed", "ftth", "s1.fast")
        #expect(refusal.status == .exited(1) && refusal.errors.contains("ftth is no SORACOM uplink"))
    }

    @Test("watch, status --watch, why and history tell what happens")
    func stories() throws {
        let world = try World.running()
        let program = try Programs.path("wanctl")
        let events = try world.lab.spawn(in: .router, [program, "--socket", world.socketPath, "watch", "--json"])
        let pictures = try world.lab.spawn(
            in: .router, [program, "--socket", world.socketPath, "status", "--watch", "--json"])
        try world.wait("the first picture is there") { try pictures.output().contains(#""selected":["ftth"]"#) }
        // `watch` shows nothing until something happens, so let things happen until it has seen one.
        try world.wait("watch listens") {
            _ = try world.wanctl("auto")
            return try events.output().contains(#""kind":"operator""#)
        }
        try world.lab.setFault(.ftth, .blackhole())
        try world.wait("both show the switch") {
            try events.output().contains(#""kind":"switch","uplink":"jcom""#)
                && pictures.output().contains(#""selected":["jcom"]"#)
        }
        let why = try world.wanctl("why")
        #expect(why.succeeded && why.output.contains("raffic is on jcom"), "\(why.output)")
        #expect(why.output.contains("ftth") && why.output.contains("0 of 3 targets answered"), "\(why.output)")
        let history = try world.wanctl("history", "--count", "3", "--json")
        #expect(try JSONValue(parsing: Array(history.output.utf8))["events"]?.array?.count == 3)
        #expect(try world.wanctl("history").output.contains("0 of 3 targets answered"))
        events.signal(SIGINT)
        pictures.signal(SIGINT)
    }

    @Test("status --watch hears of a warning that comes and goes, though nothing else happens")
    func watchedWarning() throws {
        let world = try World()
        let servers = "\(world.lab.directory)/ppp-resolv.conf"
        try Files.replace(servers, with: Array("nameserver 192.0.2.10\n".utf8))
        world.policy = Policies.threeLines(ftth: "dns: \(servers)")
        try world.startDaemon()
        try world.settle()
        let pictures = try world.lab.spawn(
            in: .router,
            [try Programs.path("wanctl"), "--socket", world.socketPath, "status", "--watch", "--json"])
        func waitForPicture(_ what: String, _ claim: (StatusReport) -> Bool) throws {
            try world.wait(what, seconds: 8) {
                let last = try pictures.output().split(separator: "\n").last.map { Array($0.utf8) } ?? []
                guard let json = try? JSONValue(parsing: last) else { return false }
                return claim(try StatusReport(json: json))
            }
        }
        try waitForPicture("all is well") { $0.warnings.isEmpty }
        Files.remove(servers)
        try waitForPicture("the warning is there") { $0.warnings.contains { $0.contains("no name servers of ftth") } }
        try Files.replace(servers, with: Array("nameserver 192.0.2.10\n".utf8))
        try waitForPicture("the warning is gone") { $0.warnings.isEmpty }
        pictures.signal(SIGINT)
    }

    @Test("without a daemon the command says so with 69, and without sense with 64")
    func exitCodes() throws {
        let world = try World()
        let none = try world.wanctl("status")
        #expect(none.status == .exited(69) && none.errors.contains("no daemon answers"))
        #expect(try world.wanctl("failover").status == .exited(64))
        #expect(try world.wanctl("explode").status == .exited(64))
        let daemon = try world.lab.run(in: .router, world.daemonWords("--explode"))
        #expect(daemon.status == .exited(64) && daemon.errors.contains("usage: wanctld"))
    }

    @Test("status --json has the fields that scripts rely on, and each is of its kind")
    func contract() throws {
        let world = try World.running(Policies.threeLines(soracom: "keepalive: {idle: 25m, target: 8.8.8.8}"))
        #expect(try world.wanctl("failover", "jcom").succeeded)
        try world.wait("the switch is proven") { try world.status().lastSwitch?.proven == true }
        let json = try JSONValue(parsing: Array(try world.wanctl("status", "--json").output.utf8))
        func names(_ value: JSONValue?) -> Set<String> { Set((value?.members ?? []).map(\.name)) }
        #expect(
            names(json).isSuperset(of: [
                "version", "node", "mode", "role", "selected", "policy", "uplinks", "last_switch",
            ]))
        #expect(json["version"] == "0.1.0" && json["node"] == "router")
        #expect(json["mode"] == "manual" && json["role"] == "alone" && json["selected"] == ["jcom"])
        #expect(names(json["policy"]) == ["path", "sha256", "loaded_at"])
        #expect(json["policy"]?["path"]?.string == world.policyPath)
        let sum = try world.lab.mustRun(in: .router, ["sha256sum", world.policyPath]).prefix(64)
        #expect(json["policy"]?["sha256"]?.string == String(sum))
        let uplinks = try #require(json["uplinks"]?.array)
        #expect(uplinks.compactMap { $0["name"]?.string } == ["ftth", "jcom", "soracom"])
        for uplink in uplinks {
            #expect(
                names(uplink).isSuperset(of: [
                    "name", "interface", "ifindex", "state", "traffic", "since", "reason", "addresses", "gateway",
                    "rtt_ms", "jitter_ms", "loss", "targets", "speed_class", "keepalive", "bytes",
                ]))
            #expect(names(uplink["bytes"]) == ["rx", "tx", "probes"])
            let targets = try #require(uplink["targets"]?.array)
            #expect(targets.count == 3)
            for target in targets { #expect(names(target) == ["address", "answered", "rtt_ms", "loss"]) }
            #expect(uplink["state"] == "up" && uplink["ifindex"]?.integer != nil && uplink["rtt_ms"] != .null)
            let probes = try #require(uplink["bytes"]?["probes"]?.integer)
            #expect(probes > 0)
        }
        #expect(uplinks.map { $0["traffic"] } == ["draining", "selected", "standby"])
        #expect(uplinks[0]["gateway"] == .null && uplinks[1]["gateway"] == "192.168.3.1")
        #expect(uplinks[0]["keepalive"] == .null && uplinks[2]["keepalive"] != .null)
        #expect(uplinks[0]["addresses"] == ["198.51.100.10"])
        let change = json["last_switch"]
        #expect(
            names(change).isSuperset(of: [
                "at", "from", "to", "cause", "manual", "detected_ms", "applied_ms", "conntrack_deleted", "proven",
            ]))
        #expect(change?["from"] == ["ftth"] && change?["to"] == ["jcom"] && change?["manual"] == true)
        #expect(change?["proven"] == true && change?["conntrack_deleted"] == 0 && change?["detected_ms"] == .null)
    }
}
