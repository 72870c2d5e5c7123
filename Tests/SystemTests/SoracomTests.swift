import Glibc
import LinuxIO
import TestSupport
import Testing
import WANControl
import WANLab
import WANModel

@Suite("the speed class follows the traffic, whatever SORACOM does", .enabled(if: Needs.root, Needs.advice))
struct SpeedClassTests {
    @Test("raised with the failover through the metadata service, lowered when the drain after the failback ends")
    func story() throws {
        let (world, soracom) = try World.withSoracom(speedClass: "s1.fast")
        try world.waitClass("s1.minimum", of: soracom)
        let client = try ClientProber.start(in: world.lab, flow: .fresh())
        try world.waitTraffic(of: client, on: .ftth)
        try world.lab.setFault(.jcom, .blackhole())
        try world.waitState(.jcom, .down)
        try world.lab.setFault(.ftth, .blackhole())
        try world.waitTraffic(of: client, on: .soracom)
        try world.waitClass("s1.fast", of: soracom)
        #expect(try world.uplink(.soracom).speedClass?.via == "metadata")
        try world.lab.clearFaults()
        try world.waitTraffic(of: client, on: .ftth)
        if try world.uplink(.soracom).traffic == .draining {
            #expect(try world.uplink(.soracom).speedClass?.wanted == "s1.fast", "it stays raised while flows drain")
        }
        try world.waitClass("s1.minimum", of: soracom)
        #expect(try world.uplink(.soracom).traffic == .standby)
        #expect(soracom.classChanges.compactMap(\.speedClass) == ["s1.minimum", "s1.fast", "s1.minimum"])
        #expect(soracom.classChanges.allSatisfy { $0.operation == .metadataUpdate && $0.source == "10.1.2.3" })
        let report = try client.stop()
        #expect(report.outages.count == 1 && report.longestOutageMilliseconds < 600, "\(report.outages)")
        try world.finish(soracom)
    }

    /// What SORACOM does wrong, and how often before it does it right.
    enum Trouble: String, CaseIterable, CustomTestStringConvertible {
        case metadataReadOnly, metadataOff, metadataRefused
        case unauthorized, badGateway, serverError, tooManyRequests, reset, cutAnswer, strangeMembers
        case notConfirmed, expiredToken, forgottenToken, allRefused
        var testDescription: String { rawValue }

        func make(_ service: SoracomService) throws {
            // Those of the API need the metadata service out of the way.
            switch self {
            case .metadataReadOnly: service.setMetadata(.readOnly)
            case .metadataRefused: try service.setRefusing(metadata: true)
            case .notConfirmed: service.fail(.metadataUpdate, with: .keepsClass("s1.slow"), times: 2)
            default: service.setMetadata(.off)
            }
            switch self {
            case .notConfirmed: service.fail(.updateSimSpeedClass, with: .keepsClass("s1.slow"), times: 2)
            case .unauthorized:
                service.fail(.updateSimSpeedClass, with: .status(401, code: "AUM0001", message: "no"), times: 1)
            case .badGateway: service.fail(.updateSimSpeedClass, with: .html(502), times: 1)
            case .serverError: service.fail(.updateSimSpeedClass, with: .text(500, "oops"), times: 1)
            case .tooManyRequests:
                service.fail(.updateSimSpeedClass, with: .tooManyRequests(secondsBeforeRefresh: 1), times: 1)
            case .reset: service.fail(.updateSimSpeedClass, with: .reset, times: 1)
            case .cutAnswer: service.fail(.updateSimSpeedClass, with: .dropMidAnswer, times: 1)
            case .strangeMembers: service.fail(.updateSimSpeedClass, with: .strangeMembers)
            case .expiredToken: service.expireTokens()
            case .forgottenToken: service.forgetTokens()
            case .allRefused: try service.setRefusing(api: true, metadata: true)
            default: break
            }
        }
    }

    @Test("it ends where it should, up and down, and the LAN notices nothing", arguments: Trouble.allCases)
    func trouble(_ trouble: Trouble) throws {
        let (world, soracom) = try World.withSoracom()
        try world.waitClass("s1.minimum", of: soracom)
        let client = try ClientProber.start(in: world.lab, flow: .fresh())
        try world.waitTraffic(of: client, on: .ftth)
        try trouble.make(soracom.service)
        #expect(try world.wanctl("failover", "soracom").succeeded)
        if trouble == .allRefused {
            try world.wait("the status says why it is not there yet") {
                try world.uplink(.soracom).speedClass?.problem?.contains("Failed to connect") == true
            }
            try soracom.service.healAll()
        }
        try world.waitClass("s1.fast", of: soracom, seconds: 25)
        #expect(try world.wanctl("auto").succeeded)
        try world.waitClass("s1.minimum", of: soracom, seconds: 25)
        let report = try client.stop()
        // A new flow may meet the port number of a drained one, and so lose what is under way when the drain ends.
        #expect(report.longestOutageMilliseconds < 60, "\(report.outages) \(report.timeline)")
        try world.finish(soracom)
    }

