import NetworkTypes
import Testing
import WANEngine
import WANModel

@Suite("rules and shares, as the engine decides them")
struct ClassTests {
    private func ready(_ policy: Policy) -> Simulation {
        var world = Simulation(policy)
        world.run(.seconds(120))
        return world
    }

    private func rule(
        _ name: String, _ order: [Failover.Step], _ otherwise: PolicyRule.Otherwise = .default, drain: Duration? = nil
    ) -> PolicyRule {
        var rule = PolicyRule(name: name, match: PolicyRule.Match(), order: order, otherwise: otherwise)
        rule.drain = drain
        return rule
    }

    private var shared: Failover.Step {
        Failover.Step([.init(uplink: "ftth", weight: 3), .init(uplink: "jcom", weight: 1)])
    }

    private func active(_ world: Simulation, _ place: Int = 0) -> Set<UplinkNumber> {
        Set(world.engine.choices[place].active)
    }

    // MARK: shares

    @Test("all good members of a step share; the heaviest carries what cannot be shared")
    func share() {
        let world = ready(threeUplinks { $0.failover.order = [shared, Failover.Step("soracom")] })
        #expect(world.engine.decision.share == [ftth, jcom])
        #expect(world.engine.decision.ladder == [ftth, jcom, soracom])
        #expect(world.engine.choices[0].step.map(\.weight) == [3, 1])
    }

    @Test("a member that dies leaves alone; it comes back after its hold, and nobody's flows are moved for that")
    func memberDies() {
        var world = ready(threeUplinks { $0.failover.order = [shared, Failover.Step("soracom")] })
        world.lines[jcom]?.isDead = true
        world.run(.seconds(10))
        #expect(world.engine.decision.share == [ftth])
        #expect(Set(world.moved.map(\.uplink)) == [jcom])
        let back = world.now
        world.lines[jcom]?.isDead = false
        world.run(.seconds(30))
        #expect(world.engine.decision.share == [ftth], "held")
        world.run(.seconds(60))
        #expect(world.engine.decision.share == [ftth, jcom])
        #expect(world.moved.allSatisfy { $0.at < back })
        #expect(world.engine.views(at: world.now).allSatisfy { $0.drainsUntil == nil })
    }

    @Test("the head of a share dies: the next one carries what cannot be shared, and keeps it")
    func headDies() {
        var world = ready(threeUplinks { $0.failover.order = [shared, Failover.Step("soracom")] })
        world.lines[ftth]?.isDead = true
        world.run(.seconds(10))
        #expect(world.engine.decision.share == [jcom])
        world.lines[ftth]?.isDead = false
        world.run(.seconds(120))
        #expect(world.engine.decision.share == [jcom, ftth], "the router's own traffic stays where it is")
    }

    @Test("both members die: the next step takes over, and is drained when one of them is back")
    func stepDies() {
        var world = ready(threeUplinks { $0.failover.order = [shared, Failover.Step("soracom")] })
        world.lines[ftth]?.isDead = true
        world.lines[jcom]?.isDead = true
        world.run(.seconds(10))
        #expect(world.engine.decision.share == [soracom])
        world.lines[jcom]?.isDead = false
        world.run(.seconds(90))
        #expect(world.engine.decision.share == [jcom])
        #expect(world.switches(since: .zero).last?.drains == true)
    }

    @Test("a degraded member leaves the share, with its flows, while another is good")
    func degradedMember() {
        var world = ready(
            threeUplinks { policy in
                policy.failover.order = [shared, Failover.Step("soracom")]
                policy.uplinks[1].probe.degraded = Degraded()
                policy.uplinks[1].probe.degraded?.rtt = .milliseconds(100)
            })
        world.lines[jcom]?.rtt = .milliseconds(200)
        world.run(.seconds(60))
        #expect(world.state(jcom) == .degraded)
        #expect(world.engine.decision.share == [ftth])
        #expect(world.engine.view(of: jcom, at: world.now)?.traffic == .draining)
    }

