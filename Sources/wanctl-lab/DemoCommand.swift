internal import ArgumentParser
internal import WANLab

/// `wanctl-lab demo`
struct DemoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "See the main job happen: fibre, cable and LTE fail and heal while a client counts what it misses.",
        discussion: "Takes about half a minute. 1 where a step did not happen or took far too long.")

    @Option(name: .long, help: "The lab's name, to look into its namespaces meanwhile.")
    var id: String?

    func run() throws {
        let code = try LabStage.run { [id] in try Demo.run(in: LabOptions(id: id), on: $0) }
        if code != 0 { throw ExitCode(code) }
    }
}
