internal import WANModel

/// Smoothed round-trip time and its deviation, and the wait they justify (RFC 6298 section 2).
package struct RTTEstimator: Hashable, Sendable {
    /// Nanoseconds; `nil` before the first sample.
    private var smoothed: Double?
    private var deviation = 0.0

    package init() {}

    package mutating func record(_ rtt: Duration) {
        let sample = Double(max(rtt.nanoseconds, 0))
        guard let mean = smoothed else {
            smoothed = sample
            deviation = sample / 2
            return
        }
        deviation += (abs(mean - sample) - deviation) / 4
        smoothed = mean + (sample - mean) / 8
    }

    /// SRTT.
    package var rtt: Duration? { smoothed.map { .nanoseconds(Int64($0)) } }
    /// RTTVAR.
    package var jitter: Duration? { smoothed == nil ? nil : .nanoseconds(Int64(deviation)) }

    /// RTO = SRTT + 4·RTTVAR, within `bounds`; the upper bound before the first sample.
    ///
    /// The clock's granularity G of the RFC is below a microsecond here and drops out.
    package var timeout: Duration {
        guard let smoothed else { return Self.bounds.upperBound }
        let wait = Duration.nanoseconds(Int64(smoothed + 4 * deviation))
        return min(max(wait, Self.bounds.lowerBound), Self.bounds.upperBound)
    }

    /// wanctl.yaml(5): `loss-interval: auto` is 50 ms…1 s.
    package static let bounds: ClosedRange<Duration> = .milliseconds(50) ... .seconds(1)
}
