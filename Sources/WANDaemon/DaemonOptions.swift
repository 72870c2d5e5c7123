internal import LinuxIO

/// The command line of `wanctld`.
package struct DaemonOptions: Hashable, Sendable {
    package enum Action: Hashable, Sendable { case run, check, cleanUp, ended, handOver, help, version }

    package var policy = "/etc/wanctl/policy.yaml"
    package var node: String?
    package var socket = "/run/wanctl/wanctl.sock"
    package var stateDirectory = "/var/lib/wanctl"
    package var courierSocket = "/run/wanctl-courier/courier.sock"
    package var action = Action.run
    /// With `check`: libnftables and the kernel are asked, too.
    package var triesTable = false
    package var isVerbose = false

    package init() {}

    /// As the policy calls this box.
    var nodeName: String { node ?? hostName() }

    package static let usage = """
        usage: wanctld --policy FILE [--node NAME] [--socket PATH] [--state-dir DIR] [--courier-socket PATH]
                       [--check [--table]] [--cleanup] [--ended] [--hand-over] [--verbose]

          --policy FILE     the policy (default /etc/wanctl/policy.yaml)
          --node NAME       this box's name in the policy (default: the host name)
          --socket PATH     where `wanctl` finds the daemon (default /run/wanctl/wanctl.sock)
          --state-dir DIR   what outlives the daemon (default /var/lib/wanctl)
          --courier-socket PATH
                            where `wanctl-courier` listens (default /run/wanctl-courier/courier.sock)
          --check           check the policy and what it needs on this box, change nothing; 65 where it has faults
          --table           with --check, also make the nft table of the policy, in a network namespace of its own that ends
                            with this program; 1 where it is refused
          --cleanup         remove every route, rule and nft table of wanctl, give the virtual address of a site away, and end
          --ended           for systemd, after a daemon has ended: where none comes after it, give the virtual address away
          --hand-over       where no daemon runs, give the virtual address away
          --verbose         also log every doubt about an uplink
        Signals: SIGHUP reloads the policy; SIGTERM ends the daemon and leaves routes and NAT standing.

        """

    /// Throws a sentence for the person who typed.
    package init(arguments: [String]) throws(UsageError) {
        var rest = arguments[...]
        func value(_ option: String) throws(UsageError) -> String {
            guard let value = rest.popFirst(), !value.isEmpty else { throw UsageError(text: "\(option) needs a value") }
            return value
        }
        while let word = rest.popFirst() {
            if let equals = word.firstIndex(of: "="), word.hasPrefix("--") {
                rest = [String(word[..<equals]), String(word[word.index(after: equals)...])] + rest
                continue
            }
            switch word {
            case "--policy": policy = try value(word)
            case "--node": node = try value(word)
            case "--socket": socket = try value(word)
            case "--state-dir": stateDirectory = try value(word)
            case "--courier-socket": courierSocket = try value(word)
            case "--check": action = .check
            case "--table": triesTable = true
            case "--cleanup": action = .cleanUp
            case "--ended": action = .ended
            case "--hand-over": action = .handOver
            case "--verbose": isVerbose = true
            case "--help", "-h": action = .help
            case "--version": action = .version
            default: throw UsageError(text: "unknown argument \(word)")
            }
        }
        if triesTable, action == .run { throw UsageError(text: "--table goes with --check") }
    }

    package struct UsageError: Error, Hashable, Sendable { package var text: String }
}

/// The version of all four programs.
package let wanctlVersion = "0.1.0"
