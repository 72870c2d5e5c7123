import NetworkTypes
import Testing
import WANEngine
import WANModel

@Suite("what becomes of flows, as the engine decides it")
struct EngineFlowTests {
    private func ready(_ policy: Policy = threeUplinks()) -> Simulation {
        var world = Simulation(policy)
        world.run(.seconds(120))
        return world
    }

    private func movements(_ world: Simulation, of uplink: UplinkNumber, since: Moment = .zero) -> [Movement] {
        world.moved.filter { $0.uplink == uplink && $0.at >= since }.map(\.movement)
    }

    // MARK: nobody's choice

    @Test(
        "flows on a line that nobody chose drain as after a switch; where a line is used, or has fallen, nothing happens"
    )
    func ledAstray() {
        var world = ready(threeUplinks { $0.failover.drain.default = .seconds(30) })
        world.perform(.ledAstray(ftth))
        world.lines[soracom]?.isDead = true
        world.detach(soracom)
        world.perform(.ledAstray(soracom))
        #expect(world.engine.draining.isEmpty)
        world.perform(.ledAstray(jcom))
        #expect(world.engine.draining.keys.map { $0 } == [jcom])
        world.run(.seconds(29))
        #expect(movements(world, of: jcom).isEmpty)
        world.run(.seconds(3))
        // What came in by it stays, as after each drain of a line that works and costs nothing.
        #expect(movements(world, of: jcom) == [.outgoing, .outgoing])
        #expect(world.engine.draining.isEmpty && world.selected == ftth)
    }

    // MARK: grace

    @Test(
        "a silent line: what needs no connection moves with the switch, connections two seconds later, each swept twice"
    )
    func grace() throws {
        var world = ready()
        world.lines[ftth]?.isDead = true
        #expect(world.run(until: .seconds(1)) { $0.selected == jcom })
        let switched = world.now
        #expect(movements(world, of: ftth) == [.connectionless])
        world.run(.milliseconds(1900))
        #expect(movements(world, of: ftth) == [.connectionless, .connectionless])
        world.run(.milliseconds(1200))
        #expect(movements(world, of: ftth) == [.connectionless, .connectionless, .all, .all])
        let last = try #require(world.moved.last)
        #expect((last.at - switched).milliseconds <= 3001, "all are gone 3 s after the switch")
    }

    @Test("connections go on untouched where the line answers again within the grace, however long it is then held")
    func spared() {
        var world = ready(threeUplinks { $0.failover.grace = .seconds(2) })
        world.lines[ftth]?.isDead = true
        #expect(world.run(until: .seconds(1)) { $0.selected == jcom })
        world.run(.milliseconds(600))
        world.lines[ftth]?.isDead = false
        world.run(.seconds(50))
        #expect(world.selected == jcom, "held")
        #expect(movements(world, of: ftth) == [.connectionless, .connectionless])
        #expect(world.events.contains { $0.event == .spared(ftth) })
        #expect(world.engine.view(of: ftth, at: world.now)?.traffic == .draining)
        world.run(.seconds(20))
        #expect(world.selected == ftth)
        #expect(world.engine.view(of: ftth, at: world.now)?.drainsUntil == nil)
    }

    @Test(
        "a line that answers at the very end of the grace is given the time to prove itself; one that fails again is not"
    )
    func risingAtTheEnd() {
        for staysDead in [false, true] {
            var world = ready(threeUplinks { $0.failover.grace = .seconds(2) })
            world.lines[ftth]?.isDead = true
            #expect(world.run(until: .seconds(1)) { $0.selected == jcom })
            world.run(.milliseconds(1600))
            world.lines[ftth]?.isDead = false
            world.run(.milliseconds(600))
            #expect(!movements(world, of: ftth).contains(.all))
            world.lines[ftth]?.isDead = staysDead
            world.run(.seconds(5))
            #expect(movements(world, of: ftth).contains(.all) == staysDead)
        }
    }

    @Test("an interface that is gone, or an operator who disables it, waits for nothing")
    func atOnce() {
        var world = ready()
        world.detach(ftth)
        #expect(movements(world, of: ftth) == [.all])
        world.perform(.operatorCommand(.disable(jcom)))
        #expect(movements(world, of: jcom) == [.all])
        // Within the grace of a silent line its interface goes too.
        world = ready()
        world.lines[ftth]?.isDead = true
        #expect(world.run(until: .seconds(1)) { $0.selected == jcom })
        world.detach(ftth)
        #expect(movements(world, of: ftth) == [.connectionless, .all])
        world.run(.seconds(5))
        #expect(movements(world, of: ftth) == [.connectionless, .all, .all])
    }

