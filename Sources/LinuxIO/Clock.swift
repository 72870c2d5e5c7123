internal import CLinux
internal import Glibc

/// The clocks, in nanoseconds.
package enum Clock {
    /// CLOCK_BOOTTIME: never jumps, goes on while the machine sleeps. The daemon's only clock for decisions.
    package static func boottime() -> Int64 { read(CLOCK_BOOTTIME) }
    /// CLOCK_REALTIME: UNIX time, may jump. For what people read and what outlives a reboot.
    package static func realtime() -> Int64 { read(CLOCK_REALTIME) }

    /// CLOCK_MONOTONIC, which systemd reckons with.
    package static func monotonic() -> Int64 { read(CLOCK_MONOTONIC) }

    private static func read(_ clock: Int32) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// CPU time of this process, user and system (CLOCK_PROCESS_CPUTIME_ID).
    package static func processCPU() -> Int64 { read(CLOCK_PROCESS_CPUTIME_ID) }
}

/// UNIX time as RFC 3339 in UTC, with milliseconds if asked: `2026-11-21T00:00:00Z`.
package func rfc3339(_ unixNanoseconds: Int64, milliseconds: Bool = false) -> String {
    // Rounded down, so that a fraction before 1970 counts forward as everywhere.
    let (quotient, remainder) = unixNanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
    var seconds = time_t(remainder < 0 ? quotient - 1 : quotient)
    let rest = remainder < 0 ? remainder + 1_000_000_000 : remainder
    var broken = tm()
    gmtime_r(&seconds, &broken)
    func pad(_ value: some BinaryInteger, _ width: Int) -> String {
        let text = String(value)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }
    let date = "\(pad(broken.tm_year + 1900, 4))-\(pad(broken.tm_mon + 1, 2))-\(pad(broken.tm_mday, 2))"
    let time = "\(pad(broken.tm_hour, 2)):\(pad(broken.tm_min, 2)):\(pad(broken.tm_sec, 2))"
    let fraction = milliseconds ? ".\(pad(rest / 1_000_000, 3))" : ""
    return "\(date)T\(time)\(fraction)Z"
}
