internal import NetworkTypes

/// What happens in one round, told before it happens: a pure function of its seed. All that is hurt is healed at the end.
package struct ChaosStory: Hashable, Sendable {
    package enum Deed: Hashable, Sendable {
        case act(ChaosAct)
        /// What was hurt earlier in the round.
        case heal(ChaosWound)
    }

    package struct Step: Hashable, Sendable {
        /// Before it, in milliseconds; 0 is at once with the step before.
        package var pause: Int
        package var deed: Deed
    }

    package let seed: UInt64
    package let scene: ChaosScene
    package let steps: [Step]
    /// What is still open after them, in the order in which it is healed.
    package let healing: [ChaosWound]

    package var acts: [ChaosAct] {
        steps.compactMap { if case .act(let act) = $0.deed { act } else { nil } }
    }

    private static let pauses = [0, 0, 0, 20, 100, 300, 500, 800, 1500, 3000]

    package init(seed: UInt64, scene: ChaosScene) {
        var random = SplitMix64(seed: seed)
        var wounds = ChaosWounds()
        var steps: [Step] = []
        for _ in 0..<Int.random(in: 3...12, using: &random) {
            let pause = Self.pauses.randomElement(using: &random) ?? 0
            let curable = wounds.open.filter { wounds.allowHealing(of: $0) }
            if let wound = curable.randomElement(using: &random), Int.random(in: 0..<4, using: &random) == 0 {
                wounds.heal(wound)
                steps.append(Step(pause: pause, deed: .heal(wound)))
            } else {
                let act = Self.act(after: wounds, in: scene, &random)
                wounds.suffer(act)
                steps.append(Step(pause: pause, deed: .act(act)))
            }
        }
        self.seed = seed
        self.scene = scene
        self.steps = steps
        healing = Self.order(wounds, &random)
    }

    /// At random, but only what can be healed when its turn has come.
    private static func order(_ left: ChaosWounds, _ random: inout SplitMix64) -> [ChaosWound] {
        var wounds = left
        var order: [ChaosWound] = []
        while !wounds.open.isEmpty {
            let curable = wounds.open.filter { wounds.allowHealing(of: $0) }
            let least = curable.map(\.rank).min()
            guard let wound = curable.filter({ $0.rank == least }).randomElement(using: &random) else { break }
            wounds.heal(wound)
            order.append(wound)
        }
        return order
    }

    /// Some act that is possible then. A fault of a line always is, as long as one box has power.
    private static func act(
        after wounds: ChaosWounds, in scene: ChaosScene, _ random: inout SplitMix64
    ) -> ChaosAct {
        for _ in 0..<100 {
            if let act = draw(in: scene, &random), wounds.allow(act) { return act }
        }
        return .target(LabAddress.targets[0], "dead", over: .ftth)
    }

    /// Lines fail oftener than boxes do.
    private static let kinds: [ChaosAct.Kind] =
        ChaosAct.Kind.allCases + [.line, .line, .line, .line, .daemon, .daemon, .stranger, .keepalived]

    private static let faults = [
        "blackhole", "up-blackhole", "down-blackhole", "silence 700ms", "drop-next 20 up", "drop-next 20 down",
        "loss 30%",
        "loss 70%", "delay 300ms", "jitter 80ms", "rate 128kbit", "upstream-dead", "carrier-off", "gone",
    ]

    private static func orders(of line: LabUplink) -> [String] {
        let name = line.rawValue
        return [
            "failover \(name)", "failover \(name) --strict", "failover \(name) --force", "failover \(name) --for 2s",
            "drain \(name)", "disable \(name)", "enable \(name)", "probe \(name)", "auto",
            "speed soracom s1.fast", "speed soracom auto", "status", "why", "reload",
        ]
    }

    private static func draw(in scene: ChaosScene, _ random: inout SplitMix64) -> ChaosAct? {
        func one<Element>(of elements: [Element]) -> Element? { elements.randomElement(using: &random) }
        guard let kind = one(of: kinds.filter { $0.happens(in: scene) }), let box = one(of: scene.boxes),
            let line = one(of: scene.lines)
        else { return nil }
        switch kind {
        case .line:
            // Only the lab of one router has providers that do so.
            let mayRenumber = scene == .oneRouter && line != .soracom
            if mayRenumber, Int.random(in: 0..<12, using: &random) == 0 { return .renumber(line) }
            return one(of: faults).map { .line(line, $0) }
        case .target:
            guard let target = one(of: LabAddress.targets), let health = one(of: ["dead", "lossy 50%"]) else {
                return nil
            }
            return .target(target, health, over: line)
        case .stranger:
            return one(of: StrangersDeed.allCases.filter { $0.happens(in: scene) }).map { .stranger(box, $0) }
        case .order: return one(of: orders(of: line)).map { .order(box, $0) }
        case .policy: return one(of: PolicyEdit.allCases).map { .policy(box, $0) }
        case .daemon: return one(of: DaemonDeed.allCases).map { .daemon(box, $0) }
        case .disk: return one(of: ChaosDisk.allCases).map { .disk(box, $0) }
        case .helper: return one(of: HelperDeed.allCases).map { .helper(box, $0) }
        case .soracom: return one(of: SoracomTrouble.allCases).map { .soracom($0) }
        case .keepalived: return one(of: KeepalivedDeed.allCases).map { .keepalived(box, $0) }
        case .cable: return one(of: [SiteCable.silent, .unplugged]).map { .cable(box, $0) }
        case .power: return .power(box)
        }
    }
}
