import NetworkTypes
import Testing
import WANEngine
import WANModel

@Suite("which uplink carries the traffic")
struct ChoiceTests {
    private func ready(_ policy: Policy = threeUplinks()) -> Simulation {
        var world = Simulation(policy)
        world.run(.seconds(120))
        return world
    }

    @Test("traffic goes back only after the hold time, and old flows drain")
    func hold() {
        var world = ready()
        world.lines[ftth]?.isDead = true
        world.run(.seconds(10))
        #expect(world.selected == jcom)
        let back = world.now
        world.lines[ftth]?.isDead = false
        world.run(.seconds(60))
        #expect(world.selected == jcom)
        #expect(world.run(until: .seconds(5)) { $0.selected == ftth })
        #expect((world.now - back).milliseconds > 61_000)
        #expect(world.switches(since: back).last?.drains == true)
        #expect(world.engine.view(of: jcom, at: world.now)?.traffic == .draining)
        // Nothing of the uplink that is left is deleted before its time.
        #expect(world.moved.filter { $0.uplink == jcom }.isEmpty)
        world.run(.seconds(301))
        #expect(world.moved.filter { $0.uplink == jcom }.map(\.sweep) == [1, 2])
    }

    @Test("an uplink that flaps waits twice as long each time")
    func flapping() {
        var world = ready()
        var waits: [Double] = []
        for _ in 0..<4 {
            world.lines[ftth]?.isDead = true
            world.run(.seconds(5))
            world.lines[ftth]?.isDead = false
            let back = world.now
            #expect(world.run(until: .seconds(1200)) { $0.selected == ftth })
            waits.append((world.now - back).milliseconds / 1000)
        }
        #expect(abs(waits[0] - 61) < 2 && abs(waits[1] - 121) < 2 && abs(waits[2] - 241) < 2, "\(waits)")
    }

    @Test("all lines dead: the last choice stays; the first that answers gets the traffic at once")
    func allDown() {
        var world = ready()
        for number in [ftth, jcom, soracom] { world.lines[number]?.isDead = true }
        world.run(.seconds(120))
        let last = world.selected
        #expect(last != nil)
        world.lines[jcom]?.isDead = false
        let start = world.now
        #expect(world.run(until: .seconds(10)) { $0.selected == jcom && $0.state(jcom)?.isUsable == true })
        #expect((world.now - start).milliseconds < 3000)
    }

    @Test("a daemon that starts stays where the kernel's routes lead until there is evidence against it")
    func adopted() {
        var world = Simulation(threeUplinks(), adopted: jcom)
        world.lines[jcom]?.rtt = .milliseconds(30)
        world.run(.milliseconds(20))
        #expect(world.selected == jcom)
        world.run(.seconds(58))
        #expect(world.selected == jcom, "a restart must not cut the hold time short")
        world.run(.seconds(5))
        #expect(world.selected == ftth)
        let abrupt = world.switches(since: .zero).filter { !$0.drains }
        #expect(abrupt.isEmpty)
    }

    @Test("a dead uplink adopted at start is left within two seconds")
    func adoptedDead() {
        var world = Simulation(threeUplinks(), adopted: ftth)
        world.lines[ftth]?.isDead = true
        #expect(world.run(until: .seconds(3)) { $0.selected == jcom })
        #expect((world.now - .zero).milliseconds < 1_002_500)
    }

    @Test("a line that dies keeps no flow, though traffic was not selected for it")
    func noFlowIsLeftBehind() {
        // The daemon was killed between the new routes and the end of the old flows: what it finds leads to jcom already.
        var world = Simulation(threeUplinks(), adopted: jcom)
        world.lines[ftth]?.isDead = true
        #expect(world.run(until: .seconds(3)) { $0.state(ftth) == .down })
        #expect(world.moved.map(\.uplink) == [ftth])
        world.run(.seconds(4))
        #expect(world.moved.map(\.sweep) == [1, 2, 1, 2] && world.moved.last?.movement == .all)
        // A flow may also have come in by the line.
        world.detach(soracom)
        #expect(world.moved.last?.uplink == soracom)
        #expect(world.selected == jcom)
    }

    @Test("failover pins, and says why not where it cannot")
    func pin() {
        var world = ready()
        world.detach(jcom, reason: "wlan0 has no carrier")
        let refused = world.engine.refusal(of: .failover(jcom, until: nil, force: false, strict: false))
        #expect(refused == "jcom is absent: wlan0 has no carrier; --force to switch all the same")
        world.perform(.operatorCommand(.failover(soracom, until: nil, force: false, strict: false)))
        #expect(world.selected == soracom)
        #expect(world.switches(since: .zero).last?.manual == true)
        world.run(.seconds(600))
        #expect(world.selected == soracom)
        // The pinned uplink dies: the order applies until it is back.
        world.lines[soracom]?.isDead = true
        world.run(.seconds(5))
        #expect(world.selected == ftth)
        world.lines[soracom]?.isDead = false
        #expect(world.run(until: .seconds(200)) { $0.selected == soracom })
        world.perform(.operatorCommand(.auto))
        #expect(world.selected == ftth)
    }

