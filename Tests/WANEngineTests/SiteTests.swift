import Testing
import WANEngine
import WANModel

@Suite("a box among others of a site")
struct EngineSiteTests {
    /// The classic `sub`: a SIM and nothing else.
    private func onlySoracom() -> Policy {
        threeUplinks { policy in
            policy.uplinks.removeFirst(2)
            policy.failover.order = [Failover.Step("soracom")]
        }
    }
    private let sim = UplinkNumber(rawValue: 1)

    private func view(_ world: Simulation) -> UplinkView? { world.engine.view(of: sim, at: world.now) }

    @Test(
        "while another box carries the traffic a SIM rests and is cheap; with the role it is watched and raised at once"
    )
    func roles() {
        var world = Simulation(onlySoracom())
        world.perform(.isBackup(true))
        world.run(.seconds(60))
        #expect(view(world)?.state == .up, "proved once")
        #expect(view(world)?.speedClass?.confirmed == "s1.minimum")
        let quiet = world.lines[sim]?.probesSent ?? 0
        world.run(.seconds(3600))
        #expect((1...3).contains((world.lines[sim]?.probesSent ?? 0) - quiet), "keepalives, and nothing else")
        world.perform(.isBackup(false))
        #expect(view(world)?.speedClass?.wanted == "s1.fast")
        world.run(.seconds(10))
        #expect((world.lines[sim]?.probesSent ?? 0) - quiet > 30)
        world.perform(.isBackup(true))
        world.run(.seconds(1))
        #expect(view(world)?.speedClass?.wanted == "s1.fast", "hosts that do not know yet still come here")
        world.run(.seconds(3))
        #expect(view(world)?.speedClass?.confirmed == "s1.minimum")
        #expect(view(world)?.isDormant == true)
    }

    @Test("a daemon that starts again where the traffic is finds the box as good as before; elsewhere it waits")
    func restart() {
        let places = ["ftth": 0, "jcom": 1, "soracom": 2]
        for isBackup in [false, true] {
            var world = Simulation(threeUplinks(), adopted: ftth, attached: false)
            world.perform(.isBackup(isBackup))
            world.attach(ftth)
            world.run(.seconds(2))
            let health = world.engine.health(ranks: places, count: 3, at: world.now)
            #expect(world.state(ftth) == .up && health == (isBackup ? NodeHealth.held : 4))
        }
    }

    @Test("a line that is pinned on the master comes before those of other boxes while it works; on a backup not")
    func pinned() {
        var world = Simulation(threeUplinks())
        // Another box has the second and the third best.
        let places = ["ftth": 0, "jcom": 3, "soracom": 4]
        func health() -> Int { world.engine.health(ranks: places, count: 5, at: world.now) }
        world.run(.seconds(90))
        world.perform(.operatorCommand(.failover(jcom, until: nil, force: false, strict: false)))
        world.lines[ftth]?.isDead = true
        world.run(.seconds(5))
        #expect(world.selected == jcom && health() == 6)
        world.perform(.isBackup(true))
        #expect(health() == 3)
        world.perform(.isBackup(false))
        world.lines[jcom]?.isDead = true
        world.run(.seconds(5))
        #expect(health() == 2)
        world.lines[jcom]?.isDead = false
        world.perform(.operatorCommand(.auto))
        world.run(.seconds(90))
        #expect(health() == 3)
    }

    @Test("a line that is to be kept empty is better than none and worse than a good one; a backup may lose its last")
    func keptEmpty() {
        var world = Simulation(threeUplinks())
        let places = ["ftth": 0, "jcom": 1, "soracom": 2]
        func health() -> Int { world.engine.health(ranks: places, count: 3, at: world.now) }
        world.run(.seconds(90))
        world.perform(.operatorCommand(.drain(jcom)))
        world.perform(.operatorCommand(.disable(soracom)))
        #expect(health() == 4)
        world.lines[ftth]?.isDead = true
        world.run(.seconds(5))
        #expect(health() == NodeHealth.held)
        #expect(world.selected == jcom)
        #expect(world.engine.refusal(of: .disable(jcom)) != nil)
        world.perform(.isBackup(true))
        #expect(world.engine.refusal(of: .disable(jcom)) == nil)
        world.perform(.operatorCommand(.disable(jcom)))
        #expect(health() == NodeHealth.none)
    }

    @Test(
        "health: the place of the best usable uplink in the site's order; less while it is held; nothing when it is dead"
    )
    func health() {
        var world = Simulation(threeUplinks())
        let places = ["ftth": 0, "jcom": 1, "soracom": 2]
        func health() -> Int { world.engine.health(ranks: places, count: 3, at: world.now) }
        #expect(health() == NodeHealth.none)
        world.run(.seconds(90))
        #expect(health() == 4)
        world.lines[ftth]?.isDead = true
        world.run(.milliseconds(150))
        #expect(world.state(ftth) == .suspect && health() == 4, "a doubt hands nothing over")
        world.run(.seconds(5))
        #expect(health() == 3)
        world.lines[ftth]?.isDead = false
        world.run(.seconds(20))
        #expect(world.state(ftth) == .up && health() == 3, "held")
        world.run(.seconds(60))
        #expect(health() == 4)
        for number in [ftth, jcom, soracom] { world.lines[number]?.isDead = true }
        world.run(.seconds(30))
        world.perform(.isBackup(true))
        #expect(health() == NodeHealth.none)
        world.lines[jcom]?.isDead = false
        world.run(.seconds(10))
        #expect(health() == NodeHealth.held, "better than nothing")
    }

    @Test(
        "a line past its quality limits is worth no more than a held one, in a doubt too, and carries on where all are so"
    )
    func degraded() {
        var world = Simulation(
            threeUplinks { policy in
                policy.uplinks[0].probe.degraded = Degraded()
                policy.uplinks[0].probe.degraded?.rtt = .milliseconds(100)
            })
        func health(_ places: [String: Int]) -> Int { world.engine.health(ranks: places, count: 3, at: world.now) }
        world.run(.seconds(90))
        #expect(health(["ftth": 0]) == 4)
        world.lines[ftth]?.rtt = .milliseconds(150)
        world.run(.seconds(30))
        #expect(world.state(ftth) == .degraded && health(["ftth": 0]) == NodeHealth.held)
        #expect(health(["ftth": 0, "jcom": 2]) == 2, "another line of the same box counts in full")
        world.lines[ftth]?.isDead = true
        world.run(.milliseconds(300))
        #expect(world.state(ftth) == .suspect && health(["ftth": 0]) == NodeHealth.held)
        world.lines[ftth]?.isDead = false
        world.lines[ftth]?.rtt = .milliseconds(10)
        world.run(.seconds(200))
        #expect(world.state(ftth) == .up && health(["ftth": 0]) == 4)
    }
}
