import Testing
import WANEngine
import WANModel

/// All that one engine was told, and what it said: each simulation makes one, and when the simulation ends a fresh engine is
/// told the same and must say the same. A fault in the field is a file of inputs only as long as this holds.
final class Recording {
    private let setup: EngineSetup
    private let adopted: UplinkNumber?
    private let memory: EngineMemory
    private let startedAt: Moment
    var turns: [(at: Moment, input: EngineInput, outputs: [EngineOutput])] = []

    init(setup: EngineSetup, adopted: UplinkNumber? = nil, memory: EngineMemory = EngineMemory(), at now: Moment) {
        self.setup = setup
        self.adopted = adopted
        self.memory = memory
        startedAt = now
    }

    /// Another simulation goes its own way from here on.
    init(_ other: Recording) {
        setup = other.setup
        adopted = other.adopted
        memory = other.memory
        startedAt = other.startedAt
        turns = other.turns
    }

    func begin() -> Engine { Engine(setup: setup, adopted: adopted, memory: memory, at: startedAt) }

    func note(_ input: EngineInput, _ outputs: [EngineOutput], at now: Moment) { turns.append((now, input, outputs)) }

    /// Where a fresh engine says something else.
    func difference() -> Comment? {
        var engine = begin()
        for (number, turn) in turns.enumerated() {
            let outputs = engine.handle(turn.input, at: turn.at)
            if outputs != turn.outputs {
                return "turn \(number), \(turn.input): \(turn.outputs) the first time, \(outputs) when repeated"
            }
        }
        return nil
    }

    deinit {
        if let difference = difference() { Issue.record(difference) }
    }
}

@Suite("recordings of the engine")
struct RecordingTests {
    @Test("one that does not repeat is noticed")
    func noticed() {
        let setup = EngineSetup(policy: threeUplinks(), numbers: Simulation.numbers(threeUplinks()))
        let recording = Recording(setup: setup, at: .zero + .seconds(1))
        recording.note(.deadlineReached, [.remember], at: .zero + .seconds(2))
        #expect(recording.difference() != nil)
        recording.turns = []
        #expect(recording.difference() == nil)
    }

    @Test("a role before the first look chooses nothing, and what an earlier run had chosen stays")
    func roleBeforeLook() {
        let policy = threeUplinks { policy in
            policy.rules = [
                PolicyRule(
                    name: "backup", match: PolicyRule.Match(), order: [Failover.Step("jcom"), Failover.Step("ftth")],
                    otherwise: .reject)
            ]
        }
        var world = Simulation(policy)
        world.run(.seconds(120))
        world.restart(policy, adopted: ftth)
        let before = world.decisions.count
        world.perform(.isBackup(true))
        world.reload(policy)
        #expect(world.engine.choices.map(\.active) == [[ftth], [jcom]])
        #expect(world.decisions.count == before && world.engine.nextDeadline == nil)
        world.attach(ftth)
        #expect(world.decisions.count > before && world.engine.isBackup)
    }
    @Test("a drain of an earlier run that is over before the first look moves nothing before it")
    func settledBeforeLook() {
        let policy = threeUplinks()
        var world = Simulation(policy)
        world.run(.seconds(120))
        world.perform(.operatorCommand(.failover(jcom, until: nil, force: false, strict: false)))
        world.restart(policy, adopted: jcom)
        #expect(world.engine.draining[ftth] == [0])
        let before = world.moved.count
        world.perform(.drainSettled(ftth, reason: "all is quiet"))
        #expect(world.moved.count == before && world.engine.draining[ftth] == [0])
        world.attach(jcom)
        world.attach(ftth)
        world.perform(.drainSettled(ftth, reason: "all is quiet"))
        #expect(world.moved.last?.movement == .outgoing && world.engine.draining.isEmpty)
    }
}
