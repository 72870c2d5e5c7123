internal import ArgumentParser
internal import WANLab

/// `wanctl-lab demo`
struct DemoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "See the main job happen: lines fail and heal while a client counts what it misses.",
        discussion: """
            One router with fibre, cable and LTE; with --two-boxes one with fibre and one with LTE, which share the LAN's gateway \
            address. Takes about half a minute. 1 where a step did not happen or took far too long.
            """)

    @Option(name: .long, help: "The lab's name, to look into its namespaces meanwhile.")
    var id: String?

    @Flag(name: .long, help: "Two routers and keepalived instead of one router.")
    var twoBoxes = false

    func run() throws {
        let code = try LabStage.run { [id, twoBoxes] stage in
            let options = LabOptions(id: id)
            return twoBoxes ? try SiteDemo.run(in: options, on: stage) : try Demo.run(in: options, on: stage)
        }
        if code != 0 { throw ExitCode(code) }
    }
}
