import NetworkTypes
import Testing
import WANEngine
import WANModel

@Suite("corner cases of the decision")
struct CornerTests {
    private func ready(_ policy: Policy = threeUplinks()) -> Simulation {
        var world = Simulation(policy)
        world.run(.seconds(120))
        return world
    }

    @Test("rounds that follow each other faster than a probe is lost come to a verdict too", arguments: [80, 300])
    func slowRounds(rtt: Int) {
        var world = Simulation(threeUplinks { $0.uplinks[0].probe.confirm = .rounds(4, spacing: .milliseconds(50)) })
        world.lines[ftth]?.rtt = .milliseconds(rtt)
        world.run(.seconds(20))
        let start = world.now
        world.lines[ftth]?.isDead = true
        #expect(world.run(until: .seconds(10)) { $0.selected == jcom })
        #expect((world.now - start).milliseconds < 1500)
    }

    @Test("two lines dead at once are not excused while a third that asks other targets works")
    func otherTargets() {
        var world = ready(
            threeUplinks { policy in
                policy.uplinks[2].probe.targets = [Keepalive.pong]
            })
        for number in [ftth, jcom] { world.lines[number]?.isDead = true }
        #expect(world.run(until: .seconds(10)) { $0.selected == soracom })
    }

    @Test("a metered uplink that was down is asked at once when it is needed")
    func meteredNeeded() {
        var world = ready(
            threeUplinks { policy in
                policy.uplinks.remove(at: 1)
                policy.failover.order.remove(at: 1)
            })
        let lte = UplinkNumber(rawValue: 2)
        world.lines[lte]?.isDead = true
        world.run(.seconds(1600))
        #expect(world.state(lte) == .down)
        world.run(.seconds(5))
        world.lines[lte]?.isDead = false
        let start = world.now
        world.lines[ftth]?.isDead = true
        #expect(world.run(until: .seconds(120)) { $0.selected == lte })
        #expect((world.now - start).milliseconds < 4000, "\((world.now - start).milliseconds) ms")
    }

    @Test("flows that an earlier run left on a line that is dead are let go")
    func earlierRun() {
        var world = Simulation(threeUplinks(), adopted: jcom)
        world.lines[ftth]?.isDead = true
        world.run(.seconds(10))
        #expect(world.state(ftth) == .down)
        #expect(world.moved.map(\.uplink) == [ftth, ftth, ftth, ftth])
        #expect(world.moved.map(\.movement) == [.connectionless, .connectionless, .all, .all])
        #expect(world.moved.map(\.sweep) == [1, 2, 1, 2])
    }

    @Test("a second address leaves the flows alone; a new one lets go of the old flows once and not of the new ones")
    func addresses() {
        var world = ready()
        func attachment(_ addresses: [UInt8]) -> WANModel.Attachment {
            WANModel.Attachment(
                interfaceIndex: InterfaceIndex(rawValue: 1), interface: "ppp0",
                addresses: addresses.map { .v4(IPv4Address(198, 51, 100, $0)) })
        }
        world.perform(.attached([AttachmentReport(ftth, attachment([10, 11]), reason: "an address came")]))
        world.run(.seconds(5))
        #expect(world.moved.isEmpty)
        world.perform(.attached([AttachmentReport(ftth, attachment([12]), reason: "the address changed")]))
        world.run(.seconds(5))
        #expect(world.selected == ftth)
        #expect(world.moved.map(\.sweep) == [1])
    }

    @Test("a probe on request does not make the next switch a manual one")
    func probeIsNoSwitch() {
        var world = ready()
        world.perform(.operatorCommand(.probe(jcom)))
        world.run(.seconds(1))
        world.detach(ftth)
        #expect(world.switches(since: .zero).last?.manual == false)
    }

    @Test("a command that comes as a pin ends explains the switch")
    func commandAsPinEnds() {
        var world = ready()
        let end = world.now + .seconds(10)
        world.perform(.operatorCommand(.failover(soracom, until: end, force: false, strict: false)))
        world.run(.milliseconds(9999))
        #expect(world.selected == soracom)
        world.now = end
        world.perform(.operatorCommand(.drain(ftth)))
        #expect(world.selected == jcom && world.engine.pin == nil)
        #expect(world.engine.decision.cause == "operator: drain ftth" && world.engine.decision.manual)
    }

    @Test("a line that falls in the turn of a reload explains the switch; the reload does where it takes the line out")
    func fallInReload() {
        var world = ready()
        world.lines[ftth]?.isDead = true
        var ahead = world
        #expect(ahead.run(until: .seconds(1)) { $0.selected == jcom })
        // The verdict is due, and the reload comes first.
        let left: Duration = ahead.now - world.now
        world.run(left - .milliseconds(1))
        #expect(world.selected == ftth)
        world.now = ahead.now
        world.reload(threeUplinks { $0.failover.hold = .seconds(30) })
        #expect(world.engine.decision.cause.hasPrefix("ftth down: "))
        #expect(world.engine.decision.faultSince == ahead.engine.decision.faultSince)
        world.reload(threeUplinks { $0.failover.order.remove(at: 1) })
        #expect(world.selected == soracom && world.engine.decision.cause == "the policy was reloaded")
    }

