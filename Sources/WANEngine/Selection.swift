internal import NetworkTypes
package import WANModel

/// Which uplink should carry the traffic: a function of what is known and of the present choice.
package struct Selection: Hashable, Sendable {
    /// One uplink as the choice sees it.
    package struct Candidate: Hashable, Sendable {
        package var number: UplinkNumber
        package var state: UplinkState
        package var isPresent: Bool
        /// The operator wants it empty.
        package var isDrained: Bool
        /// It failed and has not been good for long enough yet.
        package var isHeld: Bool

        package init(number: UplinkNumber, state: UplinkState, isPresent: Bool, isDrained: Bool, isHeld: Bool) {
            self.number = number
            self.state = state
            self.isPresent = isPresent
            self.isDrained = isDrained
            self.isHeld = isHeld
        }

        var isEligible: Bool { state.isUsable && !isDrained }
        /// Lower is better: working, working badly, doubtful.
        var rank: Int {
            switch state {
            case .up: 0
            case .degraded: 1
            default: 2
            }
        }
    }

    package struct Pin: Hashable, Sendable {
        package var uplink: UplinkNumber
        package var until: Moment?
        /// Stay even if it dies.
        package var strict: Bool
        /// Chosen although not usable; until it has been usable once it is stayed with as if strict.
        package var force: Bool

        package init(uplink: UplinkNumber, until: Moment?, strict: Bool, force: Bool) {
            self.uplink = uplink
            self.until = until
            self.strict = strict
            self.force = force
        }
    }

    /// Best first, in the order of the policy.
    package var candidates: [Candidate]
    package var current: UplinkNumber?
    package var pin: Pin?

    package init(candidates: [Candidate], current: UplinkNumber?, pin: Pin?) {
        self.candidates = candidates
        self.current = current
        self.pin = pin
    }

    /// The uplink for the traffic, and behind it those the kernel may fall to by itself.
    package func ladder() -> [UplinkNumber] {
        if let pin, pin.strict || pin.force { return [pin.uplink] }
        guard let first = choice() else { return [] }
        let rest = candidates.filter { $0.isEligible && $0.number != first }
        return [first] + rest.filter { $0.rank < 2 }.map(\.number) + rest.filter { $0.rank == 2 }.map(\.number)
    }

    private func choice() -> UplinkNumber? {
        let present = candidates.first { $0.number == current }
        if let pin, let pinned = candidates.first(where: { $0.number == pin.uplink }), pinned.isEligible,
            !pinned.isHeld || pinned.number == current || !isViable(present)
        {
            return pinned.number
        }
        let usable = candidates.filter(\.isEligible)
        // The order decides among equals; a degraded or doubtful one comes after every good one.
        let best = (0...2).lazy.compactMap { rank in usable.first { $0.rank == rank } }.first
        guard let present, isViable(present) else {
            // Nothing to stay with. Nothing usable at all: the last choice stays, or the first that has an interface.
            return best?.number ?? (present?.isPresent == true && present?.isDrained == false ? current : nil)
                ?? candidates.first { $0.isPresent && !$0.isDrained }?.number ?? current
        }
        // A doubtful one is not left before the doubt is settled.
        let presentRank = present.state == .degraded ? 1 : 0
        if presentRank > 0, let good = usable.first(where: { $0.rank == 0 && !$0.isHeld }) { return good.number }
        let better = candidates.prefix { $0.number != present.number }
            .first { $0.isEligible && !$0.isHeld && ($0.rank == 0 || ($0.rank == 1 && presentRank == 1)) }
        return better?.number ?? present.number
    }

    /// Whether the present choice may stay: it works, or nothing has been learned about it yet.
    private func isViable(_ present: Candidate?) -> Bool {
        guard let present, present.isPresent, !present.isDrained else { return false }
        return present.state.isUsable || present.state == .proving
    }
}
