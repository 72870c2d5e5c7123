/// Why a request was not done: a number for scripts, which is the exit code of `wanctl` too, and a sentence for a person.
package struct ControlRefusal: Error, Hashable, Sendable, CustomStringConvertible {
    /// wanctl(1), "Exit status"; the numbers above 1 are those of sysexits.h.
    package enum Code: Int64, Hashable, Sendable, CaseIterable {
        /// The daemon understood and says no.
        case refused = 1
        /// EX_USAGE: the request itself is wrong.
        case usage = 64
        /// EX_DATAERR: a policy has faults.
        case policy = 65
        /// EX_UNAVAILABLE: no daemon answers. Never sent over the socket.
        case unavailable = 69
        /// EX_TEMPFAIL: the same request may work later.
        case tryAgain = 75
        /// EX_NOPERM: somebody else may do this.
        case notPermitted = 77
    }

    package var code: Code
    package var reason: String
    /// Further lines, one thing each: the faults of a policy.
    package var details: [String]

    package init(_ code: Code, _ reason: String, details: [String] = []) {
        self.code = code
        self.reason = reason
        self.details = details
    }

    package var description: String { reason }
}
