package import JSONText
internal import WANModel

/// What a client asks of the daemon: one line of JSON, `{"verb":"failover","arguments":{"uplink":"jcom"}}`.
///
/// A value of this type is well formed: arguments are known, of the right kind and in range. Whether the uplink exists and
/// whether the daemon is willing is for the daemon to say.
package enum ControlRequest: Hashable, Sendable {
    /// `watch`: a new `StatusReport` after each change, until the client leaves.
    case status(watch: Bool = false)
    /// Pins the choice; `span` until it ends by itself, `force` though it is not usable, `strict` though it dies.
    case failover(uplink: String, span: Duration? = nil, force: Bool = false, strict: Bool = false)
    /// Gives the choice back to the policy.
    case auto
    /// Moves new flows off an uplink and says how the old ones finish (a stream).
    case drain(uplink: String)
    case enable(uplink: String)
    case disable(uplink: String)
    case reload
    /// Asks the targets now, over one uplink or all (a stream).
    case probe(uplink: String?)
    /// Wants a SORACOM speed class; `nil` gives it back to the policy (`auto`).
    case speed(uplink: String, speedClass: String?)
    /// Events as they happen, until the client leaves (a stream).
    case watch
    case why
    /// The last events, oldest first; `nil` is the daemon's own measure.
    case history(count: Int?)
    /// The policy's rules: where each leads now and how many flows it took.
    case rules

    package enum Verb: String, Hashable, Sendable, CaseIterable {
        case status, failover, auto, drain, enable, disable, reload, probe, speed, watch, why, history, rules
    }

    package var verb: Verb {
        switch self {
        case .status: .status
        case .failover: .failover
        case .auto: .auto
        case .drain: .drain
        case .enable: .enable
        case .disable: .disable
        case .reload: .reload
        case .probe: .probe
        case .speed: .speed
        case .watch: .watch
        case .why: .why
        case .history: .history
        case .rules: .rules
        }
    }

    /// Only looks: who may connect may ask.
    package var isReading: Bool {
        switch self {
        case .status, .watch, .why, .history, .rules: true
        case .failover, .auto, .drain, .enable, .disable, .reload, .probe, .speed: false
        }
    }

    /// Answered by any number of results and an end, instead of by one.
    package var isStream: Bool {
        switch self {
        case .status(let watch): watch
        case .drain, .probe, .watch: true
        default: false
        }
    }

    /// The longest time a pin may be given; who wants longer wants no end.
    package static let longestSpan = Duration.seconds(366 * 86400)
    /// How many events `history` may ask for.
    package static let historyRange = 1...1000
}

extension ControlRequest {
    package var json: JSONValue {
        var arguments: [JSONValue.Member] = []
        func add(_ name: String, _ value: JSONValue) { arguments.append(.init(name, value)) }
        switch self {
        case .status(let watch):
            if watch { add("watch", true) }
        case .failover(let uplink, let span, let force, let strict):
            add("uplink", .string(uplink))
            if let span { add("for", .string(span.policyText)) }
            if force { add("force", true) }
            if strict { add("strict", true) }
        case .drain(let uplink), .enable(let uplink), .disable(let uplink): add("uplink", .string(uplink))
        case .probe(let uplink):
            if let uplink { add("uplink", .string(uplink)) }
        case .speed(let uplink, let speedClass):
            add("uplink", .string(uplink))
            add("class", .string(speedClass ?? "auto"))
        case .history(let count):
            if let count { add("count", .integer(Int64(count))) }
        case .auto, .reload, .watch, .why, .rules: break
        }
        return ["verb": .string(verb.rawValue), "arguments": .object(arguments)]
    }
}
