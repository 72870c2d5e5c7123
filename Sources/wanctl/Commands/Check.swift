import ArgumentParser
import ControlText
import JSONText
import LinuxIO
import WANControl
import WANModel
import WANPolicy

struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Look for faults in a policy file; needs no daemon.",
        discussion: """
            Reports all faults at once, each with line, column and what would be right, in the form that editors jump to. Nothing \
            is touched. Exit code 65 if the daemon would refuse the file. With --table, libnftables and the kernel are asked as \
            well: the nft table of the policy is made in a network namespace of its own. Exit code 1 if they refuse it, 69 if \
            it could not be tried, 77 if you may not make a namespace.

            Examples:
              wanctl check
              wanctl check draft.yaml
              wanctl check --table             after an upgrade of the system
              wanctl check --node sub          what the box `sub` of a site with several will do
              wanctl check && wanctl reload
            """)

    @Argument(help: ArgumentHelp("The policy file.", valueName: "file"))
    var file = "/etc/wanctl/policy.yaml"
    @Option(help: ArgumentHelp("Show what this box will do, of a site with several.", valueName: "name"))
    var node: String?
    @Flag(help: "Also make the nft table of the policy, in a network namespace of its own.")
    var table = false
    @OptionGroup var output: PrintOptions

    func run() throws {
        try reportingRefusal { () throws(ControlRefusal) in
            let bytes = try readPolicy(file)
            var verdict = judge(bytes, file)
            var part: SitePart?
            if let node, let policy = verdict.policy {
                do throws(UnknownNode) {
                    part = try SitePart(of: node, in: policy)
                } catch {
                    verdict.faults.append(.init(file: file, at: .start, problem: error.description))
                }
            }
            if output.json {
                try show(verdict.json.prettyText + "\n")
                if !verdict.isAccepted { throw ControlRefusal(.policy, summary(verdict)) }
                return try tryTable()
            }
            let lines =
                verdict.faults.map(\.text)
                + verdict.unsupported.map { $0.describe(as: "not yet supported: ") }
                + verdict.warnings.map { $0.describe(as: "warning: ") }
            try show(lines.map { printable($0) + "\n" }.joined())
            let style = TextStyle.ofOutput()
            let about = part.map { $0.text(style) } ?? verdict.siteText(style)
            guard verdict.isAccepted else {
                // What this release cannot obey is still in order, and worth a look.
                if verdict.faults.isEmpty, !about.isEmpty { try show("\n" + about) }
                throw ControlRefusal(.policy, summary(verdict))
            }
            try show("\(printable(file)) is in order: uplinks \(verdict.uplinks.joined(separator: ", ")).\n")
            try tryTable()
            if !about.isEmpty { try show("\n" + about) }
            if part == nil {
                for text in [verdict.ordersText(style), verdict.rules.text(style)] where !text.isEmpty {
                    try show("\n" + text)
                }
                if let note = verdict.strangerNote(hostName: try hostName()) {
                    try show("\n" + style.wrap(printable(note), indent: 2, firstIndent: 0).map { $0 + "\n" }.joined())
                }
            }
        }
    }

    /// By the daemon's program, which alone has libnftables; it says itself what it was told.
    private func tryTable() throws(ControlRefusal) {
        guard table else { return }
        let exit: ChildProcess.Exit?
        do throws(SystemCallError) {
            let child = try ChildProcess(
                siblingProgram("wanctld"),
                ["--check", "--table", "--policy", file] + (node.map { ["--node", $0] } ?? []),
                environment: environmentVariables())
            exit = try child.wait(until: Clock.boottime() + 30_000_000_000)
        } catch {
            throw ControlRefusal(.unavailable, "the nft table cannot be tried: \(error)")
        }
        guard exit != .code(0) else {
            if !output.json { try show("libnftables and this kernel take its nft table.\n") }
            return
        }
        guard case .code(let number)? = exit, let code = ControlRefusal.Code(rawValue: Int64(number)) else {
            throw ControlRefusal(.unavailable, "wanctld did not end the trial of the nft table")
        }
        throw ControlRefusal(code, "the nft table of \(file) is not in order")
    }

    private func summary(_ verdict: PolicyVerdict) -> String {
        func count(_ number: Int, _ one: String, _ many: String) -> String? {
            number == 0 ? nil : number == 1 ? "1 \(one)" : "\(number) \(many)"
        }
        let parts = [
            count(verdict.faults.count, "fault", "faults"),
            count(verdict.unsupported.count, "part that is not yet supported", "parts that are not yet supported"),
        ]
        return "the daemon would refuse \(file): \(parts.compactMap { $0 }.joined(separator: ", "))"
    }
}
