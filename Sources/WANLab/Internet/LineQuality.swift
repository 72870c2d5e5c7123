/// What a line does to packets when nothing is wrong with it, as ping shows it: a round trip.
///
/// Each way gets its half of the delay and jitter, and the loss that, met twice, makes the round trip's (1 − √(1 − loss)).
package struct LineQuality: Hashable, Sendable {
    package var delay: Duration
    /// At most so much more than `delay`, evenly spread. Packets keep their order, so a late one holds up those behind it.
    package var jitter: Duration
    /// Share of round trips lost, 0…1.
    package var loss: Double
    /// Bits a second each way; `nil` is as fast as the machine.
    package var rate: Int?

    package init(delay: Duration = .zero, jitter: Duration = .zero, loss: Double = 0, rate: Int? = nil) {
        self.delay = delay
        self.jitter = jitter
        self.loss = loss
        self.rate = rate
    }

    /// A line that adds nothing.
    package static let perfect = LineQuality()

    /// What such a line looks like at home on a good evening.
    package static func usual(_ uplink: LabUplink) -> LineQuality {
        switch uplink {
        case .ftth: LineQuality(delay: .milliseconds(5), jitter: .microseconds(400))
        case .jcom: LineQuality(delay: .milliseconds(12), jitter: .milliseconds(3))
        case .soracom: LineQuality(delay: .milliseconds(45), jitter: .milliseconds(10))
        }
    }
}

extension Duration {
    var nanoseconds: Int64 { components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000 }
    var milliseconds: Double { Double(nanoseconds) / 1e6 }
}
