import LinuxIO

/// The command line. Read by hand: argument-parser would cost more memory than the rest of the courier's own code.
struct Options {
    static let usage = """
        usage: wanctl-courier [--listen PATH] [--client NAME] [--caller INSTANCE] [--user NAME] [--token-cache FILE]
                              [--credential FILE]... [--idle SECONDS]

        Asks SORACOM on behalf of wanctld. Standard input is the connection to it: systemd starts a courier for each
        (wanctl-courier.socket). Requests and answers are JSON, one a line. Opens the token cache, then gives up all rights.

          --listen PATH        where no systemd does: listen here, and start a courier for each connection
          --client NAME        who may ask beside root, by name or number (the user it is started as)
          --caller INSTANCE    who asks, as systemd saw it (%i, NUMBER-PID-UID): for a unit with PrivateUsers=, which cannot see it
          --user NAME          user to become when started by root, by name or number (nobody)
          --token-cache FILE   keep tokens here beyond this process; made with mode 0600
          --credential FILE    an AuthKey as soracom-cli keeps it, that requests may name by the file's name; may be given
                               several times. Those in $CREDENTIALS_DIRECTORY have their names already
          --idle SECONDS       leave after so long without a request (60)
        """

    var listen: String?
    var client: String?
    var caller: String?
    var idle: Int64 = 60
    var user = "nobody"
    var tokenCache: String?
    var credentials: [String] = []
    /// The command line without `--listen`.
    private(set) var forErrand: [String] = []

    struct Fault: Error, CustomStringConvertible {
        var text: String
        var description: String { text }
    }

    init(_ arguments: [String]) throws(Fault) {
        var rest = arguments[...]
        while let option = rest.popFirst() {
            guard let value = rest.popFirst(), !value.isEmpty else { throw Fault(text: "\(option) needs a value") }
            switch option {
            case "--listen": listen = value
            case "--client": client = value
            case "--caller": caller = value
            case "--idle":
                guard let seconds = Int64(value), (1...86_400).contains(seconds) else {
                    throw Fault(text: "--idle needs a number of seconds, 1…86400")
                }
                idle = seconds
            case "--user": user = value
            case "--token-cache": tokenCache = value
            case "--credential": credentials.append(value)
            default: throw Fault(text: "unknown option \(option)")
            }
            if option != "--listen" { forErrand += [option, value] }
        }
    }

    /// Why who asks may not; `nil` where he may.
    func refusal(of connection: borrowing OwnedDescriptor) throws -> String? {
        guard let caller else { return try ServiceSocket.refusal(of: connection, for: clientNumber()) }
        let (user, wanted) = (caller.split(separator: "-").last.flatMap { UInt32($0) }, try clientNumber())
        return user == 0 || user == wanted ? nil : "refused \(caller): only root and uid \(wanted) may ask"
    }

    func clientNumber() throws(Fault) -> UInt32 {
        try client.map { name throws(Fault) in try number(of: name, option: "--client").user }
            ?? Accounts.effectiveUser()
    }

    /// The name `nobody` is given where the system's user table may lack it (a small container): nobody is 65534 everywhere.
    func number(of name: String, option: String) throws(Fault) -> (user: UInt32, group: UInt32) {
        if let found = Privileges.user(name) ?? (name == "nobody" ? (65534, 65534) : nil) { return found }
        throw Fault(text: "\(option) \(name): there is no such user")
    }
}
