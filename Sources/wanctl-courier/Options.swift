/// The command line. Read by hand: argument-parser would cost more memory than the rest of the courier's own code.
struct Options {
    static let usage = """
        usage: wanctl-courier [--idle SECONDS] [--user NAME] [--token-cache FILE] [--credential FILE]...

        Asks SORACOM on behalf of wanctld, which starts it with a socket as standard input. Requests and answers are JSON, one
        a line. Reads the credential files, opens the token cache, then gives up all privileges.

          --idle SECONDS       leave after so long without a request (60)
          --user NAME          user to become when started by root, by name or number (nobody)
          --token-cache FILE   keep tokens here beyond this process; made with mode 0600
          --credential FILE    a soracom-cli profile that requests may name; may be given several times
        """

    var idle: Int64 = 60
    var user = "nobody"
    var tokenCache: String?
    var credentials: [String] = []

    struct Fault: Error, CustomStringConvertible {
        var text: String
        var description: String { text }
    }

    init(_ arguments: [String]) throws(Fault) {
        var rest = arguments[...]
        while let option = rest.popFirst() {
            func value() throws(Fault) -> String {
                guard let value = rest.popFirst(), !value.isEmpty else { throw Fault(text: "\(option) needs a value") }
                return value
            }
            switch option {
            case "--idle":
                guard let seconds = Int64(try value()), (1...86_400).contains(seconds) else {
                    throw Fault(text: "--idle needs a number of seconds, 1…86400")
                }
                idle = seconds
            case "--user": user = try value()
            case "--token-cache": tokenCache = try value()
            case "--credential": credentials.append(try value())
            default: throw Fault(text: "unknown option \(option)")
            }
        }
    }
}
