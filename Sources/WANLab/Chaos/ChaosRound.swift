internal import LinuxIO
internal import WANControl
internal import WANModel

/// One round: its story happens, everything is healed, and the system has to come back whole.
final class ChaosRound {
    /// What came of it.
    struct Outcome {
        /// From the last healing to when all was well, in milliseconds; `nil` where that never was.
        var healing: Double?
        /// The longest time for which a client got nothing answered, in milliseconds.
        var missed = 0.0
        /// What is wrong.
        var faults: [String]
        /// What happened when, with what the daemons logged.
        var told: [String]
    }

    private let story: ChaosStory
    private let world: ChaosWorld
    private let before: [ChaosBox: Census]
    private let began = Clock.boottime()
    private var told: [String] = []
    private var logs: [(box: ChaosBox, tail: LogTail)] = []

    /// What takes longest: a metered line that is down and not needed is asked each minute. A line that failed again and again has to
    /// be good for sixteen seconds, and its flows may drain for one; SORACOM is asked again after ten; a box whose daemon crashed
    /// five times is relied on when one has lived for thirty.
    private static let patience = Duration.seconds(75)
    private static let quiet = Duration.seconds(3)

    init(_ story: ChaosStory, in world: ChaosWorld, before: [ChaosBox: Census]) {
        self.story = story
        self.world = world
        self.before = before
        logs = world.boxes.map { ($0.name, LogTail(of: $0.daemon.logPath)) }
    }

    func play() throws(LabError) -> Outcome {
        let clients = try world.clients()
        do throws(LabError) {
            for step in story.steps {
                try world.stage.linger(.milliseconds(step.pause))
                switch step.deed {
                case .act(let act): try tell("\(act)") { () throws(LabError) in try world.perform(act) }
                case .heal(let wound): try heal(wound)
                }
            }
            for wound in story.healing { try heal(wound) }
            return try awaitWhole(clients)
        } catch {
            try world.stage.check()  // who interrupts needs no explanation
            return Outcome(faults: [error.description], told: finish())
        }
    }

    private func heal(_ wound: ChaosWound) throws(LabError) {
        try tell("\(wound)") { () throws(LabError) in try world.heal(wound) }
    }

    // MARK: whole again

    private func awaitWhole(_ clients: ClientPair) throws(LabError) -> Outcome {
        let healed = Clock.boottime()
        let deadline = healed + Self.patience.nanoseconds
        tell("everything is healed")
        var last: [String] = []
        while true {
            let faults = try faults(clients)
            if faults != last { tell(faults.isEmpty ? "all is well" : "not yet: \(faults.joined(separator: "; "))") }
            last = faults
            if faults.isEmpty { break }
            if Clock.boottime() > deadline {
                return Outcome(faults: ["after \(Self.patience):"] + faults, told: finish())
            }
            try world.stage.linger(.milliseconds(100))
        }
        let whole = Clock.boottime()
        try world.stage.linger(Self.quiet)
        var late = try lost(clients, since: whole)
        late += try self.faults(clients)
        if !late.isEmpty { late.insert("in the \(Self.quiet) after all was well:", at: 0) }
        let missed = try max(
            clients.fresh.snapshot().longestOutageMilliseconds, clients.established.snapshot().longestOutageMilliseconds
        )
        return Outcome(healing: Double(whole - healed) / 1e6, missed: missed, faults: late, told: finish())
    }

    /// What is not as it should be: first what is quickly seen.
    private func faults(_ clients: ClientPair) throws(LabError) -> [String] {
        var faults: [String] = []
        for box in world.boxes { faults += box.complaints() }
        let speedClass = world.soracom.speedClass ?? "unknown"
        if speedClass != "s1.minimum" { faults.append("SORACOM has the SIM in \(speedClass)") }
        if let site = world.site {
            let owners = try site.owners()
            if owners != [.main] { faults.append("the address is on \(owners.map(\.rawValue))") }
        }
        for (name, client) in [("new flows", clients.fresh), ("the call", clients.established)] {
            let line = try client.snapshot().timeline.last?.uplink?.rawValue ?? "no line"
            let isAnswered = try client.isAnswered(within: .milliseconds(200))
            if line != "ftth" || !isAnswered {
                faults.append("\(name): last over \(line), \(isAnswered ? "answered" : "not answered")")
            }
        }
        if !faults.isEmpty { return faults }
        for box in world.boxes {
            let said = try world.run(
                [siblingProgram("wanctl"), "--socket", box.daemon.socketPath, "status"], on: box)
            if said.hasPrefix("exit code") { faults.append("wanctl status of \(box.name.rawValue): \(said)") }
            guard let earlier = before[box.name] else { continue }
            faults += try box.census(world.lab.life).differences(from: earlier).map { "\(box.name.rawValue): \($0)" }
        }
        return faults
    }

    /// What was sent since then and never answered.
    private func lost(_ clients: ClientPair, since moment: Int64) throws(LabError) -> [String] {
        var faults: [String] = []
        for (name, client) in [("new flows", clients.fresh), ("the call", clients.established)] {
            let gaps = try client.snapshot(undecided: .milliseconds(500)).outages.filter { $0.end > moment }
            for gap in gaps {
                faults.append("\(name) lost \(gap.lost) datagrams in \(gap.figure) ms, from \(seconds(gap.start)) s on")
            }
        }
        return faults
    }

    // MARK: the story

    private func tell(_ text: String) {
        addLogs()
        add(text)
    }

    /// The moment is that of its beginning.
    private func tell(_ text: String, _ body: () throws(LabError) -> String) throws(LabError) {
        tell(text)
        do throws(LabError) {
            let said = try body()
            if !said.isEmpty { told.append("            \(said)") }
        } catch {
            told.append("            \(error)")
            throw error
        }
    }

    private func add(_ text: String) {
        told.append(Figure.right(seconds(Clock.boottime()), 8) + " s  " + text)
    }

    /// Since the round began.
    private func seconds(_ moment: Int64) -> String { Figure.fixed(Double(moment - began) / 1e9, 2) }

    private func finish() -> [String] {
        tell("the round is over")
        // A machine that is busy looks like lines that are bad, and like a keepalived that is silent.
        told.append("              the machine's load: \((try? Files.text("/proc/loadavg")) ?? "unknown")")
        return told
    }

    private func addLogs() {
        for place in logs.indices {
            for line in logs[place].tail.next() { told.append("              \(logs[place].box.rawValue)  \(line)") }
        }
    }
}

extension ChaosWorld.Box {
    /// What the daemon has to say that is not calm.
    func complaints() -> [String] {
        let status: StatusReport
        do throws(LabError) { status = try daemon.status() } catch { return ["\(name.rawValue): \(error.problem)"] }
        var found: [String] = status.warnings
        let role: BoxRole = name == .router ? .alone : name == .main ? .master : .backup
        if status.role != role { found.append("it is \(status.role.rawValue)") }
        if status.mode != .auto || status.pinned != nil { found.append("it is switched by hand") }
        if !status.isOn(name.best) { found.append("it has selected \(status.selected.joined(separator: ", "))") }
        for uplink in status.uplinks {
            if uplink.state != .up { found.append("\(uplink.name) is \(uplink.state.rawValue)") }
            if uplink.traffic == .draining { found.append("\(uplink.name) drains") }
            if let speed = uplink.speedClass, speed.confirmed != "s1.minimum" {
                let why = speed.problem.map { ": \($0)" } ?? ""
                found.append("the SIM is to be \(speed.wanted), and is \(speed.confirmed ?? "unknown")\(why)")
            }
        }
        return found.map { "\(name.rawValue): \($0)" }
    }
}
