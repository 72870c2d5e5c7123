internal import WANModel

/// A loss that is being confirmed: the burst, and the test that ends it.
///
/// `confirm: auto` is a sequential test: the line is down when so many probes in a row stayed unanswered that chance, at the
/// loss these targets have lately shown, would explain it less than once in 10⁹. A lossy line so needs more probes, a clean
/// one five. The silence must also have lasted `patience`, because lines have short silences that are no failure.
struct Suspicion: Hashable, Sendable {
    /// When the first probe that was not answered had been sent: the silence is at least this old.
    let since: Moment
    let startedAt: Moment
    var rounds = 0
    var nextRound: Moment?
    var lastRoundExpires: Moment
    /// Lost probes in a row over all targets, for `confirm: off`.
    var lostInARow = 0
    var countersAtStart: InterfaceCounters?
    var countersNow: InterfaceCounters?
    /// Answers that count: distinct targets that answered a probe sent since the silence began.
    var answeredTargets: Set<Int> = []
    /// The verdict was due but the fault is not this line's.
    var exonerated = false

    /// ln 10⁻⁹.
    static let certainty = -20.723_265_836_946_41

    /// When to ask again or to look at the evidence again; of the moments that make it enough, those gone by need no other look.
    func deadline(patience: Duration, after now: Moment) -> Moment? {
        var first = Earliest()
        first.take(nextRound)
        for moment in [since + patience, lastRoundExpires] where moment > now { first.take(moment) }
        return first.moment
    }

    /// Packets came in since the suspicion began: the line is not dead, or not wholly; it gets the longest loss interval.
    ///
    /// A handful may be broadcasts of a home router that lost its own uplink.
    var receiverMoves: Bool {
        guard let start = countersAtStart, let now = countersNow else { return false }
        return now.rxPackets &- start.rxPackets > 8
    }

    /// How a person is told about the receiver.
    var receiverText: String {
        guard let start = countersAtStart, let now = countersNow else { return "rx counter unknown" }
        let packets = now.rxPackets &- start.rxPackets
        return packets == 0 ? "rx counter still" : "rx counter moved by \(packets) packets"
    }
}
