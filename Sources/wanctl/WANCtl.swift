import ArgumentParser
import WANControl

/// The operator's command: asks the daemon and prints what it says.
@main
struct WANCtl: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wanctl",
        abstract: "See and steer which way out the traffic takes.",
        discussion: """
            wanctl talks to wanctld, the daemon that watches your uplinks and moves traffic to one that works. Looking changes \
            nothing; what acts says so in its help.

            Start here:
              wanctl status                  does my Internet work, and over which line?
              wanctl why                     why is traffic where it is?
              wanctl failover jcom --for 2h  use jcom for the next two hours
              wanctl auto                    let the policy choose again

            Exit codes: 0 done, 1 the daemon refuses (it says why), 64 wrong usage, 65 a policy has faults, 69 no daemon \
            answers, 75 try again, 77 not permitted.
            """,
        subcommands: [
            Status.self, Why.self, History.self, Watch.self, Failover.self, Auto.self, Drain.self, Enable.self,
            Disable.self, Probe.self, Speed.self, Reload.self, Check.self, Export.self,
        ])

    @OptionGroup var daemon: DaemonOptions
}

/// Where the daemon is.
struct DaemonOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The daemon's socket (default: $WANCTL_SOCKET, else \(ControlClient.defaultPath)).", valueName: "path"))
    var socket: String?

    func validate() throws {
        if socket?.isEmpty == true { throw ValidationError("--socket needs a path.") }
    }
}

/// How the answer is printed.
struct PrintOptions: ParsableArguments {
    @Flag(help: "Print JSON for scripts instead of text.")
    var json = false
}

/// What every command takes that asks the daemon.
struct ClientOptions: ParsableArguments {
    @OptionGroup var daemon: DaemonOptions
    @OptionGroup var output: PrintOptions
}

/// An uplink by its name in the policy.
struct UplinkArgument: ParsableArguments {
    @Argument(help: ArgumentHelp("The uplink, as the policy names it.", valueName: "uplink"))
    var name: String

    func validate() throws { try checkName(name, "an uplink") }
}

/// Refuses early what the daemon would refuse, since a mistyped command is usage (64) with or without a daemon.
func checkName(_ name: String, _ what: String) throws {
    guard (1...64).contains(name.utf8.count), name == printable(name) else {
        throw ValidationError("\(quoted(name)) cannot be the name of \(what).")
    }
}
