import NetworkTypes
import Testing
import WANEngine
import WANModel

/// A world for the engine: lines with a round-trip time and faults, a clock that is a number, and a record of what it did.
struct Simulation {
    struct Line {
        var rtt: Duration = .milliseconds(10)
        var loss = 0.0
        var isDead = false
        /// What is sent before waits until then, as for the neighbor's address (arp(7)).
        var waitsUntil = Moment.zero
        var silentTargets: Set<IPAddress> = []
        var lossOfTarget: [IPAddress: Double] = [:]
        var counters = InterfaceCounters()
        /// Packets that come in by themselves, a second (traffic of the family).
        var background = 0.0
        var probesSent = 0
    }
    private struct Pending {
        var at: Moment
        var order: Int
        var input: EngineInput
    }

    private(set) var engine: Engine
    private var recording: Recording
    var lines: [UplinkNumber: Line]
    var now = Moment.zero + .seconds(1000)
    private(set) var decisions: [(at: Moment, decision: Decision)] = []
    private(set) var moved: [(at: Moment, uplink: UplinkNumber, movement: Movement, sweep: Int)] = []
    private(set) var events: [(at: Moment, event: EngineEvent)] = []
    private(set) var classesAsked: [(at: Moment, uplink: UplinkNumber, speedClass: String)] = []
    private(set) var remembered = 0
    private var pending: [Pending] = []
    private var random: SplitMix
    private var order = 0

    /// `answersSpeedClass`: SORACOM confirms after a moment; otherwise the test answers itself.
    var answersSpeedClass: Bool

    init(
        _ policy: Policy, adopted: UplinkNumber? = nil, memory: EngineMemory = EngineMemory(), attached: Bool = true,
        seed: UInt64 = 1, answersSpeedClass: Bool = true
    ) {
        self.answersSpeedClass = answersSpeedClass
        let numbers = Simulation.numbers(policy)
        recording = Recording(
            setup: EngineSetup(policy: policy, numbers: numbers), adopted: adopted, memory: memory, at: now)
        engine = recording.begin()
        lines = Dictionary(uniqueKeysWithValues: numbers.values.map { ($0, Line()) })
        random = SplitMix(state: seed)
        guard attached else { return }
        perform(
            .attached(
                policy.uplinks.compactMap { uplink in
                    numbers[uplink.name].map {
                        report($0, interface: uplink.interface, index: Int32($0.rawValue), address: 10)
                    }
                }))
    }

    static func numbers(_ policy: Policy) -> [String: UplinkNumber] {
        Dictionary(
            uniqueKeysWithValues: policy.uplinks.enumerated().map { ($1.name, UplinkNumber(rawValue: UInt8($0 + 1))) })
    }

    mutating func attach(_ number: UplinkNumber, interface: String = "ppp0", index: Int32? = nil, address: UInt8 = 10) {
        perform(
            .attached([
                report(number, interface: interface, index: index ?? Int32(number.rawValue), address: address)
            ]))
    }

    private func report(
        _ number: UplinkNumber, interface: String, index: Int32, address: UInt8
    ) -> AttachmentReport {
        AttachmentReport(
            number,
            Attachment(
                interfaceIndex: InterfaceIndex(rawValue: index), interface: interface,
                addresses: [.v4(IPv4Address(198, 51, 100, address))]), reason: "\(interface) is up")
    }

    /// Another policy takes over.
    mutating func reload(_ policy: Policy) {
        perform(.reload(EngineSetup(policy: policy, numbers: Simulation.numbers(policy))))
    }

    /// The daemon is killed and another one starts, with what the state file says; it has not looked at the uplinks yet.
    mutating func restart(_ policy: Policy, adopted: UplinkNumber?) {
        recording = Recording(
            setup: EngineSetup(policy: policy, numbers: Simulation.numbers(policy)), adopted: adopted,
            memory: engine.memory, at: now)
        engine = recording.begin()
    }

    mutating func detach(_ number: UplinkNumber, reason: String = "carrier lost") {
        perform(.attached([AttachmentReport(number, nil, reason: reason)]))
    }

    /// Hands one input in and does what the engine says.
    mutating func perform(_ input: EngineInput) {
        let outputs = engine.handle(input, at: now)
        // What is due a millisecond later may be something that is due now, and was not done.
        if engine.nextDeadline == now + .milliseconds(1), let deadline = engine.deadline(after: now), deadline <= now {
            Issue.record("it would spin after \(input)")
        }
        if !isKnownUniquelyReferenced(&recording) { recording = Recording(recording) }
        recording.note(input, outputs, at: now)
        for output in outputs { obey(output) }
    }

