internal import Glibc
internal import LinuxIO

/// How a TCP connection came to its end against its owner's will.
package enum Breakage: Hashable, Sendable, CustomStringConvertible {
    /// A reset (RFC 9293 section 3.5.2): the program knows at once.
    case reset
    /// The kernel gave up after its retransmissions (ETIMEDOUT).
    case timeout
    /// The owner gave up: an echo was awaited for longer than its patience.
    case silence
    /// Nobody listens there, or a ruleset says so in a port unreachable.
    case refused
    /// No route, or an ICMP error that says there is none.
    case unreachable
    /// The other side closed it in good order.
    case closed
    /// In the kernel's words.
    case other(String)

    /// From errno(3) of a call on the connection.
    init(errno problem: Int32) {
        switch problem {
        case ECONNRESET, EPIPE: self = .reset
        case ETIMEDOUT: self = .timeout
        case ECONNREFUSED: self = .refused
        case ENETUNREACH, EHOSTUNREACH: self = .unreachable
        default: self = .other(errorText(problem))
        }
    }

    package var description: String {
        switch self {
        case .reset: "reset"
        case .timeout: "timeout"
        case .silence: "silence"
        case .refused: "refused"
        case .unreachable: "unreachable"
        case .closed: "closed by the server"
        case .other(let text): text
        }
    }
}
