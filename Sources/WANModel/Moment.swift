/// A point on the clock that never jumps, in nanoseconds.
///
/// The daemon takes it from CLOCK_BOOTTIME (clock_gettime(2)), which goes on while the machine sleeps; tests make their own.
/// It has no meaning across a reboot: what is stored is wall-clock time.
package struct Moment: Hashable, Sendable, Comparable {
    package var nanoseconds: Int64

    package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    package static let zero = Moment(nanoseconds: 0)
    package static let distantFuture = Moment(nanoseconds: .max)

    package static func < (a: Moment, b: Moment) -> Bool { a.nanoseconds < b.nanoseconds }

    package static func + (moment: Moment, span: Duration) -> Moment {
        let (sum, overflow) = moment.nanoseconds.addingReportingOverflow(span.nanoseconds)
        return overflow ? .distantFuture : Moment(nanoseconds: sum)
    }

    package static func - (later: Moment, earlier: Moment) -> Duration {
        .nanoseconds(later.nanoseconds - earlier.nanoseconds)
    }
}

extension Duration {
    /// The whole span in nanoseconds, held at the ends of Int64 (292 years).
    package var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        if overflow { return seconds < 0 ? .min : .max }
        let (sum, carry) = scaled.addingReportingOverflow(attoseconds / 1_000_000_000)
        return carry ? (seconds < 0 ? .min : .max) : sum
    }

    /// The span in milliseconds with its fraction, for people and JSON.
    package var milliseconds: Double { Double(nanoseconds) / 1_000_000 }

    /// The span as a person writes it in the policy: `250ms`, `30s`, `25m`, `1h`.
    package var policyText: String {
        let ns = nanoseconds
        for (unit, size) in [
            ("h", 3_600_000_000_000 as Int64), ("m", 60_000_000_000), ("s", 1_000_000_000), ("ms", 1_000_000),
        ]
        where ns >= size && ns % size == 0 {
            return "\(ns / size)\(unit)"
        }
        let tenths = (ns + 50_000) / 100_000
        return tenths % 10 == 0 ? "\(tenths / 10)ms" : "\(tenths / 10).\(tenths % 10)ms"
    }
}
