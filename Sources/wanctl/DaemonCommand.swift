import ArgumentParser
import ControlText
import JSONText
import LinuxIO
import WANControl

/// A command that asks the daemon.
protocol DaemonCommand: ParsableCommand {
    var parent: WANCtl { get }
    var options: ClientOptions { get }
}

extension DaemonCommand {
    /// The option after the verb, before it, the environment, and the place where the daemon listens by itself.
    var socketPath: String {
        options.daemon.socket ?? parent.daemon.socket ?? Terminal.environment("WANCTL_SOCKET")
            ?? ControlClient.defaultPath
    }

    /// One result for one request.
    func ask<Report>(
        _ request: ControlRequest, as read: (JSONValue) throws(ReportError) -> Report,
        text: (Report, TextStyle) -> String
    ) throws {
        try reportingRefusal { () throws(ControlRefusal) in
            var client = try ControlClient(path: socketPath)
            switch try client.ask(request) {
            case .refused(let refusal): throw refusal
            case .end: throw ControlRefusal(.tryAgain, "the daemon ended its answer before it began")
            case .result(let result):
                if options.output.json {
                    try show(result.prettyText + "\n")
                } else {
                    try show(text(try understood(result, read), .ofOutput()))
                }
            }
        }
    }

    /// A stream of results, each printed when it comes and shown to `seen`; ends with the stream.
    func follow<Report>(
        _ request: ControlRequest, as read: (JSONValue) throws(ReportError) -> Report,
        seen: (Report) -> Void = { _ in }, text: (Report, TextStyle) -> String
    ) throws {
        try reportingRefusal { () throws(ControlRefusal) in
            var client = try ControlClient(path: socketPath)
            try client.send(request)
            while let answer = try client.next() {
                switch answer {
                case .refused(let refusal): throw refusal
                case .end: return
                case .result(let result):
                    if options.output.json { try show(result.text + "\n") }
                    // What cannot be read is shown as it is with --json, and is an error without.
                    guard
                        let report = options.output.json ? try? understood(result, read) : try understood(result, read)
                    else { continue }
                    seen(report)
                    if !options.output.json { try show(text(report, .ofOutput())) }
                }
            }
        }
    }

    /// A request that acts, whose answer is a sentence.
    func act(_ request: ControlRequest) throws {
        try ask(request, as: ActionReport.init(json:)) { $0.text($1) }
    }
}

/// An answer that this version cannot read; `--json` still shows it.
func understood<Report>(
    _ result: JSONValue, _ read: (JSONValue) throws(ReportError) -> Report
) throws(ControlRefusal) -> Report {
    do throws(ReportError) {
        return try read(result)
    } catch {
        throw ControlRefusal(
            .refused,
            "cannot read the daemon's answer (\(error)); are wanctl and wanctld of one version? --json shows it")
    }
}

/// Standard output; a reader who left ends the command, as it would any other (SIGPIPE).
func show(_ text: String) throws(ControlRefusal) {
    do throws(SystemCallError) {
        try Terminal.write(text)
    } catch {
        throw ControlRefusal(.refused, "cannot write to standard output: \(error)")
    }
}

/// Runs a command's body; a refusal goes to standard error, and its code becomes the exit code.
func reportingRefusal(_ body: () throws(ControlRefusal) -> Void) throws {
    do throws(ControlRefusal) {
        try body()
    } catch {
        let details = error.details.map { "  \(printable($0))\n" }.joined()
        // Nothing is left to be done where even this cannot be written; the code still tells.
        try? Terminal.write("wanctl: \(printable(error.reason))\n\(details)", to: .error)
        throw ExitCode(Int32(error.code.rawValue))
    }
}
