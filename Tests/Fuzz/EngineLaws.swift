import WANEngine
import WANModel

/// What holds after each input, whatever it was.
struct EngineLaws {
    private var states: [UplinkNumber: UplinkState] = [:]
    private var choices: [ClassChoice]
    private var lastSequence: UInt64 = 0
    private var knowsUplinks = false
    /// When probes were sent, and over what.
    private var sent: [(at: Moment, uplink: UplinkNumber)] = []
    private var turns = 0

    init(_ engine: Engine, _ setup: EngineSetup, at now: Moment) {
        choices = engine.choices
        for view in engine.views(at: now) { states[view.number] = view.state }
    }

    mutating func check(
        _ engine: Engine, _ setup: EngineSetup, _ input: EngineInput, _ outputs: [EngineOutput], at now: Moment
    ) {
        if case .attached = input { knowsUplinks = true }
        var views: [UplinkNumber: UplinkView] = [:]
        for view in engine.views(at: now) { views[view.number] = view }
        precondition(Set(views.keys) == Set(setup.uplinks.map(\.number)), "an uplink is missing, or too many")
        checkStates(views, engine, at: now)
        guard knowsUplinks else {
            precondition(outputs.allSatisfy { !$0.movesPackets }, "packets move before the uplinks are known")
            (states, choices) = (views.mapValues(\.state), engine.choices)
            return
        }
        if let deadline = engine.nextDeadline { precondition(deadline > now, "a deadline that has passed") }
        if let due = engine.deadline(after: now) { precondition(due > now, "what is due was not done: it would spin") }
        checkChoices(views, engine, setup)
        checkOutputs(views, engine, setup, input, outputs, at: now)
        checkMemory(engine, setup, at: now)
        // It copies all of the engine.
        guard turns % 8 == 0 else { return }
        var later = engine
        precondition(later.handle(.deadlineReached, at: now).isEmpty, "it does more in the same moment")
    }

    private func checkStates(_ views: [UplinkNumber: UplinkView], _ engine: Engine, at now: Moment) {
        let memory = engine.memory
        for (number, view) in views {
            precondition(
                memory.disabled.contains(number) == (view.state == .disabled),
                "disabled in one place, and not in another")
            precondition(!view.state.isUsable || view.attachment != nil, "usable, and not there")
            precondition(view.loss >= 0 && view.loss <= 1, "a share of losses that is none")
            precondition(view.since <= now, "since a moment that is to come")
            precondition(engine.answerTime(of: number) > .zero, "no time to answer")
        }
        if let pin = engine.pin {
            precondition(views[pin.uplink].map { $0.state != .disabled } ?? false, "pinned where nothing may go")
        }
        let ranks = ["a": 0, "b": 1, "c": 2, "d": 3]
        let health = engine.health(ranks: ranks, count: 4, at: now)
        precondition((NodeHealth.none...5).contains(health), "no health of four uplinks")
    }

    private func checkChoices(_ views: [UplinkNumber: UplinkView], _ engine: Engine, _ setup: EngineSetup) {
        let decision = engine.decision
        precondition(engine.choices.count == setup.classes.count, "a class without a choice")
        precondition(engine.choices[0].active == decision.share, "two answers to where traffic goes")
        precondition(Array(decision.ladder.prefix(decision.share.count)) == decision.share, "a ladder with another top")
        precondition(Set(decision.ladder).count == decision.ladder.count, "a ladder with a rung twice")
        precondition(
            decision.ladder.dropFirst(decision.share.count).allSatisfy { views[$0]?.state.isUsable ?? false },
            "the kernel may fall to a line that does not work")
        for (index, choice) in engine.choices.enumerated() {
            precondition(Set(choice.active).count == choice.active.count, "an uplink twice in a choice")
            precondition(
                choice.step.isEmpty == choice.active.isEmpty, "a step and nobody in it, or the other way round")
            precondition(
                choice.active.allSatisfy { number in choice.step.contains { $0.uplink == number } },
                "active beside its step")
            let candidates =
                setup.classes[index].steps.flatMap { $0.map(\.uplink) } + (index == 0 ? pinned(engine) : [])
            let known = candidates.compactMap { views[$0] }
            let active = choice.active.compactMap { views[$0] }
            precondition(active.count == choice.active.count, "traffic on an uplink that is none")
            if index == 0, let pin = engine.pin, pin.strict || pin.force {
                precondition(choice.active == [pin.uplink], "strict or forced, and elsewhere")
                continue
            }
            if known.contains(where: { $0.state.isUsable && !$0.isDrained }) {
                precondition(!active.isEmpty, "a way out that nobody takes")
                precondition(
                    active.allSatisfy(isGood), "traffic on a line that cannot carry it, with a better one there")
            } else if index > 0 {
                precondition(active.allSatisfy(isGood), "a rule's traffic on a line that cannot carry it")
            } else if known.contains(where: { isThere($0) && !$0.isDrained }) {
                precondition(active.allSatisfy(isThere), "traffic on a line that is not there, with another there")
            }
        }
    }

