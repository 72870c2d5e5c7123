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
        let isOne = report.outages.count == 1 && report.longestOutageMilliseconds < 600
        let said = isOne ? "" : try world.log
        #expect(isOne, "\(report.outages) \(report.timeline)\n\(said)")
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
        let isNoticed = report.longestOutageMilliseconds >= 60
        let said = isNoticed ? try world.log : ""
        #expect(!isNoticed, "\(report.outages) \(report.timeline)\n\(said)")
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

    @Test("an errand that is killed is run again; one that does not move is given up at its deadline, and run again")
    func lostErrand() throws {
        let (world, soracom) = try World.withSoracom()
        try world.waitClass("s1.minimum", of: soracom)
        for signal in [SIGKILL, SIGSTOP] {
            let (wanted, words) = signal == SIGKILL ? ("s1.fast", ["failover", "soracom"]) : ("s1.minimum", ["auto"])
            soracom.service.fail(.metadataUpdate, with: .hang, times: 1)
            let asked = soracom.service.calls.count
            #expect(try world.lab.run(in: .router, world.wanctlWords(words)).succeeded)
            try world.wait("it asks", seconds: 10) { soracom.service.calls.count > asked }
            for errand in try world.errands() { kill(errand, signal) }
            try world.wait("the status says what is wrong and what to do", seconds: 40) {
                let problem = try world.uplink(.soracom).speedClass?.problem ?? ""
                let what = signal == SIGKILL ? "hung up before it answered" : "did not answer in time"
                return problem.contains(what) && problem.contains("journalctl -u 'wanctl-courier@*'")
            }
            try world.waitClass(wanted, of: soracom, seconds: 15)
        }
        try world.finish(soracom)
    }

    @Test(
        "without a courier, or with one that hangs, traffic moves as fast, and the class follows when it is back",
        arguments: [false, true])
    func lostCourier(hangs: Bool) throws {
        let (world, soracom) = try World.withSoracom()
        try world.waitClass("s1.minimum", of: soracom)
        let client = try ClientProber.start(in: world.lab, flow: .fresh())
        try world.waitTraffic(of: client, on: .ftth)
        if hangs { kill(try world.daemon.courierPID, SIGSTOP) } else { try world.daemon.killCourier() }
        try world.lab.setFault(.jcom, .blackhole())
        try world.waitState(.jcom, .down)
        try world.lab.setFault(.ftth, .blackhole())
        try world.waitTraffic(of: client, on: .soracom)
        if !hangs {
            try world.wait("the status says what is wrong and what to do") {
                let problem = try world.uplink(.soracom).speedClass?.problem ?? ""
                return problem.contains("no courier listens at")
                    && problem.contains("systemctl status wanctl-courier.socket")
            }
        }
        #expect(soracom.speedClass == "s1.minimum")
        if hangs { kill(try world.daemon.courierPID, SIGCONT) } else { try world.daemon.restartCourier() }
        try world.waitClass("s1.fast", of: soracom, seconds: 15)
        let report = try client.stop()
        #expect(report.outages.count == 1 && report.longestOutageMilliseconds < 600, "\(report.outages)")
        try world.finish(soracom)
    }

    @Test("rubbish, another's answer and too much of one are told, and the next errand is asked anew")
    func rubbish() throws {
        let (world, soracom) = try World.withSoracom()
        try world.waitClass("s1.minimum", of: soracom)
        try world.daemon.killCourier()
        let another = #"{\"id\":0,\"ok\":true,\"class\":\"s1.fast\",\"via\":\"api\",\"took_ms\":1}\n"#
        for (answer, speedClass, problem) in [
            (#""HTTP/1.1 302 Found\r\n""#, "s1.fast", "gave an answer that is none"),
            ("\"\(another)\"", "s1.slow", "it is about another request"),
            (#"" " x 100000"#, "s1.fast", "sent an endless line"),
        ] {
            let impostor = try world.spawnImpostor(saying: answer)
            #expect(try world.wanctl("speed", "soracom", speedClass).succeeded)
            try world.wait("the status tells of it", seconds: 15) {
                try world.uplink(.soracom).speedClass?.problem?.contains(problem) == true
            }
            impostor.kill()
        }
        try world.daemon.restartCourier()
        try world.waitClass("s1.fast", of: soracom, seconds: 30)
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

    /// The processes that ask SORACOM now.
    fileprivate func errands() throws -> [Int32] {
        let text = try lab.run(in: .router, ["pgrep", "-P", "\(try daemon.courierPID)"]).output
        return text.split(separator: "\n").compactMap { Int32($0) }
    }

    /// Listens in the courier's place, and says the same to everybody: an expression of perl(1).
    fileprivate func spawnImpostor(saying answer: String) throws -> Child {
        let path = try daemon.courierSocket
        let script = """
            use IO::Socket::UNIX; $SIG{PIPE} = "IGNORE"; unlink $ARGV[0];
            my $s = IO::Socket::UNIX->new(Local => $ARGV[0], Listen => 5) or die $!;
            while (my $c = $s->accept) { my $request = <$c>; print $c \(answer); close $c }
            """
        Files.remove(path)
        let impostor = try lab.spawn(in: .router, ["perl", "-e", script, path])
        try wait("the impostor listens") { Files.exists(path) }
        return impostor
    }

    fileprivate func wanctlWords(_ words: [String]) throws -> [String] {
        [try Programs.path("wanctl"), "--socket", socketPath] + words
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
                ("log", try log), ("courier's log", try daemon.courierLog()), ("journal", journal), ("state", state),
                ("ps", processes), ("status", shown),
            ] {
                let isThere = text.contains(secret)
                #expect(!isThere, "a secret can be read in the \(place)")
            }
        }
    }
}
