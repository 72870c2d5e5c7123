import NetworkTypes
import Testing
import WANEngine
import WANModel

@Suite("flows where two things happen to a line at once")
struct FlowCornerTests {
    private func ready(_ policy: Policy) -> Simulation {
        var world = Simulation(policy)
        world.run(.seconds(120))
        return world
    }

    private func rule(
        _ name: String, _ order: [Failover.Step], _ otherwise: PolicyRule.Otherwise = .default
    ) -> PolicyRule {
        PolicyRule(name: name, match: PolicyRule.Match(), order: order, otherwise: otherwise)
    }

    private func movements(_ world: Simulation, _ uplink: UplinkNumber) -> [Movement] {
        world.moved.filter { $0.uplink == uplink }.map(\.movement)
    }

    private func drainsUntil(_ world: Simulation, _ uplink: UplinkNumber) -> Moment? {
        world.engine.view(of: uplink, at: world.now)?.drainsUntil
    }

    /// The rule's flows drain from ftth, where failover's are at home.
    private func drainingBesideOthers() -> Simulation {
        var world = ready(
            threeUplinks { $0.rules = [rule("backup", [Failover.Step("jcom"), Failover.Step("ftth")], .reject)] })
        world.lines[jcom]?.isDead = true
        world.run(.seconds(5))
        world.lines[jcom]?.isDead = false
        #expect(world.run(until: .seconds(90)) { $0.engine.choices[1].active == [jcom] })
        #expect(world.engine.view(of: ftth, at: world.now)?.drainingClasses == [1])
        return world
    }

    @Test("a reload drops a rule while its flows drain from a line that failover uses: they are at home there now")
    func reloadWhileDraining() {
        var world = drainingBesideOthers()
        world.reload(threeUplinks())
        #expect(drainsUntil(world, ftth) == nil)
        world.run(.seconds(400))
        #expect(movements(world, ftth).isEmpty, "everybody else's connections are on it")
    }

    @Test("the kernel fell back to a line that drained while no daemon ran: its flows are at home again")
    func adoptedWhileDraining() {
        var world = ready(threeUplinks())
        world.perform(.operatorCommand(.failover(jcom, until: nil, force: false, strict: false)))
        var memory = world.engine.memory
        #expect(memory.drains.map(\.uplink) == [ftth])
        memory.pin = nil
        var next = Simulation(threeUplinks(), adopted: ftth, memory: memory)
        #expect(drainsUntil(next, ftth) == nil)
        next.run(.seconds(400))
        #expect(movements(next, ftth).isEmpty)
    }

    @Test("a short silence of all lines costs a strict rule's connections no more than others'")
    func darkness() {
        var world = ready(threeUplinks { $0.rules = [rule("mail", [Failover.Step("ftth")], .reject)] })
        for number in [ftth, jcom, soracom] {
            world.lines[number]?.isDead = true
        }
        #expect(world.run(until: .seconds(30)) { $0.engine.choices[1] == .nowhere })
        #expect(world.selected == ftth)
        world.run(.seconds(1))
        #expect(movements(world, ftth).isEmpty, "they could live nowhere else")
        world.lines[ftth]?.isDead = false
        world.run(.seconds(10))
        #expect(world.engine.choices[1].active == [ftth])
        #expect(movements(world, ftth).isEmpty)
    }

    @Test("what a strict rule left on a dead line moves as soon as the rule has another one")
    func stranded() {
        var world = ready(
            threeUplinks { policy in
                policy.failover.order = [Failover.Step("ftth")]
                policy.rules = [rule("mail", [Failover.Step("ftth"), Failover.Step("jcom")], .reject)]
            })
        for number in [ftth, jcom] { world.lines[number]?.isDead = true }
        #expect(world.run(until: .seconds(30)) { $0.engine.choices[1] == .nowhere })
        world.run(.seconds(30))
        #expect(movements(world, ftth).isEmpty)
        world.lines[jcom]?.isDead = false
        #expect(world.run(until: .seconds(10)) { $0.engine.choices[1].active == [jcom] })
        world.run(.seconds(2))
        #expect(world.selected == ftth)
        #expect(movements(world, ftth) == [.classes([1]), .classes([1])])
    }

