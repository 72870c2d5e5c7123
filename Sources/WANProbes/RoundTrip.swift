internal import LinuxIO
package import WANModel

/// Both clocks at one instant.
///
/// Their difference changes only when somebody sets the wall clock: NTP's slewing moves both alike (adjtimex(2)), and sleep
/// passes on both.
package struct ClockReading: Hashable, Sendable {
    package var boottime: Int64
    package var realtime: Int64

    package init(boottime: Int64, realtime: Int64) {
        self.boottime = boottime
        self.realtime = realtime
    }

    /// Reads both within 20 µs of each other, or after three tries as well as it goes.
    package static func now() -> ClockReading {
        var before = Clock.boottime()
        var realtime = Clock.realtime()
        var after = Clock.boottime()
        for _ in 0..<2 where after - before > 20_000 {
            before = after
            realtime = Clock.realtime()
            after = Clock.boottime()
        }
        return ClockReading(boottime: before + (after - before) / 2, realtime: realtime)
    }

    var offset: Int64 { realtime - boottime }
}

/// How long a probe took, by the kernel's receive stamp where it can be trusted.
package struct RoundTrip: Hashable, Sendable {
    package var rtt: Duration
    package var receivedAt: Moment

    /// A change of the clocks' difference up to this is the jitter of reading them one after the other; an error of this size
    /// is the most a step can smuggle into an RTT.
    private static let stepTolerance: Int64 = 500_000

    /// - Parameter stamp: when the kernel received the answer, by CLOCK_REALTIME. On a Raspberry Pi without RTC that clock
    ///   jumps by years when NTP first answers: then the time at which the answer was read has to do.
    package init(sent: ClockReading, stamp: Int64?, read: ClockReading) {
        let elapsed = max(0, read.boottime - sent.boottime)
        var nanoseconds = elapsed
        if let stamp, abs(read.offset - sent.offset) <= Self.stepTolerance {
            let stamped = stamp - sent.realtime
            if (-Self.stepTolerance...(elapsed + Self.stepTolerance)).contains(stamped) {
                nanoseconds = min(max(0, stamped), elapsed)
            }
        }
        rtt = .nanoseconds(nanoseconds)
        receivedAt = Moment(nanoseconds: sent.boottime + nanoseconds)
    }
}
