import JSONText
import LinuxIO
import NetworkTypes
import TestSupport
import Testing
import WANControl
import WANDaemon
import WANEngine
import WANModel

/// What people are told, made of a real policy and a real engine, without root, kernel or keepalived.
@Suite("status and why, on paper")
struct StatusSnapshotTests {
    private static let policy = """
        version: 1
        site: home
        lan:
          interfaces: [eth0]
        uplinks:
          ftth:
            interface: ppp0
          jcom:
            interface: wlan0
          soracom:
            interface: ppp1
            metered: true
            keepalive: {idle: 25m, target: 100.127.100.127}
        failover:
          order: [ftth, jcom, soracom]
        rules:
          - name: backup
            match: {source: 192.168.0.200}
            order: [jcom, ftth]
            otherwise: reject
        """

    private let directory: TemporaryDirectory
    private let inForce: PolicyInForce
    private var engine: Engine
    private var now = Moment(nanoseconds: 1_000_000_000_000)
    private var asked: [ProbeIdentity] = []
    private var silent: Set<UplinkNumber> = []

    private static func load(_ text: String, in directory: TemporaryDirectory) throws -> LoadedPolicy {
        let path = "\(directory.path)/policy.yaml"
        try Files.replace(path, with: Array(text.utf8))
        return try LoadedPolicy.load(path, node: "router")
    }

    init() throws {
        directory = try TemporaryDirectory()
        inForce = PolicyInForce(try Self.load(Self.policy, in: directory), remembered: [:])
        engine = Engine(setup: EngineSetup(policy: inForce.policy, numbers: inForce.numbers), at: now)
        handle(
            .attached(
                inForce.uplinks.map { number, uplink in
                    let attachment = Attachment(
                        interfaceIndex: .init(rawValue: Int32(number.rawValue)), interface: uplink.interface,
                        addresses: [.v4(IPv4Address(198, 51, 100, number.rawValue))])
                    return AttachmentReport(number, attachment, reason: "\(uplink.interface) is up")
                }))
        pass(.seconds(5))
    }

    private mutating func handle(_ input: EngineInput) {
        for case .probe(let probe) in engine.handle(input, at: now) { asked.append(probe) }
    }

    /// Time goes from deadline to deadline, and what is not silent answers in no time.
    private mutating func pass(_ span: Duration) {
        let end = now + span
        while now < end {
            let answers = asked.filter { !silent.contains($0.uplink) }
            asked = []
            handle(.answered(answers.map { AnswerReport($0, rtt: .milliseconds(10)) }))
            now = min(end, max(now + .milliseconds(1), engine.nextDeadline ?? end))
            handle(.deadlineReached)
        }
    }

    private func number(_ name: String) throws -> UplinkNumber { try #require(inForce.numbers[name]) }

    /// The wall clock is a billion seconds ahead of the boot clock.
    private var snapshot: StatusSnapshot {
        StatusSnapshot(inForce, engine, at: now, wallClock: now.nanoseconds + 1_000_000_000_000_000_000)
    }

    private func verdicts(_ snapshot: StatusSnapshot) -> [String] { snapshot.why.candidates.map(\.verdict) }

    @Test("all is well: no warning, each line with its state, its rules and its times")
    func calm() throws {
        var snapshot = snapshot
        snapshot.node = "router"
        snapshot.bytes[try number("jcom")] = UplinkReport.Bytes(received: 7, sent: 8, probes: 9)
        let status = snapshot.status
        #expect(status.warnings.isEmpty && status.mode == .auto && status.role == .alone && status.selected == ["ftth"])
        #expect(status.uplinks.map(\.state) == [.up, .up, .up])
        #expect(status.uplinks.map(\.traffic) == [.selected, .standby, .standby])
        #expect(status.uplinks.map(\.rules) == [[], ["backup"], []])
        #expect(status.uplinks[1].bytes == UplinkReport.Bytes(received: 7, sent: 8, probes: 9))
        #expect(status.uplinks[0].since.unixNanoseconds > 1_000_000_000_000_000_000)
        #expect(verdicts(snapshot)[0] == "the best usable one in the order")
        #expect(verdicts(snapshot)[1] == "usable, but ftth comes first")
        #expect(snapshot.summary == "ftth up, selected; jcom up; soracom up")
    }

    @Test("a silent line: its reason is the verdict; back again it must hold")
    mutating func silence() throws {
        silent = [try number("ftth")]
        pass(.seconds(3))
        #expect(snapshot.status.selected == ["jcom"] && snapshot.why.decision.contains("ftth"))
        #expect(verdicts(snapshot)[0].hasPrefix("not usable: "), "\(verdicts(snapshot))")
        #expect(snapshot.status.uplinks[0].rttMilliseconds == nil)
        silent = []
        pass(.seconds(10))
        #expect(verdicts(snapshot)[0].hasPrefix("good again, must hold for "), "\(verdicts(snapshot))")
        let hold = try #require(snapshot.status.uplinks[0].holdSpan)
        #expect(hold > .zero && hold <= .seconds(60))
    }

    @Test("nothing works: the last choice stays, and it is said of each line why")
    mutating func nothing() {
        silent = Set(inForce.numbers.values)
        pass(.seconds(30))
        let snapshot = snapshot
        #expect(verdicts(snapshot).contains("nothing is usable; the last choice stays"))
        #expect(verdicts(snapshot).filter { $0.hasPrefix("not usable: ") }.count == 2, "\(verdicts(snapshot))")
    }

    @Test("what the operator said: a pin with its end, a disabled and an emptied line, each with the way back")
    mutating func operatorsWord() throws {
        handle(.operatorCommand(.failover(try number("jcom"), until: now + .seconds(60), force: false, strict: false)))
        handle(.operatorCommand(.disable(try number("ftth"))))
        handle(.operatorCommand(.drain(try number("soracom"))))
        pass(.seconds(1))
        let status = snapshot.status
        #expect(status.mode == .manual && status.pinned?.uplink == "jcom")
        #expect(status.pinned?.until?.unixNanoseconds == (now.nanoseconds + 59_000_000_000) + 1_000_000_000_000_000_000)
        #expect(
            status.warnings == [
                "ftth is disabled; `wanctl enable ftth` takes it in again",
                "soracom is kept empty; `wanctl enable soracom` takes it in again",
            ])
        #expect(verdicts(snapshot)[1...] == ["pinned by the operator", "kept empty by the operator"])
    }

