import NetworkTypes
import Testing
import WANEngine
import WANModel

@Suite("how a line's failure is found, and what is none")
struct DetectionTests {
    @Test("at start the best uplink that answers is selected")
    func start() {
        var world = Simulation(threeUplinks())
        world.run(.seconds(3))
        #expect(world.selected == ftth)
        #expect(world.engine.decision.ladder == [ftth, jcom, soracom])
        #expect(world.state(jcom) == .up)
        #expect(world.switches(since: .zero).count == 1)
    }

    @Test("a silent blackhole moves traffic within half a second, whenever it strikes", arguments: 0..<50)
    func blackhole(phase: Int) {
        var world = Simulation(threeUplinks(), seed: UInt64(phase))
        world.run(.seconds(10) + .milliseconds(7 * phase))
        let start = world.now
        world.lines[ftth]?.isDead = true
        #expect(world.run(until: .seconds(2)) { $0.selected == jcom })
        let outage = (world.now - start).milliseconds
        #expect(outage >= 185 && outage <= 480, "phase \(phase): \(outage) ms")
        #expect(world.state(ftth) == .down)
        #expect(world.moved.map(\.uplink) == [ftth])
        let decision = world.switches(since: start).first
        #expect(decision?.cause.contains("0 of 3 targets answered") == true)
        #expect(decision?.cause.contains("rx counter still") == true)
        world.run(.milliseconds(1100))
        #expect(world.moved.map(\.sweep) == [1, 2])
    }

    @Test(
        "a line that was down, however long, is found silent again as fast",
        arguments: [1, 5, 20, 120], [false, true])
    func secondBlackhole(seconds: Int64, isDetached: Bool) {
        let policy = threeUplinks { $0.failover.hold = .seconds(1) }
        for seed in 0..<10 as Range<UInt64> {
            var world = Simulation(policy, seed: seed)
            world.run(.seconds(10))
            if isDetached { world.detach(ftth) }
            world.lines[ftth]?.isDead = true
            world.run(.seconds(1))
            // Silent at first, as a Wi-Fi whose access point has just come back.
            if isDetached { world.attach(ftth) }
            world.run(.seconds(seconds))
            world.lines[ftth]?.isDead = false
            #expect(world.run(until: .seconds(20)) { $0.selected == ftth })
            let start = world.now
            world.lines[ftth]?.isDead = true
            #expect(world.run(until: .seconds(5)) { $0.selected == jcom })
            let outage = (world.now - start).milliseconds
            #expect(outage <= 480, "seed \(seed): \(outage) ms")
        }
    }

    @Test(
        "probes that waited for the line to come back are no round trips: it is found silent again as fast",
        arguments: [200, 600, 950])
    func blackholeAfterWait(milliseconds: Int64) {
        let policy = threeUplinks { $0.failover.hold = .seconds(1) }
        for seed in 0..<10 as Range<UInt64> {
            var world = Simulation(policy, seed: seed)
            world.run(.seconds(10))
            world.detach(ftth)
            world.run(.seconds(1))
            world.lines[ftth]?.waitsUntil = world.now + .milliseconds(milliseconds)
            world.attach(ftth)
            #expect(world.run(until: .seconds(5)) { $0.selected == ftth })
            let rtt = world.engine.view(of: ftth, at: world.now)?.rtt
            #expect(rtt.map { $0 < .milliseconds(12) } == true, "seed \(seed): \(String(describing: rtt))")
            let start = world.now
            world.lines[ftth]?.isDead = true
            #expect(world.run(until: .seconds(5)) { $0.selected == jcom })
            let outage = (world.now - start).milliseconds
            #expect(outage <= 480, "seed \(seed): \(outage) ms")
        }
    }

    @Test("a silence of 150 ms is no failure", arguments: 0..<50)
    func shortSilence(phase: Int) {
        var world = Simulation(threeUplinks(), seed: UInt64(phase))
        world.run(.seconds(10) + .milliseconds(7 * phase))
        let start = world.now
        world.lines[ftth]?.isDead = true
        world.run(.milliseconds(150))
        world.lines[ftth]?.isDead = false
        world.run(.seconds(5))
        #expect(world.switches(since: start).isEmpty)
        #expect(world.state(ftth) == .up)
    }

