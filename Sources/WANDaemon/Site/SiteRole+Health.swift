internal import WANModel

/// How good this box is, for keepalived.
extension SiteRole {
    /// What the health is made from: the lines, and what makes a box worse than its lines are.
    package struct Fitness: Hashable, Sendable {
        /// By the lines (`Engine.health`).
        package var health: Int
        /// The same, where what an earlier run told keepalived is believed.
        package var trusted: Int
        /// Something may still turn out to work, or is not known yet.
        package var isProving: Bool
        /// Nothing of the LAN is translated.
        package var isUntranslated: Bool
        /// Any other box with a good line is better: daemons crash soon after their start here, or the table cannot follow.
        package var isUnreliable: Bool

        package init(
            health: Int, trusted: Int? = nil, isProving: Bool = false, isUntranslated: Bool = false,
            isUnreliable: Bool = false
        ) {
            self.health = health
            self.trusted = trusted ?? health
            self.isProving = isProving
            self.isUntranslated = isUntranslated
            self.isUnreliable = isUnreliable
        }
    }

    private static let yielding = Duration.seconds(3)
    /// Nobody took it: not again for a while.
    private static let rest = Duration.seconds(10)

    /// What an earlier run told keepalived counts as long as a hold could have been running, and no longer.
    var trustSpan: Duration { max(settings.hold, .seconds(5)) }

    /// Tells keepalived how good this box is, where that has changed, and the other boxes: they judge by it whether anybody could
    /// take over.
    mutating func tellHealth(_ now: Moment, isForced: Bool, _ outputs: inout [Output]) {
        guard let value = health(now), value != told || isForced else { return }
        outputs.append(.health(value))
        if value != told { planHello(now) }
        told = value
    }

    /// `nil`: what the file says is left for now.
    private mutating func health(_ now: Moment) -> Int? {
        let isTrusted = (foundHealth ?? NodeHealth.none) > NodeHealth.held && now - begunAt < trustSpan
        var value = isTrusted ? fitness.trusted : fitness.health
        if fitness.isUntranslated {
            // A box that translates nothing is the last one to have the address, and that is no matter of patience.
            value = NodeHealth.none
        } else if value < max(foundHealth ?? 0, 1), now - begunAt < Self.patience, fitness.isProving {
            // A daemon that is started again must not give the address away.
            return nil
        }
        if handOver != nil || fitness.isUnreliable { value = min(value, NodeHealth.held) }
        return yields(now, to: value) ? NodeHealth.yield : value
    }

    /// Whether the address is to be given away now, in some milliseconds instead of three advertisements, or at all where
    /// the policy lets no better box take it from a living one.
    private mutating func yields(_ now: Moment, to value: Int) -> Bool {
        if let until = yieldsUntil {
            if now < until, value <= NodeHealth.held { return true }
            yieldsUntil = nil
            return false
        }
        guard role == .master, value <= NodeHealth.held else { return false }
        let others = freshHealth(now)
        // With preemption a better box takes the address by itself, only less quickly: it is given away when this one falls.
        // Without, it has to be given, now or when somebody comes to be better; where nobody is heard, in hope, once.
        let isFalling = (told ?? NodeHealth.none) > NodeHealth.held
        let mustGive = settings.vrrp.mustGive
        let isRested = yieldedAt.map { now - $0 > Self.rest } ?? true
        let isBetter = others.contains { $0 > NodeHealth.held }
        guard isBetter && (isFalling || mustGive && isRested) || others.isEmpty && isFalling && mustGive else {
            return false
        }
        yieldedAt = now
        yieldsUntil = now + Self.yielding
        return true
    }

    /// keepalived is in FAULT: a second for the others to take over, then the truth again.
    mutating func endYieldSoon(_ now: Moment) {
        if yieldsUntil != nil { yieldsUntil = now + .seconds(1) }
    }
}
