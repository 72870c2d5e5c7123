internal import ArgumentParser
internal import WANLab

/// `wanctl-lab chaos`
struct ChaosCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chaos",
        abstract: "Let everything go wrong at random, heal it, and see whether the system comes back whole.",
        discussion: """
            In rounds, each with a seed of its own: lines, targets, other programs, the operator, the policy, the daemon, the disk \
            and SORACOM, with --two-boxes also keepalived, cables and power. 1 where a round did not end whole; its story is told \
            then, and how to play it again.
            """)

    @Option(name: .long, help: "The first round's seed, the next one has one more; without it, a random one.")
    var seed: UInt64?

    @Option(name: .long, help: "Begin rounds for so long; without it one minute, and with --seed that round alone.")
    var minutes: Double?

    @Option(name: .long, help: "The lab's name, to look into its namespaces meanwhile.")
    var id: String?

    @Flag(name: .long, help: "Tell the story of every round.")
    var verbose = false

    @Flag(name: .long, help: "Two routers and keepalived instead of one router.")
    var twoBoxes = false

    func validate() throws {
        if let minutes {
            guard minutes > 0, minutes <= 10_080 else {
                throw ValidationError("--minutes is more than 0 and a week at most.")
            }
        }
    }

    func run() throws {
        let first = seed ?? .random(in: 1...999_999)
        let length = minutes ?? (seed == nil ? 1 : nil)
        let code = try LabStage.run { [twoBoxes, id, verbose] stage in
            try Chaos.run(
                twoBoxes ? .twoBoxes : .oneRouter, seed: first, minutes: length, id: id, verbose: verbose, on: stage)
        }
        if code != 0 { throw ExitCode(code) }
    }
}
