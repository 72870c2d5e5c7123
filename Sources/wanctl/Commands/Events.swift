import ArgumentParser
import ControlText
import WANControl

struct Watch: DaemonCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print events as they happen.",
        discussion: """
            One line for each change, with its reason; goes on until Ctrl-C. For a picture that is drawn again and again there is \
            `wanctl status --watch`.

            Examples:
              wanctl watch
              wanctl watch --json | jq 'select(.kind == "switch")'
            """)

    @ParentCommand var parent: WANCtl
    @OptionGroup var options: ClientOptions

    func run() throws { try follow(.watch, as: EventReport.init(json:)) { $0.text($1) } }
}

struct History: DaemonCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print what happened lately, oldest first.",
        discussion: """
            Examples:
              wanctl history
              wanctl history --count 200
            """)

    @ParentCommand var parent: WANCtl
    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "How many events at most, up to \(ControlRequest.historyRange.upperBound).", valueName: "number"))
    var count: Int?
    @OptionGroup var options: ClientOptions

    func validate() throws {
        if let count, !ControlRequest.historyRange.contains(count) {
            throw ValidationError("--count is a number from 1 to \(ControlRequest.historyRange.upperBound).")
        }
    }

    func run() throws { try ask(.history(count: count), as: HistoryReport.init(json:)) { $0.text($1) } }
}

struct Why: DaemonCommand {
    static let configuration = CommandConfiguration(
        abstract: "Why is traffic where it is?",
        discussion: """
            The present decision with what was measured for each uplink and against which limit, and the last switch step by step.

            Example:
              wanctl why
            """)

    @ParentCommand var parent: WANCtl
    @OptionGroup var options: ClientOptions

    func run() throws { try ask(.why, as: WhyReport.init(json:)) { $0.text($1) } }
}
