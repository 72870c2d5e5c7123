import ArgumentParser
import ControlText
import WANControl
import WANModel

struct Drain: DaemonCommand {
    static let configuration = CommandConfiguration(
        abstract: "Empty an uplink without cutting what is on it.",
        discussion: """
            New connections take another uplink; old ones may finish for as long as the policy's `drain` says. Prints how many \
            are left until none is. The uplink stays aside until `wanctl enable`, and is used only while nothing else works.

            Example:
              wanctl drain ftth && systemctl restart ppp@ftth && wanctl enable ftth
            """)

    @ParentCommand var parent: WANCtl
    @OptionGroup var uplink: UplinkArgument
    @OptionGroup var options: ClientOptions

    func run() throws {
        try follow(.drain(uplink: uplink.name), as: DrainReport.init(json:)) { $0.text($1) }
    }
}

struct Enable: DaemonCommand {
    static let configuration = CommandConfiguration(
        abstract: "Let an uplink take part again.",
        discussion: """
            Undoes `wanctl disable` and `wanctl drain`. The uplink has to prove itself before traffic goes back to it.

            Example:
              wanctl enable jcom
            """)

    @ParentCommand var parent: WANCtl
    @OptionGroup var uplink: UplinkArgument
    @OptionGroup var options: ClientOptions

    func run() throws { try act(.enable(uplink: uplink.name)) }
}

struct Disable: DaemonCommand {
    static let configuration = CommandConfiguration(
        abstract: "Keep traffic and probes off an uplink.",
        discussion: """
            At once, until `wanctl enable`, across restarts. `wanctl drain` is the gentle way.

            Example:
              wanctl disable jcom
            """)

    @ParentCommand var parent: WANCtl
    @OptionGroup var uplink: UplinkArgument
    @OptionGroup var options: ClientOptions

    func run() throws { try act(.disable(uplink: uplink.name)) }
}

struct Probe: DaemonCommand {
    static let configuration = CommandConfiguration(
        abstract: "Ask the targets now and show each answer.",
        discussion: """
            Sends a few probes to every target of the uplink, or of all uplinks, over that uplink. Costs a few hundred bytes; \
            traffic stays where it is. Exits with 1 where nothing answered.

            Examples:
              wanctl probe
              wanctl probe soracom
            """)

    @ParentCommand var parent: WANCtl
    @Argument(help: ArgumentHelp("The uplink, as the policy names it (default: all).", valueName: "uplink"))
    var uplink: String?
    @OptionGroup var options: ClientOptions

    func validate() throws {
        if let uplink { try checkName(uplink, "an uplink") }
    }

    func run() throws {
        var isAnswered = false
        try follow(
            .probe(uplink: uplink), as: ProbeReport.init(json:),
            seen: { report in if report.rttMilliseconds != nil { isAnswered = true } }, text: { $0.text($1) })
        // As ping(8): a script can ask whether anything answers.
        if !isAnswered { throw ExitCode(1) }
    }
}

struct Speed: DaemonCommand {
    static let configuration = CommandConfiguration(
        abstract: "Set the speed class of a SORACOM uplink.",
        discussion: """
            Wants this class until told otherwise; `auto` gives it back to the policy. The faster classes cost more. The daemon \
            goes on until SORACOM confirms it: `wanctl status` shows how far it is.

            Examples:
              wanctl speed soracom s1.standard
              wanctl speed soracom auto
            """)

    @ParentCommand var parent: WANCtl
    @OptionGroup var uplink: UplinkArgument
    @Argument(
        help: ArgumentHelp("s1.minimum, s1.slow, s1.standard, s1.fast, … or auto (default).", valueName: "class"))
    var speedClass = "auto"
    @OptionGroup var options: ClientOptions

    func validate() throws {
        try checkName(speedClass, "a speed class")
        guard speedClass == "auto" || SpeedClassNames.isWellFormed(speedClass) else {
            throw ValidationError("\(printable(speedClass)) is no speed class; write it like s1.fast, or auto")
        }
    }

    func run() throws {
        try act(.speed(uplink: uplink.name, speedClass: speedClass == "auto" ? nil : speedClass))
    }
}