    @Test("a doubt that comes to nothing ends neither the state nor its reason")
    func doubt() {
        var world = Simulation(threeUplinks())
        world.run(.seconds(10))
        let before = world.engine.view(of: ftth, at: world.now)
        world.lines[ftth]?.isDead = true
        #expect(world.run(until: .seconds(1)) { $0.state(ftth) == .suspect })
        world.lines[ftth]?.isDead = false
        #expect(world.run(until: .seconds(1)) { $0.state(ftth) == .up })
        let after = world.engine.view(of: ftth, at: world.now)
        #expect(after?.since == before?.since && after?.reason == before?.reason)
    }

    @Test("a short silence each four seconds is no bad quality either, and an outage is none once it is over")
    func silencesAndQuality() {
        let policy = threeUplinks { policy in
            var limits = Degraded()
            limits.loss = 0.2
            policy.uplinks[0].probe.degraded = limits
            policy.failover.hold = .seconds(5)
        }
        for seed in 0..<8 as Range<UInt64> {
            var world = Simulation(policy, seed: seed)
            world.run(.seconds(40))
            let start = world.now
            for _ in 0..<20 {
                world.lines[ftth]?.isDead = true
                world.run(.milliseconds(150))
                world.lines[ftth]?.isDead = false
                world.run(.milliseconds(3850 + Int64(seed) * 13))
            }
            #expect(world.switches(since: start).isEmpty, "seed \(seed)")
            #expect(world.state(ftth) == .up)
            world.lines[ftth]?.isDead = true
            world.run(.seconds(12))
            #expect(world.selected == jcom)
            world.lines[ftth]?.isDead = false
            world.run(.seconds(8))
            #expect(world.selected == ftth, "seed \(seed)")
        }
    }

    @Test("one dead target for an hour changes nothing")
    func deadTarget() {
        var world = Simulation(threeUplinks())
        world.run(.seconds(10))
        let start = world.now
        for number in [ftth, jcom, soracom] { world.lines[number]?.silentTargets = [.v4(IPv4Address(9, 9, 9, 9))] }
        world.run(.seconds(3600))
        #expect(world.switches(since: start).isEmpty)
        #expect(world.state(ftth) == .up)
        #expect(world.engine.view(of: ftth, at: world.now)?.loss ?? 1 < 0.01)
        // And a failure is still found quickly.
        world.lines[ftth]?.isDead = true
        let before = world.now
        #expect(world.run(until: .seconds(2)) { $0.selected == jcom })
        #expect((world.now - before).milliseconds <= 600)
    }

    @Test("half of the answers of one target, a third of the line's: no switch in an hour", arguments: [1, 2])
    func loss(seed: UInt64) {
        var world = Simulation(threeUplinks(), seed: seed)
        world.run(.seconds(10))
        let start = world.now
        world.lines[ftth]?.lossOfTarget = [.v4(IPv4Address(8, 8, 8, 8)): 0.5]
        world.run(.seconds(600))
        world.lines[ftth]?.lossOfTarget = [:]
        world.lines[ftth]?.loss = 0.3
        world.run(.seconds(3000))
        #expect(world.switches(since: start).isEmpty, "seed \(seed)")
        let loss = world.engine.view(of: ftth, at: world.now)?.loss ?? 0
        #expect(loss > 0.15 && loss < 0.45, "measured \(loss)")
    }

    @Test("an idle standby that dies disturbs nobody", arguments: [jcom, soracom])
    func deadStandby(number: UplinkNumber) {
        var world = Simulation(threeUplinks())
        world.run(.seconds(10))
        let start = world.now
        world.lines[number]?.isDead = true
        world.run(.seconds(3600))
        #expect(world.switches(since: start).isEmpty)
        #expect(world.moved.allSatisfy { $0.uplink == number }, "only what was on the dead line itself moves")
        #expect(world.state(number) == .down)
    }