    @Test("another interface in the policy does not undo the operator's word")
    func otherInterface() {
        var world = ready()
        world.perform(.operatorCommand(.disable(ftth)))
        world.perform(.operatorCommand(.drain(jcom)))
        world.perform(.operatorCommand(.speed(soracom, "s1.slow")))
        let memory = world.engine.memory
        world.reload(
            threeUplinks { policy in
                for index in policy.uplinks.indices { policy.uplinks[index].interface += "0" }
            })
        // The flows that were draining went with their interface.
        var expected = memory
        expected.drains = []
        #expect(world.engine.memory == expected)
        #expect(world.state(ftth) == .disabled)
    }

    @Test("an uplink that stands in no order can be pinned")
    func pinOutsideOrder() {
        var world = ready(threeUplinks { $0.failover.order.removeLast() })
        world.perform(.operatorCommand(.failover(soracom, until: nil, force: false, strict: false)))
        #expect(world.selected == soracom)
        world.run(.seconds(10))
        #expect(world.selected == soracom)
        world.perform(.operatorCommand(.auto))
        #expect(world.selected == ftth)
    }

    @Test("an uplink that stands in no order is no way out: the last one cannot be drained or disabled")
    func lastInOrder() {
        var world = ready(threeUplinks { $0.failover.order.removeLast(2) })
        #expect(world.engine.refusal(of: .drain(ftth)) != nil)
        #expect(world.engine.refusal(of: .disable(ftth)) != nil)
        world.run(.seconds(1))
    }

    @Test("a degraded uplink is left for a good one although a better one is still held")
    func degradedAndHeld() {
        func candidate(_ number: UplinkNumber, _ state: UplinkState, isHeld: Bool = false) -> Selection.Candidate {
            Selection.Candidate(
                number: number, step: Int(number.rawValue), state: state, isPresent: true, isDrained: false,
                isHeld: isHeld)
        }
        let selection = Selection(
            candidates: [candidate(ftth, .up, isHeld: true), candidate(jcom, .degraded), candidate(soracom, .up)],
            current: [jcom], pin: nil)
        #expect(selection.outcome().active == [soracom])
    }

    @Test("a SIM taken out of the policy while its class is raised leaves no deadline behind")
    func raisedAndGone() {
        var world = ready(
            threeUplinks { policy in
                policy.uplinks.remove(at: 1)
                policy.failover.order.remove(at: 1)
            })
        let lte = UplinkNumber(rawValue: 2)
        world.lines[ftth]?.isDead = true
        #expect(
            world.run(until: .seconds(2)) { $0.engine.view(of: lte, at: $0.now)?.speedClass?.wanted == "s1.fast" })
        world.lines[ftth]?.isDead = false
        world.reload(
            threeUplinks { policy in
                policy.uplinks.remove(at: 1)
                policy.failover.order.remove(at: 1)
                policy.uplinks[1].soracom = nil
            })
        world.run(.seconds(20))
        #expect((world.engine.nextDeadline ?? .distantFuture) - world.now > .milliseconds(2))
    }

    @Test("a wish that changes does not cut short the pause that SORACOM asked for")
    func retryAfter() {
        var world = Simulation(threeUplinks(), answersSpeedClass: false)
        world.run(.seconds(5))
        world.perform(.speedClass(soracom, .failed("429", retryAfter: .seconds(40), permanent: false)))
        for number in [ftth, jcom] { world.detach(number) }
        world.run(.seconds(30))
        #expect(world.classesAsked.count == 1)
        world.run(.seconds(15))
        #expect(world.classesAsked.last?.speedClass == "s1.fast")
    }

    @Test("the same failure of SORACOM is told once")
    func sameFailure() {
        var world = Simulation(threeUplinks(), answersSpeedClass: false)
        for _ in 0..<20 {
            world.run(.seconds(60))
            world.perform(.speedClass(soracom, .failed("no route to host", retryAfter: nil, permanent: false)))
        }
        let told = world.events.filter { if case .speedClass = $0.event { true } else { false } }
        #expect(told.count == 1)
    }

    @Test("a forced pin that is fulfilled is remembered as an ordinary one")
    func forceFulfilled() {
        var world = ready()
        world.lines[jcom]?.isDead = true
        world.run(.seconds(10))
        world.perform(.operatorCommand(.failover(jcom, until: nil, force: true, strict: false)))
        let before = world.remembered
        world.lines[jcom]?.isDead = false
        world.run(.seconds(30))
        #expect(world.engine.pin?.force == false)
        #expect(world.remembered > before)
    }
}