    @Test("no grace where the policy gives none, nor for a line that has long been silent")
    func noGrace() {
        var world = ready(threeUplinks { $0.failover.grace = .zero })
        world.lines[ftth]?.isDead = true
        #expect(world.run(until: .seconds(1)) { $0.selected == jcom })
        #expect(movements(world, of: ftth) == [.all])

        world = ready()
        for number in [ftth, jcom, soracom] { world.lines[number]?.isDead = true }
        world.run(.seconds(60))
        let stuck = world.selected
        #expect(stuck.map { movements(world, of: $0).isEmpty } == true, "nowhere else would its flows live")
        world.lines[jcom]?.isDead = false
        world.run(.seconds(10))
        #expect(world.selected == jcom)
        if let stuck, stuck != jcom { #expect(movements(world, of: stuck).first == .all) }
    }

    // MARK: drains

    @Test(
        "a drain ends early when the shell says that nothing is at work any more, and the class of the SIM falls then")
    func settled() {
        var world = ready(threeUplinks { $0.failover.drain.metered = .seconds(600) })
        world.perform(.operatorCommand(.failover(soracom, until: nil, force: false, strict: false)))
        world.run(.seconds(20))
        #expect(world.engine.view(of: soracom, at: world.now)?.speedClass?.confirmed == "s1.fast")
        world.perform(.operatorCommand(.auto))
        world.run(.seconds(30))
        #expect(world.engine.view(of: soracom, at: world.now)?.traffic == .draining)
        #expect(world.engine.view(of: soracom, at: world.now)?.speedClass?.wanted == "s1.fast")
        world.perform(.drainSettled(soracom, reason: "no flow is left"))
        #expect(movements(world, of: soracom) == [.all])
        world.run(.seconds(2))
        #expect(world.engine.view(of: soracom, at: world.now)?.speedClass?.wanted == "s1.minimum")
        #expect(world.events.contains { $0.event == .drained(soracom, reason: "no flow is left") })
    }

    @Test("drains outlive a restart and a reload")
    func remembered() {
        var world = ready()
        world.perform(.operatorCommand(.failover(jcom, until: nil, force: false, strict: false)))
        let memory = world.engine.memory
        #expect(memory.drains.map(\.uplink) == [ftth])
        var next = Simulation(threeUplinks(), adopted: jcom, memory: memory)
        next.run(.seconds(1))
        #expect(next.engine.view(of: ftth, at: next.now)?.traffic == .draining)
        next.reload(threeUplinks { $0.failover.drain.default = .seconds(5) })
        next.run(.seconds(10))
        #expect(next.engine.view(of: ftth, at: next.now)?.traffic == .draining, "its time was given before")
        next.run(.seconds(600))
        #expect(movements(next, of: ftth) == [.outgoing, .outgoing], "what came in by a good line stays")
    }

    @Test("draining an uplink that carries nothing new still empties it of what came in by it")
    func drainStandby() {
        var world = ready()
        world.perform(.operatorCommand(.drain(jcom)))
        #expect(world.engine.view(of: jcom, at: world.now)?.traffic == .draining)
        world.run(.seconds(301))
        #expect(movements(world, of: jcom) == [.all, .all] || movements(world, of: jcom) == [.all])
    }

    @Test("three switches in a row, and two within a second, leave each line its due")
    func inARow() {
        var world = ready()
        func pin(_ number: UplinkNumber) {
            world.perform(.operatorCommand(.failover(number, until: nil, force: false, strict: false)))
        }
        pin(jcom)
        pin(soracom)
        world.run(.milliseconds(300))
        pin(ftth)
        #expect(world.selected == ftth)
        let views = world.engine.views(at: world.now)
        #expect(views.filter { $0.traffic == .draining }.map(\.number) == [jcom, soracom])
        #expect(views.first { $0.number == ftth }?.drainsUntil == nil, "its old flows are at home again")
        #expect(world.moved.isEmpty)
        world.run(.seconds(400))
        #expect(movements(world, of: ftth).isEmpty)
        #expect(Set(movements(world, of: jcom)) == [.outgoing])
        #expect(Set(movements(world, of: soracom)) == [.all], "nothing stays where it costs money")
    }

    @Test("an uplink that dies while it drains is emptied as in a failover")
    func diesWhileDraining() {
        var world = ready()
        world.perform(.operatorCommand(.failover(jcom, until: nil, force: false, strict: false)))
        world.lines[ftth]?.isDead = true
        world.run(.seconds(5))
        #expect(movements(world, of: ftth) == [.connectionless, .connectionless, .all, .all])
        #expect(world.selected == jcom)
    }
}
