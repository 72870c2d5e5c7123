internal import NetworkTypes
internal import WANModel

/// What one target has lately answered over one uplink.
struct TargetRecord: Hashable, Sendable {
    let address: IPAddress
    var rtt = RTTEstimator()
    var window: LossWindow
    /// How often this target does not answer on a line that works: an average over about the last 32 probes.
    ///
    /// Losses enter only once the line has shown that it works; a dead line says nothing about its targets.
    var usualLoss = 0.0
    /// Lost in a row since the last answer (or since the last suspicion was cleared), not yet part of `usualLoss`.
    var unanswered = 0
    var isAnswering = false
    /// When the newest answered probe was sent.
    var answeredSince: Moment?
    /// Turns to skip until a target that hardly ever answers is asked again.
    var skips = 0

    init(address: IPAddress, window: Duration) {
        self.address = address
        self.window = LossWindow(length: window)
    }

    /// Hardly ever answers although the line works: its silence says nothing, and it is asked less often.
    var isQuiet: Bool { usualLoss >= 0.5 }

    private static let memory = 32.0
    private static let skippedTurns = 8

    /// `isSample`: sent at its regular time. Bursts are sent when something is wrong and would make a short silence look like
    /// a long one in the quality window (dpinger, NOTES.md: probes are spread over time).
    ///
    /// `endsSilence`: nothing had come from it over a line that was not usable, so what it did not answer was the line's fault.
    /// `hasWaited`: the probe was sent before the line was back, so its time says when that was; better than nothing.
    mutating func answered(
        sentAt: Moment, rtt sample: Duration, at now: Moment, wasLost: Bool, isSample: Bool, endsSilence: Bool,
        hasWaited: Bool
    ) {
        if endsSilence { forgetLosses() }
        if !hasWaited || rtt.rtt == nil { rtt.record(sample) }
        if wasLost {
            if isSample { window.foundAgain(at: now) }
            unanswered = max(0, unanswered - 1)
        } else if isSample {
            window.answered(at: now)
        }
        believeLosses()
        usualLoss -= usualLoss / Self.memory
        isAnswering = true
        answeredSince = max(answeredSince ?? sentAt, sentAt)
    }

    mutating func lost(at now: Moment, isSample: Bool) {
        if isSample { window.lost(at: now) }
        unanswered += 1
        isAnswering = false
    }

    /// The line works: what was not answered is this target's own loss.
    mutating func believeLosses() {
        for _ in 0..<min(unanswered, 64) { usualLoss += (1 - usualLoss) / Self.memory }
        unanswered = 0
    }

    /// The line was down: what was not answered was the line's fault.
    mutating func forgetLosses() { unanswered = 0 }

    /// Whether it is this target's turn; a quiet one is asked every eighth time.
    mutating func takesTurn() -> Bool {
        guard isQuiet else { return true }
        skips -= 1
        if skips > 0 { return false }
        skips = Self.skippedTurns
        return true
    }

    /// Natural logarithm of the chance that so many probes go unanswered on a line that works.
    var evidence: Double {
        Double(unanswered) * Self.logarithm(min(max(usualLoss, 0.01), 0.8))
    }

    /// ln for 0.01…1 without libm: the artanh series after scaling by halves.
    private static func logarithm(_ value: Double) -> Double {
        var value = value
        var halvings = 0.0
        while value < 0.5 {
            value *= 2
            halvings += 1
        }
        let x = (value - 1) / (value + 1)
        var term = x
        var sum = 0.0
        for odd in stride(from: 1.0, through: 21, by: 2) {
            sum += term / odd
            term *= x * x
        }
        return 2 * sum - halvings * 0.693_147_180_559_945_3
    }
}
