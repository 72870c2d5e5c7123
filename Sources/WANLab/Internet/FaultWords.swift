internal import NetworkTypes

/// What `wanctl-lab fault UPLINK …` understands.
package enum FaultCommand: Hashable, Sendable {
    case set(Fault)
    case clear

    package static let usage = """
        blackhole | up-blackhole | down-blackhole | silence 150ms | drop-next N up|down | loss 30% | delay 40ms | \
        jitter 5ms | rate 1mbit | upstream-dead | carrier-off | carrier-on | gone | back [ADDRESS] | clear
        """

    /// Reads the words after the uplink's name.
    package init(words: [String]) throws(LabError) {
        guard let verb = words.first else { throw LabError("set a fault", "none is named; one of: \(Self.usage)") }
        let values = words.dropFirst()
        switch (verb, values.count) {
        case ("clear", 0): self = .clear
        case ("blackhole", 0): self = .set(.blackhole())
        case ("up-blackhole", 0): self = .set(.blackhole(.up))
        case ("down-blackhole", 0): self = .set(.blackhole(.down))
        case ("upstream-dead", 0): self = .set(.upstreamDead)
        case ("carrier-off", 0): self = .set(.carrierOff)
        case ("carrier-on", 0): self = .set(.carrierOn)
        case ("gone", 0): self = .set(.gone)
        case ("back", 0): self = .set(.back())
        case ("back", 1): self = .set(.back(try Self.read(values, "an IPv4 address") { IPv4Address($0) }))
        case ("silence", 1): self = .set(.silence(try Self.read(values, "a duration as 150ms", Self.duration)))
        case ("delay", 1): self = .set(.delay(try Self.read(values, "a duration as 40ms", Self.duration)))
        case ("jitter", 1): self = .set(.jitter(try Self.read(values, "a duration as 5ms", Self.duration)))
        case ("loss", 1): self = .set(.loss(try Self.read(values, "a share as 30%", Self.share)))
        case ("rate", 1): self = .set(.rate(try Self.read(values, "a rate as 1mbit", Self.rate)))
        case ("drop-next", 2):
            let way = values.last.flatMap { WireWay(rawValue: $0) }
            guard let way, way != .both else { throw LabError("set drop-next", "it wants a way, up or down") }
            self = .set(.dropNext(try Self.read(values, "a number of packets") { UInt16($0).map(Int.init) }, way))
        default: throw LabError("set \"\(words.joined(separator: " "))\"", "it wants one of: \(Self.usage)")
        }
    }

    private static func read<Value>(
        _ values: ArraySlice<String>, _ form: String, _ body: (String) -> Value?
    ) throws(LabError) -> Value {
        let text = values.first ?? ""
        guard let value = body(text) else { throw LabError("read \"\(text)\"", "it is not \(form)") }
        return value
    }

    /// `150ms`, `2s`, `400us`; an hour at most.
    package static func duration(_ text: String) -> Duration? {
        for (unit, nanoseconds) in [("us", 1e3), ("ms", 1e6), ("s", 1e9)] where text.hasSuffix(unit) {
            guard let value = number(text.dropLast(unit.count)) else { continue }
            return value * nanoseconds <= 3600e9 ? .nanoseconds(Int64(value * nanoseconds)) : nil
        }
        return nil
    }

    /// `30%`.
    package static func share(_ text: String) -> Double? {
        guard text.hasSuffix("%"), let value = number(text.dropLast()), value <= 100 else { return nil }
        return value / 100
    }

    /// `512kbit`, `1mbit`, `1gbit`, as tc(8) has them.
    static func rate(_ text: String) -> Int? {
        for (unit, bits) in [("kbit", 1e3), ("mbit", 1e6), ("gbit", 1e9)] where text.hasSuffix(unit) {
            guard let value = number(text.dropLast(4)), value > 0, value * bits <= 1e12 else { return nil }
            return Int(value * bits)
        }
        return nil
    }

    /// Digits with at most one point between them.
    private static func number(_ text: Substring) -> Double? {
        guard let first = text.utf8.first, let last = text.utf8.last, (48...57).contains(first),
            (48...57).contains(last),
            text.utf8.allSatisfy({ (48...57).contains($0) || $0 == 46 })
        else { return nil }
        return Double(text)
    }
}

extension TargetHealth {
    /// `dead`, `alive`, or `lossy 50%`.
    package init(words: [String]) throws(LabError) {
        switch (words.first, words.count) {
        case ("dead", 1): self = .dead
        case ("alive", 1): self = .alive
        case ("lossy", 2):
            guard let share = FaultCommand.share(words[1]) else {
                throw LabError("read \"\(words[1])\"", "it is not a share as 50%")
            }
            self = .lossy(share)
        default: throw LabError("set a target", "it wants: dead | alive | lossy 50%")
        }
    }
}
