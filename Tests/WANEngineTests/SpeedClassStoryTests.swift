import Testing
import WANEngine
import WANModel

/// The classic `sub`, whose role changes, whose daemon dies, and whose SORACOM does anything at all with what it is asked.
private struct Story {
    private enum Fate: CaseIterable {
        case done, refused, tooMany, hangs, answerLost, doneLate, wrongKey
    }
    private struct Answer {
        var at: Moment
        var answer: SpeedClassAnswer
    }

    private let policy = threeUplinks { policy in
        policy.uplinks.removeFirst(2)
        policy.failover.order = [Failover.Step("soracom")]
    }
    private let sim = UplinkNumber(rawValue: 1)
    private var random: SplitMix
    private var answers: [Answer] = []
    /// What SORACOM carries out long after it was given up.
    private var late: [(at: Moment, speedClass: String)] = []
    private var seen = 0
    var world: Simulation
    /// The class by SORACOM's own books.
    var speedClass = "s1.fast"
    var isWell = false
    var isBackup = true
    private var roleSince = Moment.zero
    /// What was asked for in a role that does not want it.
    var wrong: [String] = []

    init(seed: UInt64) {
        random = SplitMix(state: seed)
        world = Simulation(policy, adopted: sim, attached: false, seed: seed, answersSpeedClass: false)
        begin()
    }

    /// A daemon starts: it adopts the routes and the role, as it finds them, and knows nothing of the class.
    private mutating func begin() {
        // What was on the way dies with the courier.
        answers = []
        late = []
        world.perform(.isBackup(isBackup))
        world.attach(sim)
    }

    mutating func killDaemon() {
        serve()
        world.restart(policy, adopted: sim)
        begin()
    }

    mutating func change(to isBackup: Bool) {
        guard isBackup != self.isBackup else { return }
        serve()
        self.isBackup = isBackup
        roleSince = world.now
        world.perform(.isBackup(isBackup))
    }

    mutating func run(_ span: Duration) {
        let end = world.now + span
        while world.now < end {
            serve()
            for request in late where request.at <= world.now { speedClass = request.speedClass }
            late.removeAll { $0.at <= world.now }
            answers.sort { $0.at < $1.at }
            guard let next = answers.first, next.at <= end else {
                // What it asks for meanwhile is answered later than it could be, by a tenth of a second at most.
                world.run(min(end - world.now, .milliseconds(100)))
                continue
            }
            world.run(max(.zero, min(next.at - world.now, .milliseconds(100))))
            guard world.now >= next.at else { continue }
            answers.removeFirst()
            world.perform(.speedClass(sim, next.answer))
        }
        serve()
    }

    private mutating func serve() {
        for asked in world.classesAsked[seen...] {
            judge(asked.speedClass, at: asked.at)
            let fates = Fate.allCases
            let fate = isWell ? .done : fates[Int(random.next() % UInt64(fates.count))]
            var delay = Duration.milliseconds(80)
            let answer: SpeedClassAnswer
            switch fate {
            case .done:
                speedClass = asked.speedClass
                answer = .confirmed(asked.speedClass, via: "api")
            case .refused: answer = .failed("HTTP 503", retryAfter: .seconds(10), permanent: false)
            case .tooMany: answer = .failed("HTTP 429", retryAfter: .seconds(60), permanent: false)
            case .hangs:
                delay = .seconds(22)
                answer = .failed("no answer", retryAfter: nil, permanent: false)
            case .answerLost:
                speedClass = asked.speedClass
                delay = .seconds(22)
                answer = .failed("half an answer", retryAfter: nil, permanent: false)
            case .doneLate:
                delay = .seconds(22)
                late.append((world.now + .seconds(60), asked.speedClass))
                answer = .failed("no answer", retryAfter: nil, permanent: false)
            case .wrongKey: answer = .failed("HTTP 401", retryAfter: nil, permanent: true)
            }
            // One that was superseded is not heard any more, whatever becomes of it.
            answers = []
            answers.append(Answer(at: max(world.now, asked.at + delay), answer: answer))
        }
        seen = world.classesAsked.count
    }

    private mutating func judge(_ asked: String, at moment: Moment) {
        let isRecent = moment - roleSince <= .seconds(2)
        if asked == "s1.fast", isBackup, !isRecent { wrong.append("raised as backup at \(moment)") }
        if asked == "s1.minimum", !isBackup { wrong.append("lowered as master at \(moment)") }
    }

    mutating func happen() {
        switch random.next() % 6 {
        case 0: killDaemon()
        case 1: world.lines[sim]?.isDead.toggle()
        default: change(to: random.next() % 2 == 0)
        }
        run(.milliseconds(Int64(random.next() % 30_000)))
    }
}

@Suite("the class of a SIM in a site")
struct SpeedClassStoryTests {
    @Test(
        "whatever dies and whatever SORACOM does: the class ends as the role wants it, and is asked for in no other role",
        arguments: [1, 2, 3, 4, 5, 6] as [UInt64])
    func story(seed: UInt64) {
        for isBackup in [true, false] {
            var story = Story(seed: seed &* 2 &+ (isBackup ? 1 : 0))
            for _ in 0..<25 { story.happen() }
            story.change(to: isBackup)
            story.isWell = true
            // What was refused for good is tried again after ten minutes at the latest.
            story.run(.seconds(630))
            #expect(story.speedClass == (isBackup ? "s1.minimum" : "s1.fast"), "seed \(seed)")
            #expect(story.wrong == [], "seed \(seed)")
        }
    }

    @Test(
        "the way back while the raise still hangs: it is given up after two seconds, and asked after later, to be sure")
    func hangs() {
        for isAnswered in [true, false] {
            var world = backup()
            let sim = UplinkNumber(rawValue: 1)
            world.run(.seconds(1))
            world.perform(.speedClass(sim, .confirmed("s1.minimum", via: "api")))
            world.perform(.isBackup(false))
            world.run(.seconds(5))
            let asked = { (world: Simulation) in world.classesAsked.map(\.speedClass) }
            #expect(asked(world) == ["s1.minimum", "s1.fast"])
            world.perform(.isBackup(true))
            if isAnswered { world.perform(.speedClass(sim, .confirmed("s1.fast", via: "api"))) }
            world.run(.milliseconds(2100))
            #expect(asked(world) == ["s1.minimum", "s1.fast", "s1.minimum"])
            world.perform(.speedClass(sim, .confirmed("s1.minimum", via: "api")))
            world.run(.seconds(100))
            #expect(asked(world).count == 4 && asked(world).last == "s1.minimum")
        }
    }

    @Test("a raise waits two seconds for a lowering that hangs, and not at all for one that is done")
    func raiseFirst() {
        var world = backup()
        world.run(.seconds(1))
        world.perform(.isBackup(false))
        world.run(.milliseconds(900))
        #expect(world.classesAsked.map(\.speedClass) == ["s1.minimum"])
        world.run(.milliseconds(300))
        #expect(world.classesAsked.map(\.speedClass) == ["s1.minimum", "s1.fast"])
    }

    /// `sub` as it starts; SORACOM answers what the test says.
    private func backup() -> Simulation {
        let policy = threeUplinks { policy in
            policy.uplinks.removeFirst(2)
            policy.failover.order = [Failover.Step("soracom")]
        }
        var world = Simulation(policy, attached: false, answersSpeedClass: false)
        world.perform(.isBackup(true))
        world.attach(UplinkNumber(rawValue: 1))
        return world
    }
}
