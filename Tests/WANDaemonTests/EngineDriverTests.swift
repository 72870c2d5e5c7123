import LinuxIO
import NetworkTypes
import Testing
import WANDaemon
import WANEngine
import WANModel

/// The laws of order that live in one place, with a real engine and sockets that are lists.
@Suite("the engine and its driver")
struct EngineDriverTests {
    private let uplink = UplinkNumber(rawValue: 1)
    private let world = World()
    private let driver: EngineDriver
    private let loop: EventLoop

    /// A class, since the driver's closures change it.
    private final class World {
        var now = Moment(nanoseconds: 1_000_000_000_000)
        /// Sent, and neither read from a socket nor lost.
        var asked: [ProbeIdentity] = []
        var waiting: [AnswerReport] = []
        var steps: [String] = []
        var events: [EngineEvent] = []
        var reads = 0
    }

    init() throws {
        var policy = Policy()
        policy.uplinks = [Uplink(name: "ftth", interface: "ppp0"), Uplink(name: "jcom", interface: "wlan0")]
        // One lost probe is a doubt, and without confirmation soon a fall.
        for index in policy.uplinks.indices {
            policy.uplinks[index].probe.confirm = .off
            policy.uplinks[index].probe.interval = .milliseconds(100)
        }
        policy.failover.order = [Failover.Step("ftth"), Failover.Step("jcom")]
        let numbers = ["ftth": uplink, "jcom": UplinkNumber(rawValue: 2)]
        loop = try EventLoop()
        driver = EngineDriver(
            Engine(setup: EngineSetup(policy: policy, numbers: numbers), at: world.now), loop: loop
        ) { [world] in world.now }
        driver.readAnswers = { [world, weak driver] in
            world.reads += 1
            let answers = world.waiting
            world.waiting = []
            if !answers.isEmpty { driver?.hear(answers) }
        }
        driver.move = { [world] outputs, _ in
            world.steps += outputs.map { $0.movesPackets ? "move" : "told while packets move" }
            for case .probe(let probe) in outputs { world.asked.append(probe) }
        }
        driver.tell = { [world] outputs in
            world.steps += outputs.map { $0.movesPackets ? "moved while it is told" : "tell" }
            for case .event(let event) in outputs { world.events.append(event) }
        }
        driver.feed(
            .attached(
                numbers.values.map {
                    AttachmentReport(
                        $0,
                        Attachment(interfaceIndex: .init(rawValue: Int32($0.rawValue)), interface: "x", addresses: []),
                        reason: "up")
                }))
        for _ in 0..<1000 where states != [.up, .up] { turn() }
        try #require(states == [.up, .up])
    }

    /// Time goes to the next deadline; every probe before it was answered in ten milliseconds.
    private func turn() {
        answer()
        pass()
    }

    private func pass() {
        world.now = max(driver.engine.nextDeadline ?? world.now, world.now + .milliseconds(1))
        driver.feed(.deadlineReached)
    }

    /// Until probes are under way over each line.
    private func ask() throws {
        for _ in 0..<100 where Set(world.asked.map(\.uplink)).count < 2 { pass() }
        try #require(Set(world.asked.map(\.uplink)).count == 2)
    }

    private func answer() {
        world.waiting += world.asked.map { AnswerReport($0, rtt: .milliseconds(10)) }
        world.asked = []
    }

    private var states: [UplinkState] { driver.engine.views(at: world.now).map(\.state) }

    @Test("a daemon that did not run for a while calls no answer lost that waits in a socket (law 6)", arguments: 0..<4)
    func stall(kind: Int) throws {
        for round in 0..<40 {
            for _ in 0..<(3 + round % 7) { turn() }
            try ask()
            answer()
            world.now = world.now + .milliseconds(300 + Int64(round) * 20)
            let seen = world.events.count
            switch kind {
            // What wakes the loop first: a timer, the kernel, the operator, or one socket of many.
            case 0: driver.feed(.deadlineReached)
            case 1: driver.feed(.counters(uplink, InterfaceCounters()))
            case 2: driver.feed(.operatorCommand(.probe(uplink)))
            default: driver.hear([world.waiting.remove(at: round % max(1, world.waiting.count))])
            }
            #expect(states == [.up, .up], "round \(round)")
            #expect(world.events[seen...].isEmpty, "round \(round): \(world.events[seen...])")
        }
        #expect(world.waiting.isEmpty && world.reads > 40)
    }

    @Test("where nothing can be lost yet, sockets that did not wake us are not read")
    func noNeedlessReads() throws {
        try ask()
        answer()
        let reads = world.reads
        let first = world.waiting.removeFirst()
        driver.hear([first])
        driver.feed(.counters(uplink, InterfaceCounters()))
        #expect(world.reads == reads)
    }

    @Test("what moves packets comes before what is told, in every turn; a silent line is one of them (law 5)")
    func packetsFirst() {
        world.steps = []
        for _ in 0..<5 { turn() }
        world.asked = []  // Nothing is answered any more.
        for _ in 0..<200 where states.first != .down {
            pass()
            world.asked = world.asked.filter { $0.uplink != uplink }
            answer()
        }
        #expect(states.first == .down)
        #expect(Set(world.steps) == ["move", "tell"])
    }

    @Test("what arises while outputs are done waits for its turn; time asks for no more than one timer")
    func turns() {
        var depth = 0
        let moved = driver.move
        driver.move = { [driver, world] outputs, since in
            depth += 1
            #expect(depth == 1)
            if outputs.contains(where: { if case .sampleCounters = $0 { true } else { false } }) {
                driver.feed(.counters(UplinkNumber(rawValue: 1), InterfaceCounters()))
            }
            for case .probe(let probe) in outputs where world.reads.isMultiple(of: 3) {
                driver.feed(.notSent(probe, "network unreachable"))
            }
            moved(outputs, since)
            depth -= 1
        }
        for _ in 0..<50 { turn() }
        #expect(depth == 0)
    }

    @Test("an input that somebody else refuses leaves the engine as it was")
    func refused() {
        struct Refusal: Error {}
        let before = driver.engine
        #expect(throws: Refusal.self) {
            try driver.attempt(.operatorCommand(.disable(uplink))) { () throws(Refusal) in throw Refusal() }
        }
        #expect(driver.engine == before)
        let outputs = driver.attempt(.operatorCommand(.disable(uplink))) { () throws(Never) in }
        #expect(driver.engine != before)
        driver.obey(outputs)
        #expect(states == [.disabled, .up])
    }

    @Test("when its cause was known travels with an input through the queue")
    func since() {
        var sinces: [Moment] = []
        driver.move = { sinces.append($1) }
        let known = Moment(nanoseconds: world.now.nanoseconds - 5_000_000)
        driver.hold { driver.feed(.attached([AttachmentReport(uplink, nil, reason: "gone")]), since: known) }
        #expect(sinces.isEmpty && states == [.up, .up])
        driver.feed(.deadlineReached)
        #expect(sinces.first == known && states == [.absent, .up])
    }
}