    private func pinned(_ engine: Engine) -> [UplinkNumber] { engine.pin.map { [$0.uplink] } ?? [] }

    private func isThere(_ view: UplinkView) -> Bool { view.attachment != nil && view.state != .disabled }

    /// One that nothing is known of yet is stayed with.
    private func isGood(_ view: UplinkView) -> Bool {
        isThere(view) && !view.isDrained && (view.state.isUsable || view.state == .proving)
    }

    private mutating func checkOutputs(
        _ views: [UplinkNumber: UplinkView], _ engine: Engine, _ setup: EngineSetup, _ input: EngineInput,
        _ outputs: [EngineOutput], at now: Moment
    ) {
        let (lines, targets) = (setup.uplinks.count, setup.uplinks.map(\.settings.probe.targets.count).max() ?? 0)
        var reports = 1
        if case .attached(let list) = input { reports = list.count }
        if case .answered(let list) = input { reports = list.count }
        let most = lines * (lines + 3) * (targets + 1) + lines * (setup.classes.count + 1) * 6 + reports * 6
        precondition(outputs.count <= most, "too many outputs for one input")
        var isReload = false
        if case .reload = input {
            isReload = true
            states = [:]
        }
        var (routes, events, asked) = (0, Set<Int>(), Set<UplinkNumber>())
        for output in outputs {
            switch output {
            case .probe(let probe):
                precondition(probe.sequence > lastSequence, "a number is used twice")
                lastSequence = probe.sequence
                precondition(views[probe.uplink].map(isThere) ?? false, "a probe over a line that is not there")
                sent.append((now, probe.uplink))
            case .route(let decision):
                routes += 1
                precondition(decision == engine.decision, "a route that was not decided")
            case .moveFlows(let uplink, _, let sweep):
                precondition(views[uplink] != nil && (1...2).contains(sweep), "flows of nobody")
            case .sampleCounters(let uplink): precondition(views[uplink] != nil, "counters of nobody")
            case .setSpeedClass(let uplink, _):
                precondition(views[uplink]?.speedClass != nil, "a class for what is no SIM")
                precondition(asked.insert(uplink).inserted, "two classes at once")
            case .event(.state(let uplink, let from, let to, _)):
                precondition(from != to && (states[uplink] ?? from) == from, "a state that nobody told")
                states[uplink] = to
            case .event(.selected): events.insert(0)
            case .event(.steered(let index, _, _)): events.insert(index)
            case .event, .remember: break
            }
        }
        precondition(routes <= 1, "two routes at once")
        for view in views.values {
            precondition((states[view.number] ?? view.state) == view.state, "a state that was not told")
            states[view.number] = view.state
        }
        // What a reload takes away is not chosen anew.
        if !isReload {
            for index in choices.indices where choices[index].active != engine.choices[index].active {
                precondition(routes == 1 && events.contains(index), "a choice that was not told")
            }
        }
        choices = engine.choices
    }

    /// What is kept of probes is no older than their answers are waited for.
    private mutating func checkMemory(_ engine: Engine, _ setup: EngineSetup, at now: Moment) {
        sent.removeAll { now - $0.at > .seconds(60) }
        turns += 1
        guard turns % 64 == 0 else { return }
        let records = Mirror(reflecting: engine).descendant("records").map {
            Mirror(reflecting: $0).children.map(\.value)
        }
        for (record, member) in zip(records ?? [], setup.uplinks) {
            guard let list = Mirror(reflecting: record).descendant("outstanding") else {
                preconditionFailure("a record without its probes")
            }
            let count = sent.count { $0.uplink == member.number }
            precondition(Mirror(reflecting: list).children.count <= count, "probes are remembered for ever")
        }
    }
}
