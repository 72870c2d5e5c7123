internal import ArgumentParser

/// `wanctl-lab`: a small internet on one machine. Exit codes: 0 done · 1 it could not be done, with the reason · 64 usage.
@main
struct LabCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wanctl-lab",
        abstract: "Build a small internet out of network namespaces: three providers, a router, a LAN client.",
        discussion: """
            Needs root. Nothing outside its own namespaces is touched; what an interrupted lab leaves behind is removed by the \
            next one, or by `wanctl-lab down --all`.
            """,
        subcommands: [
            DemoCommand.self, BenchCommand.self, ChaosCommand.self, UpCommand.self, StatusCommand.self, FaultVerb.self,
            TargetVerb.self,
            ClearVerb.self,
            ProbeVerb.self,
            DownCommand.self,
        ])
}