    @Test("a restart keeps the shares that were there")
    func restartOfShare() {
        let policy = threeUplinks { $0.failover.order = [shared, Failover.Step("soracom")] }
        let memory = ready(policy).engine.memory
        var next = Simulation(policy, adopted: ftth, memory: memory, attached: false)
        #expect(next.engine.decision.share == [ftth, jcom])
        next.attach(ftth)
        #expect(next.engine.decision.share == [ftth], "one that is not there takes no part")
    }

    @Test("a reload that takes a member out of the policy takes it out of the share")
    func reloadOfShare() {
        var world = ready(threeUplinks { $0.failover.order = [shared, Failover.Step("soracom")] })
        // The numbers of the others stay.
        world.reload(
            threeUplinks { policy in
                policy.uplinks.removeLast()
                policy.failover.order = [shared]
            })
        #expect(world.engine.decision.share == [ftth, jcom] && world.engine.decision.ladder == [ftth, jcom])
        world.reload(
            threeUplinks { policy in
                policy.uplinks.removeLast(2)
                policy.failover.order = [Failover.Step("ftth")]
            })
        #expect(world.engine.decision.share == [ftth] && world.engine.choices[0].active == [ftth])
        #expect(world.decisions.last?.decision.share == [ftth])
    }

    @Test("a pin takes the whole load, and ends so")
    func pinned() {
        var world = ready(threeUplinks { $0.failover.order = [shared, Failover.Step("soracom")] })
        world.perform(.operatorCommand(.failover(jcom, until: nil, force: false, strict: false)))
        #expect(world.engine.decision.share == [jcom])
        #expect(world.engine.view(of: ftth, at: world.now)?.traffic == .draining)
        world.perform(.operatorCommand(.auto))
        #expect(world.engine.decision.share == [jcom, ftth])
    }

    // MARK: rules

    @Test("rules that say the same are one class, and one that says what failover says is none of its own")
    func classes() {
        let policy = threeUplinks { policy in
            policy.rules = [
                rule("a", [Failover.Step("jcom")], .reject), rule("b", policy.failover.order),
                rule("c", [Failover.Step("jcom")], .reject), rule("d", [Failover.Step("jcom")], .drop),
            ]
        }
        #expect(policy.classes.count == 3)
        #expect(policy.classOfRule == [1, 0, 1, 2])
    }

    @Test("a rule follows its own order; where none of it is usable, it is said so at once")
    func ownOrder() {
        var world = ready(
            threeUplinks { $0.rules = [rule("backup", [Failover.Step("jcom"), Failover.Step("ftth")], .reject)] })
        #expect(active(world) == [ftth] && active(world, 1) == [jcom])
        world.lines[jcom]?.isDead = true
        world.run(.seconds(5))
        #expect(active(world, 1) == [ftth])
        #expect(movements(world, jcom) == [.connectionless, .connectionless, .all, .all])
        world.lines[ftth]?.isDead = true
        world.run(.seconds(5))
        #expect(active(world) == [soracom])
        #expect(world.engine.choices[1] == .nowhere)
        world.lines[jcom]?.isDead = false
        world.run(.seconds(5))
        #expect(active(world, 1) == [jcom], "the only one there is waits for no hold")
    }

    private func movements(_ world: Simulation, _ uplink: UplinkNumber) -> [Movement] {
        world.moved.filter { $0.uplink == uplink }.map(\.movement)
    }

    @Test("a class that leaves an uplink which others still use has only its own flows moved, after its own time")
    func ownDrain() {
        var world = ready(
            threeUplinks { policy in
                policy.rules = [
                    rule("calls", [Failover.Step("ftth"), Failover.Step("jcom")], drain: .seconds(7)),
                    rule("backup", [Failover.Step("jcom")], .reject),
                ]
            })
        world.lines[ftth]?.isDead = true
        world.run(.seconds(5))
        #expect(active(world) == [jcom] && active(world, 1) == [jcom] && active(world, 2) == [jcom])
        world.lines[ftth]?.isDead = false
        #expect(world.run(until: .seconds(90)) { $0.selected == ftth })
        #expect(movements(world, jcom).isEmpty)
        world.run(.seconds(7))
        #expect(movements(world, jcom) == [.classes([1])])
        world.run(.seconds(300))
        #expect(Set(movements(world, jcom)) == [.classes([1]), .classes([0])], "the backup's flows stay")
        #expect(world.engine.view(of: jcom, at: world.now)?.classes == [2])
    }