    private mutating func obey(_ output: EngineOutput) {
        switch output {
        case .probe(let probe): send(probe)
        case .route(let decision): decisions.append((now, decision))
        case .moveFlows(let uplink, let movement, let sweep): moved.append((now, uplink, movement, sweep))
        case .sampleCounters(let uplink):
            guard var line = lines[uplink] else { return }
            let background = UInt64(line.background * Double((now - .zero).nanoseconds) / 1e9)
            if !line.isDead { line.counters.rxPackets = background }
            line.counters.txBytes += 0
            lines[uplink] = line
            schedule(.counters(uplink, line.counters), after: .microseconds(20))
        case .setSpeedClass(let uplink, let speedClass):
            classesAsked.append((now, uplink, speedClass))
            if answersSpeedClass {
                schedule(.speedClass(uplink, .confirmed(speedClass, via: "metadata")), after: .milliseconds(80))
            }
        case .event(let event): events.append((now, event))
        case .remember: remembered += 1
        }
    }

    private mutating func send(_ probe: ProbeIdentity) {
        guard var line = lines[probe.uplink] else { return }
        line.probesSent += 1
        line.counters.txBytes += 44
        line.counters.txPackets += 1
        lines[probe.uplink] = line
        let loss = line.lossOfTarget[probe.target] ?? line.loss
        if line.isDead || line.silentTargets.contains(probe.target) || random.unit() < loss { return }
        let rtt = max(line.waitsUntil - now, .zero) + line.rtt + .microseconds(Int64(random.unit() * 1000))
        // A line that dies while the answer is on its way loses it too: decided on arrival.
        schedule(.answered([AnswerReport(probe, rtt: rtt)]), after: rtt)
    }

    mutating func schedule(_ input: EngineInput, after delay: Duration) {
        order += 1
        let item = Pending(at: now + delay, order: order, input: input)
        let place = pending.firstIndex { $0.at > item.at } ?? pending.endIndex
        pending.insert(item, at: place)
    }

    /// Lets the world go on for a while.
    mutating func run(_ span: Duration) {
        let end = now + span
        while true {
            let arrival = pending.first?.at ?? .distantFuture
            let deadline = engine.nextDeadline ?? .distantFuture
            let next = min(arrival, max(deadline, now))
            guard next <= end else { break }
            now = next
            if arrival <= deadline {
                let item = pending.removeFirst()
                if case .answered(let reports) = item.input,
                    reports.contains(where: { lines[$0.probe.uplink]?.isDead == true })
                {
                    continue
                }
                perform(item.input)
            } else {
                perform(.deadlineReached)
            }
        }
        now = end
    }

    /// Lets the world go on until the condition holds; false if it never does within the limit.
    mutating func run(until limit: Duration, _ condition: (Simulation) -> Bool) -> Bool {
        let end = now + limit
        while now < end {
            if condition(self) { return true }
            run(.milliseconds(1))
        }
        return condition(self)
    }

    var selected: UplinkNumber? { engine.decision.selected }

    func state(_ number: UplinkNumber) -> UplinkState? { engine.view(of: number, at: now)?.state }

    /// Changes of the selected uplink since a moment.
    func switches(since moment: Moment) -> [Decision] {
        events.compactMap { entry in
            guard entry.at >= moment, case .selected(let decision) = entry.event else { return nil }
            return decision
        }
    }
}

/// A small seeded generator (SplitMix64): the same seed gives the same world.
struct SplitMix {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
    mutating func unit() -> Double { Double(next() >> 11) / Double(1 << 53) }
}

let ftth = UplinkNumber(rawValue: 1)
let jcom = UplinkNumber(rawValue: 2)
let soracom = UplinkNumber(rawValue: 3)

/// The policy of Policies/one-box.yaml.
func threeUplinks(_ change: (inout Policy) -> Void = { _ in }) -> Policy {
    var policy = Policy()
    var lte = Uplink(name: "soracom", interface: "ppp1")
    lte.metered = true
    lte.keepalive = Keepalive(idle: .seconds(25 * 60), target: Keepalive.pong)
    lte.soracom = SoracomSettings()
    policy.uplinks = [Uplink(name: "ftth", interface: "ppp0"), Uplink(name: "jcom", interface: "wlan0"), lte]
    policy.failover.order = [Failover.Step("ftth"), Failover.Step("jcom"), Failover.Step("soracom")]
    change(&policy)
    return policy
}
