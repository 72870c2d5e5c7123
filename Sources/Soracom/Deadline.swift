internal import LinuxIO

/// A moment by which an errand must have ended, whatever it is made of.
package struct Deadline: Hashable, Sendable {
    private let moment: Int64

    package init(in duration: Duration) {
        let (seconds, attoseconds) = duration.components
        moment = Clock.boottime() + seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }

    private init(moment: Int64) { self.moment = moment }

    /// What is left of it; not negative.
    package var left: Duration { .nanoseconds(max(0, moment - Clock.boottime())) }

    package var hasPassed: Bool { moment <= Clock.boottime() }

    /// A deadline after an equal share of what is left, for one of several attempts; an attempt that ends early leaves more to
    /// the others.
    package func share(of attempts: Int) -> Deadline {
        let now = Clock.boottime()
        return Deadline(moment: now + max(0, moment - now) / Int64(max(1, attempts)))
    }
}
