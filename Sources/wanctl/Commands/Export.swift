import ArgumentParser
import LinuxIO
import WANControl
import WANModel
import WANPolicy

struct Export: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print what other programs need to know of the policy; needs no daemon.",
        subcommands: [Keepalived.self])

    struct Keepalived: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print keepalived's configuration for one box of a site.",
            discussion: """
                The file is complete and runs no scripts: keepalived tracks a file that wanctld writes, and tells wanctld through \
                a FIFO which box has the virtual address. For keepalived 2.2.7 and newer. Make it anew when nodes, vrrp or \
                failover.order of the policy have changed.

                Examples:
                  wanctl export keepalived --node main
                  wanctl export keepalived --output /etc/keepalived/keepalived.conf
                  keepalived --config-test && systemctl restart keepalived
                """)

        @Option(help: ArgumentHelp("The box (default: the host name).", valueName: "name"))
        var node: String?
        @Option(help: ArgumentHelp("The policy file.", valueName: "file"))
        var policy = "/etc/wanctl/policy.yaml"

        @Option(
            name: .shortAndLong,
            help: ArgumentHelp(
                "Write it here, in one step; after a fault the file stays as it is.", valueName: "file"))
        var output: String?

        func run() throws {
            try reportingRefusal { () throws(ControlRefusal) in
                let verdict = judge(try readPolicy(policy), policy)
                guard let read = verdict.policy else {
                    throw ControlRefusal(.policy, "\(policy) has faults", details: verdict.faults.map(\.text))
                }
                let name: String
                if let node { name = node } else { name = try hostName() }
                let text: String?
                do throws(UnknownNode) {
                    text = try KeepalivedConfiguration.text(for: name, of: read)
                } catch {
                    throw ControlRefusal(.policy, "\(policy): \(error.description)")
                }
                guard let text else {
                    throw ControlRefusal(.policy, "\(policy) has no nodes and no vrrp: a box alone needs no keepalived")
                }
                guard let output else { return try show(text) }
                do throws(SystemCallError) {
                    try Files.replace(output, with: Array(text.utf8), mode: 0o644)
                } catch {
                    throw ControlRefusal(.refused, "cannot write keepalived's configuration: \(error)")
                }
                try show("\(printable(output)): the configuration of \(printable(name)).\n")
            }
        }
    }
}