    @Test("a target that is silent on every uplink is the target's fault")
    func commonCause() {
        let policy = threeUplinks { policy in
            for index in policy.uplinks.indices { policy.uplinks[index].probe.targets = [.v4(IPv4Address(8, 8, 8, 8))] }
            policy.uplinks.removeLast()
            policy.failover.order.removeLast()
        }
        var world = Simulation(policy)
        world.run(.seconds(10))
        let start = world.now
        for number in [ftth, jcom] { world.lines[number]?.silentTargets = [.v4(IPv4Address(8, 8, 8, 8))] }
        world.run(.seconds(9))
        #expect(world.switches(since: start).isEmpty)
        #expect(world.state(ftth) == .suspect)
        #expect(world.engine.view(of: ftth, at: world.now)?.reason.contains("not this line's fault") == true)
        world.run(.seconds(600))
        #expect(world.switches(since: start).isEmpty)
        #expect(world.engine.view(of: ftth, at: world.now)?.reason == "no target answers on any uplink")
        // As soon as it answers elsewhere, this line is to blame.
        world.lines[jcom]?.silentTargets = []
        world.run(.seconds(2))
        #expect(world.selected == jcom)
    }

    @Test("whose fault a silence is does not depend on which line the policy names first", arguments: [false, true])
    func lossesOfOneMoment(isReversed: Bool) {
        var policy = threeUplinks { policy in
            policy.uplinks.removeLast()
            policy.failover.order.removeLast()
            for index in policy.uplinks.indices {
                policy.uplinks[index].probe.lossInterval = .fixed(.milliseconds(600))
                policy.uplinks[index].probe.confirm = .rounds(2, spacing: .milliseconds(600))
            }
            policy.uplinks[0].probe.interval = .seconds(1)
            // Asked only when the other line is in doubt: from then on both lose their probes at the same moments.
            policy.uplinks[1].probe.interval = .seconds(60)
        }
        let (first, second) = isReversed ? (jcom, ftth) : (ftth, jcom)
        if isReversed { policy.uplinks.reverse() }
        var world = Simulation(policy)
        world.run(.milliseconds(10_500))
        #expect(world.selected == first)
        let start = world.now
        for number in [first, second] { world.lines[number]?.isDead = true }
        world.run(.seconds(5))
        #expect(world.switches(since: start).isEmpty)
        #expect(world.engine.view(of: first, at: world.now)?.reason.contains("not this line's fault") == true)
    }

    @Test("all targets dead at once, everywhere: the metered standby is asked and traffic stays", arguments: [3, 120])
    func allTargetsDead(secondsSinceStart: Int) {
        var world = Simulation(threeUplinks())
        world.lines[soracom]?.rtt = .milliseconds(180)
        world.run(.seconds(secondsSinceStart))
        let start = world.now
        for number in [ftth, jcom, soracom] { world.lines[number]?.silentTargets = Set(ProbeSettings.defaultTargets) }
        world.run(.seconds(120))
        #expect(world.switches(since: start).isEmpty)
        #expect(world.events.contains { if case .targetFault = $0.event { true } else { false } })
        #expect(world.classesAsked.map(\.speedClass).last == "s1.minimum")
        // But where only the fixed lines are dead, the metered one is taken as soon as it has answered.
        for number in [ftth, jcom, soracom] { world.lines[number]?.silentTargets = [] }
        world.run(.seconds(300))
        for number in [ftth, jcom] { world.lines[number]?.isDead = true }
        let dead = world.now
        #expect(world.run(until: .seconds(2)) { $0.selected == soracom })
        #expect((world.now - dead).milliseconds < 700)
    }

    @Test("two lines that die at once leave the third, asked or not, its chance", arguments: 0..<20)
    func twoDieAtOnce(seed: Int) {
        var world = Simulation(threeUplinks(), seed: UInt64(seed))
        world.lines[soracom]?.rtt = .milliseconds(50)
        world.run(.seconds(seed % 2 == 0 ? 10 : 100) + .milliseconds(seed * 17))
        for number in [ftth, jcom] { world.lines[number]?.isDead = true }
        let start = world.now
        #expect(world.run(until: .seconds(2)) { $0.selected == soracom })
        #expect((world.now - start).milliseconds < 700)
    }

    @Test("a line that is full of traffic and slow is not taken for dead")
    func bufferbloat() {
        var world = Simulation(threeUplinks())
        world.run(.seconds(10))
        let start = world.now
        world.lines[ftth]?.rtt = .milliseconds(450)
        world.lines[ftth]?.background = 2000
        world.run(.seconds(30))
        #expect(world.switches(since: start).isEmpty)
        #expect(world.state(ftth) == .up)
    }

