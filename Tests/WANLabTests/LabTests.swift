import Glibc
import LinuxIO
import NetworkTypes
import Testing
import WANLab

/// All tests that build a lab; one after the other, because they measure.
@Suite("The lab", .serialized)
struct LabTests {
    /// Milliseconds of the round trips that `ping` printed.
    func ping(
        _ lab: Lab, over uplink: LabUplink, _ target: IPv4Address, count: Int = 1, interval: String = "0.01",
        patience: String = "0.5"
    ) throws -> [Double] {
        let result = try lab.run(
            in: .router,
            [
                "ping", "-n", "-c", "\(count)", "-i", interval, "-W", patience, "-I", uplink.interface,
                target.description,
            ])
        return result.output.split(separator: "\n").compactMap { line in
            line.split(separator: " ").first { $0.hasPrefix("time=") }.flatMap { Double($0.dropFirst(5)) }
        }
    }

    /// JCOM's gateway has to be told; on a point-to-point link the interface says it all.
    func addJCOMRoute(_ lab: Lab) throws {
        try lab.mustRun(
            in: .router, ["ip", "route", "add", "default", "via", "192.168.3.1", "dev", "wlan0", "metric", "500"])
    }

    func link(_ lab: Lab, _ uplink: LabUplink) throws -> String {
        try lab.run(in: .router, ["ip", "-o", "addr", "show", "dev", uplink.interface]).output
            + lab.run(in: .router, ["ip", "-o", "link", "show", "dev", uplink.interface]).output
    }

