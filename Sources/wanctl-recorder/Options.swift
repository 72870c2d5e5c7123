import LinuxIO

/// The command line.
struct Options {
    static let usage = """
        usage: wanctl-recorder [--listen PATH] [--for USER] [--directory DIR]

        Keeps on the disk what wanctld tells it: the history, the state and the policy that a start needs.

          --listen PATH     where wanctld finds it (default /run/wanctl/recorder.sock); one that systemd passes is taken
          --for USER        who may use the socket beside root: wanctld's user, by name or number (default: our own)
          --directory DIR   where all of it is kept (default /var/lib/wanctl)
        """

    var socket = "/run/wanctl/recorder.sock"
    var directory = "/var/lib/wanctl"
    var client: String?

    struct Fault: Error, CustomStringConvertible {
        var text: String
        var description: String { text }
    }

    init(_ arguments: [String]) throws(Fault) {
        var rest = arguments[...]
        while let option = rest.popFirst() {
            guard ["--listen", "--for", "--directory"].contains(option) else {
                throw Fault(text: "unknown option \(option)")
            }
            guard let value = rest.popFirst(), !value.isEmpty else { throw Fault(text: "\(option) needs a value") }
            switch option {
            case "--listen": socket = value
            case "--for": client = value
            default: directory = value
            }
        }
    }

    /// Who may use the socket beside root.
    func clientUser() throws(Fault) -> UInt32 {
        guard let client else { return Privileges.effectiveUser }
        guard let user = Privileges.user(client)?.user else {
            throw Fault(text: "--for \(client): there is no such user")
        }
        return user
    }
}