    @Test("a pin ends when its time is over")
    func pinUntil() {
        var world = ready()
        world.perform(
            .operatorCommand(.failover(jcom, until: world.now + .seconds(7200), force: false, strict: false)))
        world.run(.seconds(7100))
        #expect(world.selected == jcom)
        world.run(.seconds(101))
        #expect(world.selected == ftth)
        #expect(world.engine.pin == nil)
    }

    @Test("a strict pin stays on a dead line, a forced one until it has worked once")
    func strictAndForce() {
        var world = ready()
        world.perform(.operatorCommand(.failover(jcom, until: nil, force: false, strict: true)))
        world.lines[jcom]?.isDead = true
        world.run(.seconds(30))
        #expect(world.selected == jcom)
        #expect(world.engine.decision.ladder == [jcom])
        world.perform(.operatorCommand(.auto))
        #expect(world.selected == ftth)
        #expect(world.engine.refusal(of: .failover(jcom, until: nil, force: false, strict: false)) != nil)
        world.perform(.operatorCommand(.failover(jcom, until: nil, force: true, strict: false)))
        world.run(.seconds(10))
        #expect(world.selected == jcom)
        world.lines[jcom]?.isDead = false
        world.run(.seconds(10))
        #expect(world.state(jcom) == .up)
        world.lines[jcom]?.isDead = true
        world.run(.seconds(5))
        #expect(world.selected == ftth)
    }

    @Test("disable, enable and drain")
    func administration() {
        var world = ready()
        world.perform(.operatorCommand(.disable(ftth)))
        #expect(world.selected == jcom && world.state(ftth) == .disabled)
        #expect(world.moved.first?.uplink == ftth)
        let sent = world.lines[ftth]?.probesSent
        world.run(.seconds(60))
        #expect(world.lines[ftth]?.probesSent == sent)
        world.perform(.operatorCommand(.enable(ftth)))
        #expect(world.run(until: .seconds(200)) { $0.selected == ftth })
        world.perform(.operatorCommand(.drain(ftth)))
        #expect(world.selected == jcom)
        #expect(world.engine.view(of: ftth, at: world.now)?.traffic == .draining)
        world.run(.seconds(400))
        #expect(world.selected == jcom)
        world.detach(soracom)
        world.detach(ftth)
        #expect(world.engine.refusal(of: .disable(jcom)) == "jcom carries the traffic and no other uplink is usable")
    }

    @Test("what is to be kept empty is used while nothing else works, and left as soon as something does")
    func keptEmpty() {
        var world = ready()
        world.perform(.operatorCommand(.drain(ftth)))
        world.run(.seconds(400))
        world.lines[jcom]?.isDead = true
        world.lines[soracom]?.isDead = true
        #expect(world.run(until: .seconds(60)) { $0.selected == ftth })
        #expect(world.engine.view(of: ftth, at: world.now)?.isDrained == true)
        world.run(.seconds(30))
        #expect(world.selected == ftth)
        world.lines[jcom]?.isDead = false
        #expect(world.run(until: .seconds(10)) { $0.selected == jcom })
        #expect(world.engine.view(of: ftth, at: world.now)?.traffic == .draining)
    }

    @Test("a reload that leaves only what is to be kept empty does not leave nothing")
    func onlyKeptEmpty() {
        var world = ready()
        world.perform(.operatorCommand(.drain(jcom)))
        world.perform(.operatorCommand(.drain(soracom)))
        world.reload(threeUplinks { $0.failover.order.removeFirst() })
        world.run(.seconds(5))
        #expect(world.selected == jcom)
    }

    @Test("a rule with a strict order does not use what is to be kept empty")
    func strictRuleKeptEmpty() {
        let candidates = [
            Selection.Candidate(number: ftth, step: 0, state: .up, isPresent: true, isDrained: true, isHeld: false)
        ]
        #expect(
            Selection(candidates: candidates, current: [], pin: nil, keepsLastResort: false).outcome().active.isEmpty)
        #expect(Selection(candidates: candidates, current: [], pin: nil).outcome().active == [ftth])
    }

    @Test("an interface that returns with another address is taken up again and its old flows are let go")
    func returns() {
        var world = ready()
        world.detach(ftth, reason: "ppp0 is gone")
        world.run(.seconds(5))
        world.attach(ftth, index: 42, address: 77)
        world.run(.seconds(2))
        #expect(world.state(ftth) == .up)
        #expect(world.selected == jcom)
        world.run(.seconds(62))
        #expect(world.selected == ftth)
    }

    @Test("a reload leaves what did not change alone")
    func reload() {
        var world = ready()
        let policy = threeUplinks { $0.uplinks[1].probe.interval = .seconds(2) }
        let before = world.engine.view(of: ftth, at: world.now)
        world.reload(policy)
        #expect(world.engine.view(of: ftth, at: world.now) == before)
        #expect(world.state(jcom) == .up)
        #expect(world.moved.isEmpty)
    }

    @Test("without any interface there is no ladder; the first that appears gets it before it is proven")
    func nothing() {
        var world = Simulation(threeUplinks(), attached: false)
        world.run(.seconds(5))
        #expect(world.engine.decision.ladder.isEmpty)
        world.lines[jcom]?.isDead = true
        world.attach(jcom, interface: "wlan0")
        #expect(world.engine.decision.ladder == [jcom])
    }
}
