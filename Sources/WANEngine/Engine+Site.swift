package import WANModel

/// This box among others that share the LAN's gateway address.
extension Engine {
    /// How long the expensive class outlives the role: hosts that have not heard of the new gateway still send here.
    private static let farewell: Duration = .seconds(2)

    mutating func standBy(_ isStandingBy: Bool, at now: Moment) {
        guard isStandingBy != isBackup else { return }
        isBackup = isStandingBy
        // A box that starts has raised nothing, and asks all its uplinks as soon as they are there.
        guard knowsUplinks else { return }
        requestChoice(needsRoute: true)
        for index in records.indices {
            // Only what was raised for the traffic.
            if isStandingBy, isUsed(records[index].number), let speed = records[index].speed,
                speed.wanted == records[index].settings.soracom?.selected
            {
                records[index].raisedUntil = now + Self.farewell
            }
            // What rested is asked at once whether it works, what worked is asked less often.
            if records[index].settings.metered { records[index].nextProbe = nil }
        }
    }

    /// What keepalived is to be told of this box (`NodeHealth`). `ranks`: of its uplinks in the site's order, which has `count`.
    ///
    /// A line that is past its quality limits, or to be kept empty, counts as one that is held: a good one of any box comes before
    /// it, as one of this box would, and where nobody has a good one the address stays where it is.
    ///
    /// `isTrusted`: this box was good when an earlier daemon ended, so what has not failed since waits for no hold; a restart
    /// must neither give the address away nor take it back too early.
    package func health(ranks: [String: Int], count: Int, isTrusted: Bool = false, at now: Moment) -> Int {
        NodeHealth.value(
            of: records.compactMap { record in
                // The line that carries the traffic is stayed with, as in every choice: it is not held, and an address added to
                // it does not make it a worse one.
                let carries = !isBackup && share.contains(record.number)
                let isSettling = carries && record.state == .proving && record.goodSince != nil && !record.isDrained
                let holds = record.holdUntil.map { $0 > now } ?? false
                let isHeld = holds && !carries && !(isTrusted && record.flaps == 0)
                // Where the operator wants the site's traffic no other box comes before.
                let isWanted = pin?.uplink == record.number && !isBackup
                return ranks[record.settings.name].map {
                    NodeHealth.Candidate(
                        rank: isWanted ? 0 : $0, isUsable: record.state.isUsable || isSettling,
                        isHeld: isHeld || record.isPoor || record.isDrained)
                }
            }, count: count)
    }

    /// Whether something may still turn out to work: a box that has just started knows nothing of its uplinks.
    package var isProving: Bool { records.contains { $0.state == .proving } }
}
