import ArgumentParser
import WANControl

struct Failover: DaemonCommand {
    static let configuration = CommandConfiguration(
        abstract: "Move traffic to an uplink and keep it there.",
        discussion: """
            Pins the choice until `wanctl auto`, across restarts. An uplink that does not work is refused with the reason. If the \
            pinned uplink dies later, the policy's order applies until it is back. In a site of several boxes say it on the one \
            that has the gateway's address: an uplink of another box moves the site there.

            Examples:
              wanctl failover jcom            use jcom
              wanctl failover jcom --for 2h   use jcom for two hours, then the policy again
              wanctl failover jcom --force    though it does not look usable
              wanctl failover jcom --strict   and stay on it even if it dies
            """)

    @ParentCommand var parent: WANCtl
    @OptionGroup var uplink: UplinkArgument
    @Option(name: .customLong("for"), help: ArgumentHelp("Until then: 90s, 30m, 2h, 1h30m, 1d.", valueName: "time"))
    var span: Span?
    @Flag(help: "Move although the uplink is not usable.")
    var force = false
    @Flag(help: "Stay even if the uplink dies: no Internet is better than another line.")
    var strict = false
    @OptionGroup var options: ClientOptions

    func run() throws {
        try act(.failover(uplink: uplink.name, span: span?.duration, force: force, strict: strict))
    }
}

/// A time on the command line.
struct Span: ExpressibleByArgument {
    var duration: Duration

    init?(argument: String) {
        guard let duration = Duration(spanText: argument), duration > .zero, duration <= ControlRequest.longestSpan
        else {
            return nil
        }
        self.duration = duration
    }
}

struct Auto: DaemonCommand {
    static let configuration = CommandConfiguration(
        abstract: "Give the choice back to the policy.",
        discussion: """
            Ends what `wanctl failover` began. Traffic moves only if the policy prefers another uplink.

            Example:
              wanctl auto
            """)

    @ParentCommand var parent: WANCtl
    @OptionGroup var options: ClientOptions

    func run() throws { try act(.auto) }
}
