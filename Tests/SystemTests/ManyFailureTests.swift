import LinuxIO
import Testing
import WANControl
import WANLab
import WANModel

@Suite("failures upon failures", .enabled(if: Needs.root, Needs.advice))
struct ManyFailureTests {
    @Test("all lines die and one returns: traffic is on it at once, whichever it is", arguments: LabUplink.allCases)
    func allDownOneReturns(survivor: LabUplink) throws {
        let world = try World.running(Policies.threeLines(soracom: "keepalive: {idle: 1s, target: 8.8.8.8}"))
        let client = try ClientProber.start(in: world.lab)
        for uplink in LabUplink.allCases { try world.lab.setFault(uplink, .blackhole()) }
        try world.wait("all lines are known to be silent", seconds: 20) {
            try world.status().uplinks.allSatisfy { [.suspect, .down].contains($0.state) }
        }
        #expect(try world.status().selected == ["ftth"], "the last choice stays")
        #expect(try !world.ladder.isEmpty)
        try world.lab.clearFaults(survivor)
        try world.waitTraffic(of: client, on: survivor, seconds: 15)
        #expect(try world.status().selected == [survivor.rawValue])
        _ = try client.stop()
    }

    @Test("the second line fails while traffic is on it: the third takes over")
    func oneAfterTheOther() throws {
        let world = try World.running()
        let client = try ClientProber.start(in: world.lab, flow: .fresh())
        try world.waitTraffic(of: client, on: .ftth)
        try world.lab.setFault(.ftth, .blackhole())
        try world.waitTraffic(of: client, on: .jcom)
        try world.lab.setFault(.jcom, .blackhole())
        try world.waitTraffic(of: client, on: .soracom)
        try world.lab.clearFaults()
        try world.waitTraffic(of: client, on: .ftth, seconds: 10)
        let report = try client.stop()
        #expect(report.outages.count == 2, "\(report.outages) \(report.timeline)")
        #expect(report.longestOutageMilliseconds < 600)
        #expect(report.wrongSourceCount == 0)
        #expect(report.timeline.compactMap(\.uplink) == [.ftth, .jcom, .soracom, .ftth])
    }

    @Test("a line that flaps is held longer each time")
    func flapping() throws {
        let world = try World.running()
        var holds: [Duration] = []
        for round in 1...3 {
            try world.lab.setFault(.ftth, .blackhole())
            try world.waitState(.ftth, .down)
            #expect(try world.status().selected == ["jcom"])
            try world.lab.clearFaults(.ftth)
            try world.waitState(.ftth, .up)
            holds.append(try #require(try world.uplink(.ftth).holdSpan))
            if round < 3 { try world.waitSelected(.ftth, seconds: 10) }
        }
        #expect(holds[1] > holds[0] && holds[2] > holds[1], "\(holds)")
        #expect((.milliseconds(3500)...(.seconds(4))).contains(holds[2]), "1 s, 2 s, 4 s")
    }
}