    @Test("answers over each uplink, from its own address, and leaves nothing behind")
    func topology() throws {
        let lab = try Lab.build(.perfect)
        try addJCOMRoute(lab)
        for uplink in LabUplink.allCases {
            for target in LabAddress.targets + [LabAddress.content] {
                #expect(try ping(lab, over: uplink, target).count == 1, "\(uplink) \(target)")
            }
        }
        #expect(try ping(lab, over: .soracom, LabAddress.soracomMetadata).count == 1)
        #expect(try ping(lab, over: .ftth, LabAddress.soracomMetadata, patience: "0.1").isEmpty)
        #expect(try lab.wrongSources() == [.ftth: 0, .jcom: 0, .soracom: 0])
        try lab.tearDown()
        #expect(!Files.exists(lab.directory))
        for place in LabPlace.allCases { #expect(!Files.exists(lab.namespacePath(place))) }
    }

    @Test("delay and jitter are those of a round trip")
    func delay() throws {
        let lab = try Lab.build(.perfect)
        try lab.setFault(.ftth, .delay(.milliseconds(40)))
        let steady = try ping(lab, over: .ftth, LabAddress.targets[0], count: 5)
        #expect(steady.count == 5)
        #expect(steady.allSatisfy { (40...55).contains($0) }, "\(steady)")
        try lab.setFault(.ftth, .jitter(.milliseconds(30)))
        let shaken = try ping(lab, over: .ftth, LabAddress.targets[0], count: 20)
        #expect((shaken.max() ?? 0) - (shaken.min() ?? 0) > 5, "\(shaken)")
        try lab.clearFaults()
        #expect(try ping(lab, over: .ftth, LabAddress.targets[0]).allSatisfy { $0 < 15 })
    }

    @Test("30 % loss is 30 % of the round trips")
    func loss() throws {
        var options = LabOptions.perfect
        options.seed = 42
        let lab = try Lab.build(options)
        try lab.setFault(.soracom, .loss(0.3))
        let answered = try ping(lab, over: .soracom, LabAddress.targets[1], count: 300, interval: "0.002").count
        #expect((170...250).contains(answered), "seed 42")
        #expect(try ping(lab, over: .ftth, LabAddress.targets[1], count: 50, interval: "0.002").count == 50)
    }

    @Test("a one-way blackhole lets the other way pass; the link stays up")
    func oneWayBlackhole() throws {
        let lab = try Lab.build(.perfect)
        for way in [WireWay.up, .down] {
            try lab.clearFaults()
            let before = try #require(try lab.wireCounts()[.ftth])
            try lab.setFault(.ftth, .blackhole(way))
            #expect(try ping(lab, over: .ftth, LabAddress.targets[0], patience: "0.1").isEmpty)
            let after = try #require(try lab.wireCounts()[.ftth])
            #expect(after.upLost - before.upLost >= (way == .up ? 1 : 0))
            #expect(after.downLost - before.downLost == (way == .down ? 1 : 0))
            #expect(try link(lab, .ftth).contains("LOWER_UP"))
        }
    }

    @Test("exactly the next packets are lost")
    func dropNext() throws {
        let lab = try Lab.build(.perfect)
        try lab.setFault(.ftth, .dropNext(3, .down))
        #expect(try ping(lab, over: .ftth, LabAddress.targets[0], count: 10, patience: "0.1").count == 7)
    }

    @Test("a target dies over one uplink, or everywhere; a dead upstream leaves the gateway")
    func deadTarget() throws {
        let lab = try Lab.build(.perfect)
        try addJCOMRoute(lab)
        let (first, second) = (LabAddress.targets[0], LabAddress.targets[1])
        try lab.setTarget(first, .dead, over: .ftth)
        #expect(try ping(lab, over: .ftth, first, patience: "0.1").isEmpty)
        #expect(try ping(lab, over: .jcom, first).count == 1)
        try lab.setTarget(first, .dead)
        #expect(try ping(lab, over: .jcom, first, patience: "0.1").isEmpty)
        #expect(try ping(lab, over: .jcom, second).count == 1)
        try lab.setTarget(first, .alive)
        #expect(try ping(lab, over: .ftth, first).count == 1)
        try lab.setFault(.jcom, .upstreamDead)
        #expect(try ping(lab, over: .jcom, second, patience: "0.1").isEmpty)
        #expect(try ping(lab, over: .jcom, LabUplink.jcom.gateway).count == 1)
    }

    @Test("carrier loss is seen as NO-CARRIER and heals")
    func carrier() throws {
        let lab = try Lab.build(.perfect)
        for uplink in LabUplink.allCases {
            try lab.setFault(uplink, .carrierOff)
            #expect(try link(lab, uplink).contains("NO-CARRIER"))
            try lab.setFault(uplink, .carrierOn)
            #expect(try !link(lab, uplink).contains("NO-CARRIER"))
            #expect(try ping(lab, over: uplink, uplink.gateway).count == 1)
        }
    }

    @Test("an interface that is gone comes back with another ifindex and address")
    func goneAndBack() throws {
        let lab = try Lab.build(.perfect)
        func index() throws -> String { String(try link(lab, .ftth).prefix { $0 != ":" }) }
        let before = try index()
        try lab.setFault(.ftth, .gone)
        #expect(try link(lab, .ftth) == "")
        try lab.setFault(.ftth, .back(IPv4Address(198, 51, 100, 77)))
        #expect(try link(lab, .ftth).contains("198.51.100.77"))
        #expect(try index() != before)
        #expect(try ping(lab, over: .ftth, LabAddress.targets[0]).count == 1)
        #expect(lab.sourceOwners[IPv4Address(198, 51, 100, 77)] == .ftth)
        // The provider takes the former address no longer.
        try lab.mustRun(in: .router, ["ip", "addr", "add", "198.51.100.10/32", "dev", "lo"])
        let result = try lab.run(
            in: .router, ["ping", "-c1", "-W0.1", "-I", "198.51.100.10", "-I", "ppp0", "198.51.100.1"])
        #expect(!result.succeeded)
        #expect(try lab.wrongSources()[.ftth] == 1)
    }

    @Test("whoever deletes an interface by hand sees it back after `clear`")
    func deletedByHand() throws {
        let lab = try Lab.build(.perfect)
        try lab.mustRun(in: .router, ["ip", "link", "del", "ppp0"])
        try lab.clearFaults()
        #expect(try ping(lab, over: .ftth, LabAddress.targets[0]).count == 1)
    }

    @Test("a rate holds packets back and then drops them")
    func rate() throws {
        let lab = try Lab.build(.perfect)
        try lab.setFault(.ftth, .rate(1_000_000))
        let result = try lab.run(
            in: .router, ["ping", "-n", "-c", "3", "-i", "0.1", "-W", "1", "-s", "1222", "-I", "ppp0", "8.8.8.8"])
        let times = result.output.split(separator: " ").filter { $0.hasPrefix("time=") }
            .compactMap { Double($0.dropFirst(5)) }
        #expect(times.count == 3)
        #expect(times.allSatisfy { (20...40).contains($0) }, "1250 octets take 10 ms each way: \(times)")
    }

    @Test("a program of the lab ends with it")
    func programs() throws {
        let lab = try Lab.build(.perfect)
        let child = try lab.spawn(in: .router, ["sh", "-c", "ip -o -4 addr show dev ppp0; sleep 1000"])
        try eventually { try child.output().contains("198.51.100.10") }
        #expect(child.isRunning)
        try lab.tearDown()
        #expect(child.status == .signaled(15))
    }
}

/// Looks again and again until it is so, for at most five seconds.
func eventually(_ condition: () throws -> Bool, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let deadline = Clock.boottime() + 5_000_000_000
    while true {
        if try condition() { return }
        if Clock.boottime() > deadline {
            Issue.record("not so within five seconds", sourceLocation: sourceLocation)
            return
        }
        poll(nil, 0, 2)
    }
}
