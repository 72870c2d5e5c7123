import NetworkTypes
import Testing
import WANEngine
import WANModel

@Suite("the engine's next deadline")
struct DeadlineTests {
    /// Moments to come that are none the engine waits for: they only put others off.
    private let limits: Set<String> = ["notBefore", "unsureUntil"]

    /// Every moment after `now` that is stored in a value, with its name.
    private func moments(in value: Any, _ name: String = "", after now: Moment) -> [(name: String, at: Moment)] {
        if let moment = value as? Moment { return moment > now && !limits.contains(name) ? [(name, moment)] : [] }
        return Mirror(reflecting: value).children.flatMap { child in
            // What the policy says, and what targets answered: nothing in it is still to come.
            ["settings", "targets"].contains(child.label)
                ? [] : moments(in: child.value, child.label ?? name, after: now)
        }
    }

    @Test(
        "whatever happens, no stored moment comes before it, and a calm engine that is asked earlier does nothing",
        arguments: 1...4 as ClosedRange<UInt64>)
    func nothingForgotten(seed: UInt64) throws {
        var world = Simulation(policy(), seed: seed, answersSpeedClass: false)
        var random = SplitMix(state: seed)
        for _ in 0..<25 {
            happen(&world, &random)
            let end = world.now + .milliseconds(Int64(random.next() % 10_000))
            while world.now < end {
                // `nextDeadline` may be up to a millisecond later.
                let next = world.engine.deadline(after: world.now)
                for moment in moments(in: world.engine, after: world.now) {
                    #expect(next.map { $0 <= moment.at } ?? false, "\(moment.name) is forgotten, seed \(seed)")
                }
                let early = min(next ?? end, end) + .nanoseconds(-1)
                let isCalm = world.engine.views(at: world.now).allSatisfy { $0.state != .suspect }
                if isCalm, early > world.now {
                    var engine = world.engine
                    #expect(engine.handle(.deadlineReached, at: early).isEmpty, "seed \(seed)")
                }
                world.run(min(end, max(next ?? end, world.now + .milliseconds(1))) - world.now)
            }
        }
    }

    private func policy(_ change: (inout Policy) -> Void = { _ in }) -> Policy {
        threeUplinks { policy in
            var calls = PolicyRule(
                name: "calls", match: PolicyRule.Match(), order: [Failover.Step("soracom"), Failover.Step("jcom")],
                otherwise: .reject)
            calls.drain = .zero
            policy.rules = [calls]
            // So short that each of them ends many times.
            policy.failover.hold = .seconds(3)
            policy.uplinks[2].keepalive = Keepalive(idle: .seconds(20), target: Keepalive.pong)
            policy.uplinks[1].probe.degraded = Degraded()
            policy.uplinks[1].probe.degraded?.loss = 0.2
            change(&policy)
        }
    }

    private func happen(_ world: inout Simulation, _ random: inout SplitMix) {
        let number = UplinkNumber(rawValue: UInt8(random.next() % 3) + 1)
        switch random.next() % 14 {
        case 0, 1: world.lines[number]?.isDead = true
        case 2, 3: world.lines[number]?.isDead = false
        case 4: world.lines[number]?.loss = random.next() % 2 == 0 ? 0.3 : 0
        case 5: world.detach(number)
        case 6: world.attach(number, address: UInt8(random.next() % 2) + 10)
        case 7:
            let until = world.now + .milliseconds(Int64(random.next() % 30_000))
            world.perform(
                .operatorCommand(.failover(number, until: until, force: true, strict: random.next() % 2 == 0)))
        case 8: world.perform(.operatorCommand(random.next() % 2 == 0 ? .drain(number) : .disable(number)))
        case 9: world.perform(.operatorCommand(.enable(number)))
        case 10: world.perform(.isBackup(!world.engine.isBackup))
        case 11: world.reload(policy { $0.failover.drain.default = .seconds(Int64(random.next() % 10)) })
        case 12:
            let pause = random.next() % 2 == 0 ? nil : Duration.seconds(40)
            world.perform(.speedClass(soracom, .failed("no route to host", retryAfter: pause, permanent: false)))
        default: world.perform(.speedClass(soracom, .confirmed("s1.fast", via: "metadata")))
        }
    }
}
