internal import LinuxIO

/// `wanctl-lab chaos`: random faults of every kind, then everything heals, and the system has to come back whole.
package final class Chaos {
    private let scene: ChaosScene
    private let id: String?
    private let isVerbose: Bool
    private let stage: LabStage
    private let teller = StoryTeller()
    private var counts: [ChaosAct.Kind: [String: Int]] = [:]
    private var healings: [(seed: UInt64, milliseconds: Double)] = []
    private var failed: [UInt64] = []
    private var rounds = 0
    private var mostResident = 0

    /// Plays rounds with the seeds `seed`, `seed + 1`, …
    ///
    /// - Parameters:
    ///   - minutes: After which no round is begun; without it one is played.
    ///   - verbose: The story of rounds that end whole is told, too.
    /// - Returns: Whether the system came back whole from each.
    package static func run(
        _ scene: ChaosScene, seed: UInt64, minutes: Double?, id: String?, verbose: Bool, on stage: LabStage
    ) throws -> Bool {
        try Chaos(scene, id, verbose, stage).run(seed, minutes)
    }

    private init(_ scene: ChaosScene, _ id: String?, _ isVerbose: Bool, _ stage: LabStage) {
        self.scene = scene
        self.id = id
        self.isVerbose = isVerbose
        self.stage = stage
    }

    private func run(_ first: UInt64, _ minutes: Double?) throws(LabError) -> Bool {
        let length = minutes.map { "\(Figure.fixed($0, $0 == $0.rounded() ? 0 : 1)) min" } ?? "one round"
        try teller.line(teller.paint("wanctl-lab chaos: \(scene.rawValue), seed \(first), \(length)", .strong))
        let end = Clock.boottime() + Int64((minutes ?? 0) * 60e9)
        var seed = first
        repeat {
            try play(from: &seed, until: end)
        } while Clock.boottime() < end
        try sumUp()
        return failed.isEmpty
    }

    /// Rounds in one lab, until the time is over or one has failed: what that left is no ground for others.
    private func play(from seed: inout UInt64, until end: Int64) throws(LabError) {
        let world = try ChaosWorld(scene, LabOptions(id: id, seed: seed), on: stage)
        let before = try settle(world)
        repeat {
            let story = ChaosStory(seed: seed, scene: scene)
            let outcome = try ChaosRound(story, in: world, before: before).play()
            try note(story, outcome)
            for box in world.boxes {
                if let resident = try? DaemonProcess(pid: box.daemon.pid).residentKiB() {
                    mostResident = max(mostResident, resident)
                }
            }
            seed &+= 1
            if !outcome.faults.isEmpty { return }
        } while Clock.boottime() < end
    }

    /// The calm before the first round; a census of it.
    private func settle(_ world: ChaosWorld) throws(LabError) -> [ChaosBox: Census] {
        var complaints: [String] = []
        let isCalm = try stage.wait(atMost: .seconds(30)) { () throws(LabError) in
            complaints = world.boxes.flatMap { $0.complaints() }
            return complaints.isEmpty
        }
        guard isCalm else {
            var logs: [String] = []
            for box in world.boxes {
                logs += try box.daemon.log().split(separator: "\n").suffix(30).map { "  \(box.name.rawValue)  \($0)" }
            }
            throw LabError(
                "see a calm system to begin with", ([complaints.joined(separator: "; ")] + logs).joined(separator: "\n")
            )
        }
        var census: [ChaosBox: Census] = [:]
        for box in world.boxes { census[box.name] = try box.census(world.lab.life) }
        return census
    }

    // MARK: words

    private func note(_ story: ChaosStory, _ outcome: ChaosRound.Outcome) throws(LabError) {
        rounds += 1
        for act in story.acts { counts[act.kind, default: [:]][act.name, default: 0] += 1 }
        if let healing = outcome.healing { healings.append((story.seed, healing)) }
        let acts = "\(Figure.right("\(story.acts.count)", 2)) acts"
        if outcome.faults.isEmpty {
            func seconds(_ milliseconds: Double) -> String {
                Figure.right(Figure.fixed(milliseconds / 1000, 1), 4) + " s"
            }
            try teller.say(
                "round \(story.seed)  \(acts)  out for \(seconds(outcome.missed)) at most, "
                    + "whole \(seconds(outcome.healing ?? 0)) after the last healing")
            if isVerbose { for line in outcome.told { try teller.line(line) } }
            return
        }
        failed.append(story.seed)
        try teller.say("round \(story.seed)  \(acts)  " + teller.paint("NOT WHOLE", .bad))
        for line in outcome.told { try teller.line(line) }
        for fault in outcome.faults { try teller.line("  " + teller.paint(fault, .bad)) }
        try teller.line("  play it again: \(command(for: story.seed))")
    }

    private func command(for seed: UInt64) -> String {
        "wanctl-lab chaos --seed \(seed)" + (scene == .twoBoxes ? " --two-boxes" : "")
    }

    private func sumUp() throws(LabError) {
        try teller.chapter("In short")
        func row(_ name: String, _ text: String) throws(LabError) {
            try teller.line("  \(Figure.left(name, 12))  \(text)")
        }
        for kind in ChaosAct.Kind.allCases {
            guard let names = counts[kind] else { continue }
            let text = names.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "\($0.key) \($0.value)" }
            try row(kind.rawValue, "\(names.values.reduce(0, +)): \(text.joined(separator: ", "))")
        }
        let times = Distribution(healings.map(\.milliseconds))
        if let slowest = healings.max(by: { $0.milliseconds < $1.milliseconds }) {
            let figures = [
                ("min", times.least), ("median", times.median), ("p90", times.percentile(0.9)), ("max", times.most),
            ]
            let text = figures.map { "\($0.0) \(Figure.fixed($0.1 / 1000, 1))" }.joined(separator: "  ")
            try row("until whole", "\(text) s, slowest in round \(slowest.seed)")
        }
        try row("memory", "\(Figure.fixed(Double(mostResident) / 1024, 1)) MiB at most")
        let (count, seeds) = (failed.count, failed.map { "\($0)" }.joined(separator: ", "))
        try row(
            "rounds",
            failed.isEmpty
                ? teller.paint("\(rounds), whole after each", .good)
                : teller.paint("\(rounds), NOT WHOLE after \(count): \(seeds)", .bad))
    }
}