    @Test("a refused table is the first thing that is said, where nothing is translated")
    func refusedTable() {
        var snapshot = snapshot
        snapshot.tableFault = TableFault(isUntranslated: false, problem: "no")
        #expect(snapshot.why.headline == nil && snapshot.summary.hasPrefix("ftth up"))
        snapshot.tableFault = TableFault(isUntranslated: true, problem: "no")
        #expect(
            snapshot.why.headline?.hasPrefix("NO TRANSLATION") == true && snapshot.summary.hasPrefix("NO TRANSLATION"))
        #expect(snapshot.status.tableFault == snapshot.tableFault)
    }

    @Test("a backup: who has the address, and what this box could do; its own choice is no switch")
    mutating func backup() throws {
        var site = RoleWorld(found: 4)
        site.hear("sub", .master, health: 3)
        site.pass(.seconds(5), hearing: [("sub", .master, 3)])
        handle(.isBackup(true))
        var snapshot = snapshot
        snapshot.site = site.role
        snapshot.now = site.now
        snapshot.siteLines = ["a line"]
        #expect(site.role.role == .backup)
        #expect(
            snapshot.why.headline
                == "This box is backup: sub has 192.168.0.254; this box is ready with ftth", "\(snapshot.why)")
        #expect(snapshot.why.site == ["a line"] && snapshot.why.lastSwitch == nil)
        let status = snapshot.status
        #expect(status.role == .backup && status.virtualAddress?.holder == "sub" && status.peers.count == 2)
    }

    @Test("another policy: who has to be attached anew, and numbers that stay")
    func reload() throws {
        let before = inForce.numbers
        func next(_ change: (String) -> String) throws -> PolicyInForce {
            PolicyInForce(
                try Self.load(change(Self.policy), in: directory), remembered: before, after: inForce.policy)
        }
        let same = try next { $0 }
        #expect(inForce.left(for: same).uplinks.isEmpty && !inForce.left(for: same).isMarkedAnew)
        let moved = try next { $0.replacing("interface: wlan0", with: "interface: eth7") }
        #expect(inForce.left(for: moved).uplinks == [before["jcom"]] && moved.numbers == before)
        let renamed = try next { $0.replacing("jcom", with: "cable") }
        #expect(inForce.left(for: renamed).uplinks.isEmpty, "it is the same line")
        #expect(renamed.numbers["cable"] == before["jcom"] && renamed.numbers["jcom"] == nil)
        let other = try next {
            $0.replacing("jcom", with: "cable").replacing("interface: wlan0", with: "interface: eth7")
        }
        #expect(inForce.left(for: other).uplinks == [before["jcom"]])
        // A number that once was another line's is not given away: its marks are still on flows.
        #expect(other.numbers["cable"] == UplinkNumber(rawValue: 4) && other.numbers["jcom"] == before["jcom"])
        // Names that change places keep their numbers, so each of them has another interface.
        let swapped = try next {
            $0.replacing("wlan0", with: "eth7").replacing("ppp0", with: "wlan0").replacing("eth7", with: "ppp0")
        }
        #expect(swapped.numbers == before)
        #expect(Set(inForce.left(for: swapped).uplinks) == Set(["ftth", "jcom"].compactMap { before[$0] }))
        let marked = try next { $0 + "\nmarks: {mask: 0xff000000}\n" }
        #expect(inForce.left(for: marked).isMarkedAnew && inForce.left(for: marked).uplinks.isEmpty)
    }

    @Test("what was said of a line that is gone is not said of the one that has its number now")
    func numbersOfOld() throws {
        var state = StoredState()
        for raw in UplinkNumber.range { state.numbers[raw == 1 ? "ftth" : "old\(raw)"] = UplinkNumber(rawValue: raw) }
        state.disabled = ["ftth", "old2", "old3"]
        try Files.replace("\(directory.path)/state.json", with: Array(state.json.text.utf8))
        let recorder = Recorder.alone(try EventLoop(), directory)
        let next = PolicyInForce(inForce.loaded, remembered: recorder.state.numbers)
        #expect(next.numbers["jcom"] == UplinkNumber(rawValue: 2) && next.numbers["old2"] == nil)
        let memory = recorder.memory(next.numbers, now: now, unixSeconds: 1_000_000)
        #expect(memory.disabled == [UplinkNumber(rawValue: 1)])
    }
}