    @Test("a service that hangs costs the courier's time and nobody else's")
    func hang() throws {
        let (world, soracom) = try World.withSoracom()
        try world.waitClass("s1.minimum", of: soracom)
        let client = try ClientProber.start(in: world.lab, flow: .fresh())
        soracom.service.fail(.metadataUpdate, with: .hang, times: 1)
        #expect(try world.wanctl("failover", "soracom").succeeded)
        try world.waitTraffic(of: client, on: .soracom)
        // Meanwhile the daemon does its work.
        try world.lab.setFault(.soracom, .carrierOff)
        try world.waitTraffic(of: client, on: .ftth)
        try world.lab.setFault(.soracom, .carrierOn)
        try world.waitTraffic(of: client, on: .soracom, seconds: 10)
        try world.waitClass("s1.fast", of: soracom, seconds: 40)
        #expect(try world.wanctl("auto").succeeded)
        try world.waitClass("s1.minimum", of: soracom, seconds: 40)
        #expect(try client.stop().longestOutageMilliseconds < 200)
        try world.finish(soracom)
    }

    @Test("a courier that does not move is killed at its deadline, and the next one does the work")
    func stoppedCourier() throws {
        let (world, soracom) = try World.withSoracom()
        try world.waitClass("s1.minimum", of: soracom)
        let courier = try #require(try world.couriers().first)
        kill(courier, SIGSTOP)
        #expect(try world.wanctl("failover", "soracom").succeeded)
        try world.wait("it is killed", seconds: 60) { try !world.couriers().contains(courier) }
        try world.waitClass("s1.fast", of: soracom, seconds: 15)
        try world.finish(soracom)
    }

    @Test("the daemon is killed while the class is raised and starts when the main line is back: the cheap class")
    func killedWhileRaised() throws {
        let (world, soracom) = try World.withSoracom()
        try world.waitClass("s1.minimum", of: soracom)
        for uplink in [LabUplink.jcom, .ftth] {
            try world.lab.setFault(uplink, .blackhole())
            try world.waitState(uplink, .down)
        }
        try world.waitClass("s1.fast", of: soracom)
        try world.daemon.kill()
        try world.lab.clearFaults()
        #expect(soracom.speedClass == "s1.fast")
        try world.startDaemon()
        try world.waitSelected(.ftth)
        try world.waitClass("s1.minimum", of: soracom)
        try world.finish(soracom)
    }

    @Test("a SIM that leaves the policy while it is raised is lowered all the same")
    func leavesThePolicy() throws {
        let (world, soracom) = try World.withSoracom()
        #expect(try world.wanctl("failover", "soracom").succeeded)
        try world.waitClass("s1.fast", of: soracom)
        #expect(try world.wanctl("failover", "ftth").succeeded)
        _ = try world.daemon.reload(policy: Policies.twoLines())
        try world.wait("the class is the cheap one") { soracom.speedClass == "s1.minimum" }
        try world.finish(soracom)
    }

    @Test("the operator's class holds until it is given back, across a restart")
    func byHand() throws {
        let (world, soracom) = try World.withSoracom()
        try world.waitClass("s1.minimum", of: soracom)
        #expect(try world.wanctl("speed", "soracom", "s1.standard").succeeded)
        try world.waitClass("s1.standard", of: soracom)
        try world.daemon.kill()
        soracom.service.setSpeedClass("s1.slow", ofSIM: SoracomInLab.simID)
        try world.startDaemon()
        try world.waitClass("s1.standard", of: soracom)
        #expect(try world.wanctl("speed", "soracom", "auto").succeeded)
        try world.waitClass("s1.minimum", of: soracom)
        try world.finish(soracom)
    }
}

extension World {
    /// A running daemon and a SORACOM in its internet.
    fileprivate static func withSoracom(speedClass: String = "s1.minimum") throws -> (World, SoracomInLab) {
        let lines = SoracomInLab.policyLines().split(separator: "\n").map { $0.dropFirst(4) }.joined(separator: "\n")
        let world = try World(policy: Policies.threeLines(soracom: lines))
        let soracom = try SoracomInLab.start(in: world.lab, speedClass: speedClass)
        try world.startDaemon()
        try world.settle()
        return (world, soracom)
    }

    /// The SIM has the class, and the daemon knows it from SORACOM.
    fileprivate func waitClass(
        _ name: String, of soracom: SoracomInLab, seconds: Double = 10, at place: SourceLocation = #_sourceLocation
    ) throws {
        try wait("the class is \(name)", seconds: seconds, at: place) {
            let speed = try uplink(.soracom).speedClass
            return soracom.speedClass == name && speed?.wanted == name && speed?.confirmed == name
        }
    }

    fileprivate func couriers() throws -> [Int32] {
        let text = try lab.run(in: .router, ["pgrep", "-P", "\(try daemon.pid)"]).output
        return text.split(separator: "\n").compactMap { Int32($0) }
    }

    /// What must hold at the end of every story: the specification was kept, and no secret is where it can be read.
    fileprivate func finish(_ soracom: SoracomInLab) throws {
        #expect(soracom.service.violations == [])
        let journal = try Files.text("\(stateDirectory)/history.db")
        let state = try Files.text("\(stateDirectory)/state.json")
        let processes = try lab.run(in: .router, ["ps", "-e", "eww", "-o", "args"]).output
        let shown = try wanctl("status", "--json").output + wanctl("history", "--json").output
        for secret in soracom.service.secrets {
            for (place, text) in [
                ("log", try log), ("journal", journal), ("state", state), ("ps", processes), ("status", shown),
            ] {
                let isThere = text.contains(secret)
                #expect(!isThere, "a secret can be read in the \(place)")
            }
        }
    }
}
