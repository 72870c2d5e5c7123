import NetworkTypes
import Testing
import WANEngine
import WANModel

@Suite("a metered line stays alive and cheap")
struct MeteredTests {
    @Test("standby for a month costs less than 5 MB: nothing but the keepalive is sent")
    func month() {
        let policy = threeUplinks { policy in
            policy.uplinks.remove(at: 1)
            policy.failover.order.remove(at: 1)
            policy.uplinks[0].probe.interval = .seconds(60)  // not what is looked at here
        }
        let lte = UplinkNumber(rawValue: 2)
        var world = Simulation(policy)
        world.run(.seconds(60))
        let before = world.lines[lte]?.probesSent ?? 0
        world.run(.seconds(86_400))
        let sent = (world.lines[lte]?.probesSent ?? 0) - before
        #expect(sent >= 55 && sent <= 60, "one in 25 minutes: \(sent)")
        // 44 bytes out, 44 back.
        #expect(sent * 88 * 30 < 5_000_000)
        #expect(world.state(lte) == .up)
    }

    @Test("a resting line was not heard lately, and is given the time that its answers take")
    func heard() {
        var world = Simulation(threeUplinks(), attached: false)
        for number in world.lines.keys.sorted() {
            world.lines[number]?.rtt = .milliseconds(number == soracom ? 600 : 20)
            world.attach(number, interface: "up\(number)")
        }
        world.run(.seconds(60))
        #expect(!world.engine.wasHeardLately(soracom, at: world.now))
        #expect(world.engine.answerTime(of: soracom) > .milliseconds(600), "a satellite")
        #expect(world.engine.answerTime(of: jcom) == .milliseconds(300))
        var heard = 0
        for _ in 0..<100 {
            world.run(.milliseconds(37))
            heard += world.engine.wasHeardLately(jcom, at: world.now) ? 1 : 0
        }
        #expect(heard > 0)
        world.lines[jcom]?.isDead = true
        world.run(.seconds(1))
        #expect(!world.engine.wasHeardLately(jcom, at: world.now))
    }

    @Test("no keepalive while traffic flows, one 25 minutes after it stopped")
    func traffic() {
        var world = Simulation(threeUplinks())
        world.run(.seconds(60))
        for _ in 0..<120 {
            world.lines[soracom]?.counters.txBytes += 1000
            world.run(.seconds(60))
        }
        #expect(!world.events.contains { if case .keepaliveSent = $0.event { true } else { false } })
        world.run(.seconds(24 * 60))
        #expect(!world.events.contains { if case .keepaliveSent = $0.event { true } else { false } })
        world.run(.seconds(130))
        #expect(world.events.filter { if case .keepaliveSent = $0.event { true } else { false } }.count == 1)
    }

    @Test("a keepalive that is not answered makes the line be asked")
    func lost() {
        var world = Simulation(threeUplinks())
        world.run(.seconds(60))
        world.lines[soracom]?.isDead = true
        world.run(.seconds(26 * 60))
        #expect(world.state(soracom) == .down)
        world.lines[soracom]?.isDead = false
        world.run(.seconds(600))
        #expect(world.state(soracom) == .up)
    }

    @Test("one that was down is back within two seconds of its next question, and is asked in any doubt")
    func back() {
        var world = Simulation(threeUplinks())
        world.run(.seconds(60))
        for number in [ftth, jcom, soracom] { world.lines[number]?.isDead = true }
        world.run(.seconds(30))
        for number in [ftth, jcom, soracom] { world.lines[number]?.isDead = false }
        let healed = world.now
        #expect(world.run(until: .seconds(70)) { $0.state(soracom) == .up })
        #expect((world.now - healed).milliseconds < 63_000)
        // Dead again, healed unseen, and needed within the minute.
        world.run(.seconds(300))
        world.lines[soracom]?.isDead = true
        world.run(.seconds(26 * 60))
        #expect(world.state(soracom) == .down)
        world.lines[soracom]?.isDead = false
        for number in [ftth, jcom] { world.lines[number]?.isDead = true }
        let needed = world.now
        #expect(world.run(until: .seconds(10)) { $0.selected == soracom })
        #expect((world.now - needed).milliseconds < 2500, "\((world.now - needed).milliseconds) ms")
    }

