internal import ArgumentParser
internal import WANLab

/// `wanctl-lab bench`
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure outages, times and costs, and hold them against their bars.",
        discussion: """
            Build with `-c release` first. Everything with 20 runs takes about three quarters of an hour, and `flows` half of that; the \
            long ones are done a part of --runs often. 1 where a bar was missed.
            """)

    @Argument(help: "\(Bench.Part.allCases.map(\.rawValue).joined(separator: ", ")), or all.")
    var parts: [String] = ["all"]

    @Option(name: .long, help: "How often each failure is made.")
    var runs = 20

    func validate() throws {
        guard (1...10_000).contains(runs) else { throw ValidationError("--runs is 1 to 10000.") }
        if let stranger = parts.first(where: { $0 != "all" && Bench.Part(rawValue: $0) == nil }) {
            throw ValidationError("There is nothing called \"\(stranger)\" to measure.")
        }
    }

    func run() throws {
        let chosen = parts.contains("all") ? Bench.Part.allCases : parts.compactMap { Bench.Part(rawValue: $0) }
        let code = try LabStage.run { [runs] in try Bench.run(chosen, runs: runs, on: $0) }
        if code != 0 { throw ExitCode(code) }
    }
}
