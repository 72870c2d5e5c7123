import ArgumentParser
import WANControl

struct Reload: DaemonCommand {
    static let configuration = CommandConfiguration(
        abstract: "Have the daemon read its policy again.",
        discussion: """
            A policy with faults is refused with all of them, and the running one stays in force. Uplinks that did not change are \
            not disturbed. `wanctl check` looks at a file without touching anything.

            Examples:
              wanctl reload
              wanctl check && wanctl reload
            """)

    @ParentCommand var parent: WANCtl
    @OptionGroup var options: ClientOptions

    func run() throws { try act(.reload) }
}