    @Test("it is woken while the selected line is in doubt, and no oftener than that pays")
    func woken() {
        var world = Simulation(threeUplinks { $0.uplinks[1].metered = false })
        world.run(.seconds(120))
        let before = world.lines[soracom]?.probesSent ?? 0
        world.lines[ftth]?.isDead = true
        world.lines[jcom]?.isDead = true
        #expect(world.run(until: .seconds(2)) { $0.selected == soracom })
        #expect((world.lines[soracom]?.probesSent ?? 0) > before)
        world.lines[ftth]?.isDead = false
        world.lines[jcom]?.isDead = false
        world.run(.seconds(600))
        #expect(world.selected == ftth)
        let calm = world.lines[soracom]?.probesSent ?? 0
        world.lines[ftth]?.loss = 0.3
        world.run(.seconds(3600))
        #expect((world.lines[soracom]?.probesSent ?? 0) - calm < 20)
    }

    @Test("the class is raised with the switch and lowered when the drain ends")
    func speedClass() {
        var world = Simulation(threeUplinks())
        world.run(.seconds(70))
        // Once more after a minute: a daemon before this one may have asked for another when it was killed.
        #expect(world.classesAsked.map(\.speedClass) == ["s1.minimum", "s1.minimum"])
        for number in [ftth, jcom] { world.detach(number) }
        #expect(world.selected == soracom)
        world.run(.seconds(1))
        #expect(world.classesAsked.last?.speedClass == "s1.fast")
        #expect(world.engine.view(of: soracom, at: world.now)?.speedClass?.confirmed == "s1.fast")
        world.attach(ftth, index: 9)
        #expect(world.run(until: .seconds(100)) { $0.selected == ftth })
        #expect(world.classesAsked.count == 3)
        world.run(.seconds(59))
        #expect(world.classesAsked.count == 3)
        world.run(.seconds(2))
        #expect(world.classesAsked.last?.speedClass == "s1.minimum")
        #expect(world.engine.view(of: soracom, at: world.now)?.speedClass?.confirmed == "s1.minimum")
    }

    @Test("SORACOM is asked again until its own answer is the wanted class, as slowly as it says")
    func retries() {
        var world = Simulation(threeUplinks(), answersSpeedClass: false)
        world.run(.seconds(1))
        #expect(world.classesAsked.count == 1)
        world.perform(.speedClass(soracom, .failed("500", retryAfter: nil, permanent: false)))
        world.run(.milliseconds(1100))
        #expect(world.classesAsked.count == 2)
        world.perform(.speedClass(soracom, .failed("429", retryAfter: .seconds(40), permanent: false)))
        world.run(.seconds(39))
        #expect(world.classesAsked.count == 2)
        world.run(.seconds(2))
        #expect(world.classesAsked.count == 3)
        // Another class than the wanted one is no confirmation.
        world.perform(.speedClass(soracom, .confirmed("s1.fast", via: "api")))
        world.run(.milliseconds(10))
        #expect(world.classesAsked.count == 4)
        world.perform(.speedClass(soracom, .confirmed("s1.minimum", via: "api")))
        // What failed may still be carried out: it is asked for once more, to be sure.
        world.run(.seconds(60))
        #expect(world.classesAsked.map(\.speedClass).suffix(2) == ["s1.minimum", "s1.minimum"])
        #expect(world.classesAsked.count == 5)
        world.perform(.speedClass(soracom, .confirmed("s1.minimum", via: "api")))
        world.run(.seconds(3600))
        #expect(world.classesAsked.count == 5)
    }

    @Test("a wish that changes while a request is under way is asked for next")
    func overtaken() {
        var world = Simulation(threeUplinks(), answersSpeedClass: false)
        world.run(.milliseconds(500))
        for number in [ftth, jcom] { world.detach(number) }
        world.run(.seconds(1))
        #expect(world.classesAsked.map(\.speedClass) == ["s1.minimum"])
        world.perform(.speedClass(soracom, .confirmed("s1.minimum", via: "metadata")))
        #expect(world.classesAsked.map(\.speedClass) == ["s1.minimum", "s1.fast"])
    }
}