    @Test("the classic timing, 1 s and three losses, needs no burst")
    func classic() {
        let policy = threeUplinks { policy in
            for index in policy.uplinks.indices {
                policy.uplinks[index].probe.interval = .seconds(1)
                policy.uplinks[index].probe.lossInterval = .fixed(.seconds(1))
                policy.uplinks[index].probe.confirm = .off
                policy.uplinks[index].probe.fall = 3
                policy.uplinks[index].probe.rise = 3
            }
        }
        var world = Simulation(policy)
        world.run(.seconds(20))
        let sent = world.lines[ftth]?.probesSent ?? 0
        let start = world.now
        world.lines[ftth]?.isDead = true
        #expect(world.run(until: .seconds(6)) { $0.selected == jcom })
        let outage = (world.now - start).milliseconds
        #expect(outage > 2900 && outage <= 4100, "\(outage) ms")
        #expect((world.lines[ftth]?.probesSent ?? 0) - sent <= 6)
    }

    @Test("a quorum of two without confirmation is missed when two of three targets are gone")
    func classicQuorum() {
        let policy = threeUplinks { policy in
            policy.uplinks[0].probe.confirm = .off
            policy.uplinks[0].probe.fall = 3
            policy.uplinks[0].probe.quorum = 2
        }
        var world = Simulation(policy)
        world.run(.seconds(10))
        world.lines[ftth]?.silentTargets = [.v4(IPv4Address(8, 8, 8, 8)), .v4(IPv4Address(1, 1, 1, 1))]
        #expect(world.run(until: .seconds(20)) { $0.selected == jcom })
    }

    @Test("rounds: so many unanswered rounds and no chance calculus")
    func rounds() {
        let policy = threeUplinks { $0.uplinks[0].probe.confirm = .rounds(4, spacing: .milliseconds(50)) }
        var world = Simulation(policy)
        world.run(.seconds(10))
        let start = world.now
        world.lines[ftth]?.isDead = true
        #expect(world.run(until: .seconds(2)) { $0.selected == jcom })
        #expect((world.now - start).milliseconds < 650)
    }

    @Test("a quorum of two is missed when two of three targets are gone")
    func quorum() {
        let policy = threeUplinks { $0.uplinks[0].probe.quorum = 2 }
        var world = Simulation(policy)
        world.run(.seconds(10))
        let start = world.now
        world.lines[ftth]?.silentTargets = [.v4(IPv4Address(8, 8, 8, 8))]
        world.run(.seconds(60))
        #expect(world.switches(since: start).isEmpty)
        world.lines[ftth]?.silentTargets.insert(.v4(IPv4Address(1, 1, 1, 1)))
        world.run(.seconds(60))
        #expect(world.selected == jcom)
    }

    @Test("a lost carrier acts at once, without a probe")
    func carrier() {
        var world = Simulation(threeUplinks())
        world.run(.seconds(10))
        let start = world.now
        world.detach(ftth, reason: "carrier lost on ppp0")
        #expect(world.selected == jcom)
        #expect(world.now == start)
        #expect(world.state(ftth) == .absent)
        #expect(world.moved.map(\.uplink) == [ftth])
        #expect(world.switches(since: start).first?.cause == "ftth absent: carrier lost on ppp0")
    }

    @Test("answers of a former attachment are thrown away")
    func formerAttachment() {
        var world = Simulation(threeUplinks(), attached: false)
        world.lines[ftth]?.isDead = true
        world.attach(ftth, index: 7)
        let stale = ProbeIdentity(uplink: ftth, target: .v4(IPv4Address(8, 8, 8, 8)), sequence: 1)
        world.attach(ftth, index: 8, address: 11)
        world.perform(.answered([AnswerReport(stale, rtt: .milliseconds(5))]))
        #expect(world.state(ftth) == .proving)
    }

    @Test("quality limits only lower the preference")
    func degraded() {
        let policy = threeUplinks { policy in
            var limits = Degraded()
            limits.loss = 0.2
            limits.rtt = .milliseconds(400)
            policy.uplinks[0].probe.degraded = limits
        }
        var world = Simulation(policy)
        world.run(.seconds(30))
        world.lines[ftth]?.loss = 0.4
        world.run(.seconds(60))
        #expect(world.selected == jcom)
        #expect(world.state(ftth) == .degraded || world.state(ftth) == .suspect)
        #expect(world.switches(since: .zero).last?.drains == true)
        // With the other one gone it carries the traffic all the same.
        world.detach(jcom)
        world.detach(soracom)
        #expect(world.selected == ftth)
    }
}
