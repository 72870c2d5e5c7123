import NetworkTypes
import WANEngine
import WANModel

/// An engine, and lines that answer it or not. Every input is followed by a look at what must hold (`EngineLaws`).
struct EngineWorld {
    private(set) var engine: Engine
    private(set) var setup: EngineSetup
    private(set) var now = Moment.zero + .seconds(1000)
    private var laws: EngineLaws
    private var lines: [UplinkNumber: Line] = [:]
    private var answersSpeedClass = true
    private var waiting: [(at: Moment, input: EngineInput)] = []
    private var begun: Engine
    private var turns: [(at: Moment, input: EngineInput, outputs: [EngineOutput])] = []

    private struct Line {
        /// Of eight probes in turn, those with their bit set are answered.
        var answered: UInt8 = 0xff
        var silentTarget: IPAddress?
        var rtt = Duration.milliseconds(10)
        var counters = InterfaceCounters()
    }

    init(_ decisions: inout Decisions) {
        setup = SomePolicy.setup(&decisions)
        let adopted = decisions.flag() ? decisions.one(of: setup.uplinks.map(\.number)) : nil
        begun = Engine(setup: setup, adopted: adopted, at: now)
        engine = begun
        laws = EngineLaws(engine, setup, at: now)
        for number in SomePolicy.numbers.values { lines[number] = Line() }
    }

    /// As many inputs as a run may have: it must end.
    private static let most = 800
    var isOver: Bool { turns.count >= Self.most }

    mutating func perform(_ input: EngineInput) {
        let outputs = engine.handle(input, at: now)
        turns.append((now, input, outputs))
        if case .reload(let setup) = input { self.setup = setup }
        laws.check(engine, setup, input, outputs, at: now)
        for output in outputs { obey(output) }
    }

    private mutating func obey(_ output: EngineOutput) {
        guard waiting.count < 200 else { return }
        switch output {
        case .probe(let probe):
            guard var line = lines[probe.uplink] else { return }
            line.counters.txBytes &+= 44
            lines[probe.uplink] = line
            guard line.answered >> (probe.sequence % 8) & 1 == 1, line.silentTarget != probe.target else { return }
            schedule(.answered([AnswerReport(probe, rtt: line.rtt)]), after: line.rtt)
        case .sampleCounters(let uplink):
            guard let line = lines[uplink] else { return }
            schedule(.counters(uplink, line.counters), after: .microseconds(20))
        case .setSpeedClass(let uplink, let speedClass):
            guard answersSpeedClass else { return }
            schedule(.speedClass(uplink, .confirmed(speedClass, via: "metadata")), after: .milliseconds(80))
        case .route, .moveFlows, .event, .remember: break
        }
    }

    private mutating func schedule(_ input: EngineInput, after span: Duration) {
        let at = now + span
        waiting.insert((at, input), at: waiting.firstIndex { $0.at > at } ?? waiting.endIndex)
    }

    /// Lets so many things happen by themselves.
    mutating func run(_ count: Int) {
        for _ in 0..<count where !isOver {
            let arrival = waiting.first?.at
            let deadline = engine.nextDeadline
            guard let next = [arrival, deadline].compactMap(\.self).min() else { return }
            now = max(now, next)
            if let arrival, deadline.map({ arrival <= $0 }) ?? true {
                perform(waiting.removeFirst().input)
            } else {
                perform(.deadlineReached)
            }
        }
    }

    /// The daemon was held up, or slept.
    mutating func sleep(_ span: Duration) {
        now = now + span
        perform(.deadlineReached)
    }

    /// The daemon was killed, and the next one knows what the state file says and where the routes lead.
    mutating func restart() {
        let memory = engine.memory
        checkReplay()
        turns = []
        waiting = []
        let adopted = engine.decision.selected
        begun = Engine(setup: setup, adopted: adopted, memory: memory, at: now)
        engine = begun
        let again = engine.memory
        precondition(again.pin == memory.pin, "a restart forgets the pin")
        precondition(
            again.disabled == memory.disabled && again.drained == memory.drained,
            "a restart forgets the operator's word")
        precondition(again.speedOverrides == memory.speedOverrides, "a restart forgets a speed class")
        laws = EngineLaws(engine, setup, at: now)
    }

    mutating func changeLine(_ number: UplinkNumber, _ decisions: inout Decisions) {
        switch decisions.below(5) {
        case 0: lines[number]?.answered = decisions.flag() ? 0xff : 0
        case 1: lines[number]?.answered = UInt8(decisions.below(256))
        case 2: lines[number]?.rtt = decisions.span(in: .zero ... .seconds(70))
        case 3: lines[number]?.silentTarget = decisions.flag() ? nil : decisions.one(of: ProbeSettings.defaultTargets)
        default:
            let packets = UInt64(decisions.below(256)) << UInt64(decisions.below(57))
            lines[number]?.counters.rxPackets &+= packets
            lines[number]?.counters.txBytes &+= packets
        }
    }

    mutating func toggleSpeedClass() { answersSpeedClass.toggle() }

    /// A fault in the field is a file of inputs: the same ones lead to the same outputs.
    func checkReplay() {
        var again = begun
        for turn in turns {
            precondition(again.handle(turn.input, at: turn.at) == turn.outputs, "the same inputs, other outputs")
        }
        precondition(again == engine, "the same inputs, another engine")
    }
}