    @Test("where only a rule has another line, its calls move at once and its connections after the grace")
    func graceOfARule() {
        var world = ready(
            threeUplinks { policy in
                policy.failover.order = [Failover.Step("ftth")]
                policy.rules = [rule("calls", [Failover.Step("ftth"), Failover.Step("jcom")])]
            })
        world.lines[ftth]?.isDead = true
        #expect(world.run(until: .seconds(5)) { $0.engine.choices[1].active == [jcom] })
        #expect(world.selected == ftth)
        #expect(movements(world, ftth) == [.connectionless])
        world.run(.milliseconds(1900))
        #expect(!movements(world, ftth).contains(.classes([1])))
        world.run(.milliseconds(200))
        #expect(movements(world, ftth).contains(.classes([1])))

        // It answers again within the grace: what is on it may finish.
        world = ready(
            threeUplinks { policy in
                policy.failover.order = [Failover.Step("ftth")]
                policy.failover.grace = .seconds(4)
                policy.rules = [rule("calls", [Failover.Step("ftth"), Failover.Step("jcom")])]
            })
        world.lines[ftth]?.isDead = true
        #expect(world.run(until: .seconds(5)) { $0.engine.choices[1].active == [jcom] })
        world.run(.milliseconds(500))
        world.lines[ftth]?.isDead = false
        world.run(.seconds(30))
        #expect(!movements(world, ftth).contains(.classes([1])))
        #expect(world.engine.view(of: ftth, at: world.now)?.drainingClasses == [1])
        world.run(.seconds(60))
        #expect(world.engine.choices[1].active == [ftth])
        #expect(drainsUntil(world, ftth) == nil)
    }

    @Test("a reload does not shorten a grace that was given, and what waited for the line is spared as before")
    func reloadInGrace() {
        func policy(grace: Duration) -> Policy {
            threeUplinks { policy in
                policy.failover.order = [Failover.Step("ftth")]
                policy.failover.grace = grace
                policy.rules = [rule("calls", [Failover.Step("ftth"), Failover.Step("jcom")])]
            }
        }
        var world = ready(policy(grace: .seconds(5)))
        world.lines[ftth]?.isDead = true
        #expect(world.run(until: .seconds(5)) { $0.engine.choices[1].active == [jcom] })
        world.run(.milliseconds(500))
        world.reload(policy(grace: .seconds(1)))
        world.lines[ftth]?.isDead = false
        world.run(.seconds(30))
        #expect(!movements(world, ftth).contains(.classes([1])))
        #expect(world.engine.view(of: ftth, at: world.now)?.drainingClasses == [1])
    }

    @Test("a drain that ends sooner than a grace would is no grace: the line's return does not prolong it")
    func drainIsNoGrace() throws {
        var world = ready(
            threeUplinks { policy in
                var calls = rule("calls", [Failover.Step("jcom"), Failover.Step("ftth")])
                calls.drain = .seconds(20)
                policy.failover.order = [Failover.Step("ftth")]
                policy.failover.grace = .seconds(10)
                policy.rules = [calls]
            })
        world.lines[jcom]?.isDead = true
        #expect(world.run(until: .seconds(5)) { $0.engine.choices[1].active == [ftth] })
        world.lines[jcom]?.isDead = false
        #expect(world.run(until: .seconds(90)) { $0.engine.choices[1].active == [jcom] })
        let end = try #require(drainsUntil(world, ftth))
        world.run(.seconds(12))
        world.lines[ftth]?.isDead = true
        #expect(world.run(until: .seconds(1)) { $0.state(ftth) == .down })
        world.lines[ftth]?.isDead = false
        #expect(world.run(until: .seconds(6)) { $0.state(ftth) == .up })
        #expect(drainsUntil(world, ftth) == end)
        #expect(!world.events.contains { $0.event == .spared(ftth) })
    }

    @Test("a line that is back within the grace and taken by a rule at once: what failover left on it drains")
    func sparedByARule() {
        var world = ready(threeUplinks { $0.rules = [rule("mail", [Failover.Step("ftth")], .reject)] })
        world.lines[ftth]?.isDead = true
        #expect(world.run(until: .seconds(1)) { $0.selected == jcom })
        world.run(.milliseconds(300))
        world.lines[ftth]?.isDead = false
        #expect(world.run(until: .seconds(3)) { $0.engine.choices[1].active == [ftth] })
        #expect(world.selected == jcom)
        world.run(.seconds(2))
        #expect(world.engine.view(of: ftth, at: world.now)?.drainingClasses == [0])
        #expect(world.events.contains { $0.event == .spared(ftth) })
    }

    @Test("the only line comes back with another address: flows that waited for it carry the old one, and move")
    func otherAddress() {
        for address: UInt8 in [10, 77] {
            var world = ready(threeUplinks())
            for number in [jcom, soracom] { world.perform(.operatorCommand(.disable(number))) }
            world.detach(ftth)
            #expect(world.selected == ftth)
            world.run(.seconds(20))
            #expect(movements(world, ftth).isEmpty)
            world.attach(ftth, address: address)
            #expect(movements(world, ftth) == (address == 10 ? [] : [.all]))
        }
    }
}
