internal import LinuxIO

/// A point of wall-clock time, to the millisecond, as RFC 3339 writes it in UTC: `2026-11-21T00:00:00Z`.
package struct Timestamp: Hashable, Sendable, Comparable {
    package var unixMilliseconds: Int64

    package init(unixMilliseconds: Int64) { self.unixMilliseconds = unixMilliseconds }

    /// From `Clock.realtime`.
    package init(unixNanoseconds: Int64) { unixMilliseconds = unixNanoseconds / 1_000_000 }

    package static func now() -> Timestamp { Timestamp(unixNanoseconds: Clock.realtime()) }

    package static func < (a: Timestamp, b: Timestamp) -> Bool { a.unixMilliseconds < b.unixMilliseconds }

    package var unixNanoseconds: Int64 { unixMilliseconds.multipliedReportingOverflow(by: 1_000_000).partialValue }

    /// With milliseconds only where there are any.
    package var text: String { rfc3339(unixNanoseconds, milliseconds: unixMilliseconds % 1000 != 0) }

    /// Reads the form that `text` writes, with any number of decimals; other zones than Z, and years that nanoseconds cannot
    /// count, are refused.
    package init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        func number(_ range: Range<Int>) -> Int64? {
            var value: Int64 = 0
            for byte in bytes[range] {
                guard (48...57).contains(byte) else { return nil }
                value = value * 10 + Int64(byte - 48)
            }
            return value
        }
        let marks: [(Int, UInt8)] = [(4, 45), (7, 45), (10, 84), (13, 58), (16, 58)]  // ----T::
        guard (20...30).contains(bytes.count), bytes.last == 90, marks.allSatisfy({ bytes[$0.0] == $0.1 }),
            let year = number(0..<4), let month = number(5..<7), let day = number(8..<10), let hour = number(11..<13),
            let minute = number(14..<16), let second = number(17..<19), (1700...2261).contains(year),
            (1...12).contains(month),
            (1...31).contains(day), hour < 24, minute < 60, second < 61
        else { return nil }
        var milliseconds: Int64 = 0
        if bytes.count > 20 {
            let digits = bytes[20..<(bytes.count - 1)]
            guard bytes[19] == 46, !digits.isEmpty, number(20..<(bytes.count - 1)) != nil else { return nil }
            for index in 0..<3 {
                milliseconds = milliseconds * 10 + (index < digits.count ? Int64(digits[20 + index] - 48) : 0)
            }
        }
        // Days from the civil date, years starting in March so that the leap day is the last one.
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let ofEra = shifted - era * 400
        let ofYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        let days = era * 146_097 + ofEra * 365 + ofEra / 4 - ofEra / 100 + ofYear - 719_468
        unixMilliseconds = (days * 86400 + hour * 3600 + minute * 60 + second) * 1000 + milliseconds
    }

    /// How long before `later`; never negative, since the wall clock may have been set back.
    package func elapsed(until later: Timestamp) -> Duration {
        .milliseconds(max(0, later.unixMilliseconds - unixMilliseconds))
    }
}