    @Test("a pin moves no rule's traffic")
    func pinAndRule() {
        var world = ready(threeUplinks { $0.rules = [rule("backup", [Failover.Step("jcom")], .reject)] })
        world.perform(.operatorCommand(.failover(soracom, until: nil, force: false, strict: false)))
        #expect(active(world) == [soracom] && active(world, 1) == [jcom])
    }

    @Test("a metered line that a rule uses is watched like any other, and raised")
    func meteredInUse() {
        var world = ready(threeUplinks { $0.rules = [rule("cameras", [Failover.Step("soracom")], .drop)] })
        #expect(world.engine.view(of: soracom, at: world.now)?.isDormant == false)
        #expect(world.engine.view(of: soracom, at: world.now)?.speedClass?.wanted == "s1.fast")
        world.lines[soracom]?.isDead = true
        world.run(.seconds(3))
        #expect(world.engine.choices[1] == .nowhere)
    }

    @Test("a restart keeps what rules had chosen")
    func restartOfRules() {
        let policy = threeUplinks {
            $0.rules = [rule("backup", [Failover.Step("jcom"), Failover.Step("ftth")], .reject)]
        }
        var world = ready(policy)
        world.lines[jcom]?.isDead = true
        world.run(.seconds(5))
        #expect(active(world, 1) == [ftth])
        var next = Simulation(policy, adopted: ftth, memory: world.engine.memory)
        #expect(active(next, 1) == [ftth], "not for a moment onto the dead line, nor refused")
        next.lines[jcom]?.isDead = true
        next.run(.seconds(30))
        #expect(active(next, 1) == [ftth])
    }

    @Test("a reload that drops a rule lets its flows drain as what follows failover does")
    func reload() {
        let with = threeUplinks { $0.rules = [rule("backup", [Failover.Step("jcom")], .reject)] }
        var world = ready(with)
        world.reload(threeUplinks())
        #expect(world.engine.choices.count == 1)
        #expect(world.engine.view(of: jcom, at: world.now)?.traffic == .draining)
        world.run(.seconds(301))
        #expect(movements(world, jcom).first == .outgoing)
    }

    // MARK: random

    @Test(
        "whatever happens, no dead line keeps a flow and no living one loses its own",
        arguments: 1...20 as ClosedRange<UInt64>)
    func anything(seed: UInt64) {
        let policy = threeUplinks { policy in
            policy.failover.order = [shared, Failover.Step("soracom")]
            policy.rules = [
                rule("backup", [Failover.Step("jcom"), Failover.Step("ftth")], .reject),
                rule("calls", [Failover.Step("soracom"), shared], drain: .seconds(5)),
            ]
        }
        var world = Simulation(policy, seed: seed)
        world.run(.seconds(60))
        var random = SplitMix(state: seed)
        for _ in 0..<40 {
            let number = UplinkNumber(rawValue: UInt8(random.next() % 3) + 1)
            switch random.next() % 6 {
            case 0, 1: world.lines[number]?.isDead = true
            case 2, 3: world.lines[number]?.isDead = false
            case 4: world.detach(number)
            default: world.attach(number)
            }
            world.run(.milliseconds(Int64(random.next() % 8000)))
        }
        // All dead but one, for long: every class that may is there, and the dead have been emptied after they were left.
        for number in [ftth, jcom, soracom] {
            world.lines[number]?.isDead = number != jcom
            world.attach(number)
        }
        world.run(.seconds(400))
        #expect(world.engine.choices.allSatisfy { $0.active == [jcom] }, "seed \(seed)")
        for number in [ftth, soracom] {
            #expect(world.engine.view(of: number, at: world.now)?.drainsUntil == nil, "seed \(seed)")
            #expect(world.engine.view(of: number, at: world.now)?.graceUntil == nil, "seed \(seed)")
        }
        #expect(world.engine.nextDeadline.map { $0 > world.now } ?? true, "seed \(seed)")
    }
}
