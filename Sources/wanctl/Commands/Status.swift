import ArgumentParser
import ControlText
import JSONText
import LinuxIO
import WANControl

struct Status: DaemonCommand {
    static let configuration = CommandConfiguration(
        abstract: "Does the Internet work, and over which line?",
        discussion: """
            One line for each uplink: its state, whether traffic takes it, round-trip time, loss, and for how long it has been so.

            Examples:
              wanctl status
              wanctl status --watch
              wanctl status --rules
              wanctl status --json | jq -r '.selected[]'
            """)

    @ParentCommand var parent: WANCtl
    @OptionGroup var options: ClientOptions
    @Flag(help: "Go on: draw it again after each change (on a terminal), or print one block for each.")
    var watch = false
    @Flag(help: "The policy's rules instead: where each leads now and how many flows it took.")
    var rules = false

    func validate() throws {
        if rules && watch { throw ValidationError("--rules and --watch do not go together.") }
    }

    func run() throws {
        if rules {
            try ask(.rules, as: RulesReport.init(json:)) { $0.text($1) }
        } else if watch && options.output.json {
            try follow(.status(watch: true), as: StatusReport.init(json:)) { $0.text($1) }
        } else if watch {
            try reportingRefusal { () throws(ControlRefusal) in try followScreen() }
        } else {
            try ask(.status(), as: StatusReport.init(json:)) { $0.text($1) }
        }
    }

    private func followScreen() throws(ControlRefusal) {
        let isTerminal = Terminal.isTerminal(.output)
        var client = try ControlClient(path: socketPath)
        try client.send(.status(watch: true))
        var last: (report: StatusReport, at: Int64)?
        while true {
            // On a terminal the times go on each second though nothing changes.
            let answer = try client.next(within: isTerminal && last != nil ? 1000 : nil)
            switch answer {
            case .refused(let refusal): throw refusal
            case .end: return
            case .result(let result): last = (try understood(result, StatusReport.init(json:)), Clock.boottime())
            case nil: break
            }
            guard let last else { continue }
            let style = TextStyle.ofOutput()
            if isTerminal {
                let text = last.report.aged(by: .nanoseconds(Clock.boottime() - last.at)).text(style)
                // Home, then each line over the old one and the rest of the screen cleared: no flicker (ECMA-48 EL, ED).
                let lines = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
                try show("\u{1b}[H" + lines.map { $0 + "\u{1b}[K\n" }.joined() + "\u{1b}[J")
            } else {
                try show("\(style.clock(style.now))\n\(last.report.text(style))\n")
            }
        }
    }
}
