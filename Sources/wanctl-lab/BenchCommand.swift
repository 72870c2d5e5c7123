internal import ArgumentParser
internal import WANLab

/// `wanctl-lab bench`
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure outages, times and costs, and hold them against their bars.",
        discussion: """
            Build with `-c release` first. Everything with 20 runs takes about three quarters of an hour, and `flows` half of that; the \
            long ones are done a part of --runs often. With --two-boxes, a site of two routers instead, which takes about a \
            quarter of an hour with 10 runs. 1 where a bar was missed.
            """)

    @Argument(
        help: """
            \(Self.names(Bench.Part.self)), or all; with --two-boxes \(Self.names(SiteBench.Part.self)), or all.
            """)
    var parts: [String] = ["all"]

    @Option(name: .long, help: "How often each failure is made; 20 without it, of a site 10.")
    var runs: Int?

    @Flag(name: .long, help: "Two routers with keepalived, beside the classic scripts.")
    var twoBoxes = false

    func validate() throws {
        if let runs { guard (1...10_000).contains(runs) else { throw ValidationError("--runs is 1 to 10000.") } }
        let isKnown = { twoBoxes ? SiteBench.Part(rawValue: $0) != nil : Bench.Part(rawValue: $0) != nil }
        if let stranger = parts.first(where: { $0 != "all" && !isKnown($0) }) {
            let scope = twoBoxes ? " of two boxes" : ""
            throw ValidationError("There is nothing called \"\(stranger)\" to measure\(scope).")
        }
    }

    func run() throws {
        let site = chosen(of: SiteBench.Part.self)
        let router = chosen(of: Bench.Part.self)
        let code = try LabStage.run { [runs, twoBoxes] stage in
            twoBoxes
                ? try SiteBench.run(site, runs: runs ?? 10, on: stage)
                : try Bench.run(router, runs: runs ?? 20, on: stage)
        }
        if code != 0 { throw ExitCode(code) }
    }

    private func chosen<Part: CaseIterable & RawRepresentable<String>>(of kind: Part.Type) -> [Part] {
        parts.contains("all") ? Array(kind.allCases) : parts.compactMap { Part(rawValue: $0) }
    }

    private static func names(_ kind: (some CaseIterable & RawRepresentable<String>).Type) -> String {
        kind.allCases.map(\.rawValue).joined(separator: ", ")
    }
}
