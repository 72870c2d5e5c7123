internal import NetworkTypes
package import WANModel

/// Which uplinks should carry a class of traffic: a function of what is known and of the present choice.
package struct Selection: Hashable, Sendable {
    /// One uplink as the choice sees it.
    package struct Candidate: Hashable, Sendable {
        package var number: UplinkNumber
        /// Its step in the order; uplinks of one step share the load.
        package var step: Int
        package var weight: Int
        package var state: UplinkState
        package var isPresent: Bool
        /// The operator wants it empty.
        package var isDrained: Bool
        /// It failed and has not been good for long enough yet.
        package var isHeld: Bool

        package init(
            number: UplinkNumber, step: Int, weight: Int = 1, state: UplinkState, isPresent: Bool, isDrained: Bool,
            isHeld: Bool
        ) {
            self.number = number
            self.step = step
            self.weight = weight
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
        /// The rank of one that carries traffic: a doubtful one is not left before the doubt is settled.
        var standing: Int { state == .degraded ? 1 : 0 }
        /// Whether it may go on carrying traffic: it works, or nothing has been learned about it yet.
        var isViable: Bool { isPresent && !isDrained && (state.isUsable || state == .proving) }
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

    package struct Outcome: Hashable, Sendable {
        /// The uplinks for the traffic, the first of them for what cannot be shared, such as the router's own; empty: none.
        package var active: [UplinkNumber]
        /// Behind them those the kernel may fall to by itself, best first.
        package var ladder: [UplinkNumber]
    }

    /// Best first, in the order of the policy.
    package var candidates: [Candidate]
    /// The uplinks that carry the traffic now.
    package var current: [UplinkNumber]
    package var pin: Pin?
    /// Where nothing is usable, one that is to be kept empty has to do, as a router in graceful shutdown is still used by
    /// those who have no other (RFC 8326); where there is none of these, the last choice stays. Else there is no choice.
    package var keepsLastResort: Bool

    package init(candidates: [Candidate], current: [UplinkNumber], pin: Pin?, keepsLastResort: Bool = true) {
        self.candidates = candidates
        self.current = current
        self.pin = pin
        self.keepsLastResort = keepsLastResort
    }

    package func outcome() -> Outcome {
        if let pin, pin.strict || pin.force { return Outcome(active: [pin.uplink], ladder: [pin.uplink]) }
        if keepsLastResort, !(candidates.contains { $0.isEligible || (current.contains($0.number) && $0.isViable) }) {
            var rest = self
            for index in candidates.indices where candidates[index].state.isUsable {
                rest.candidates[index].isDrained = false
            }
            return rest.choice()
        }
        return choice()
    }

    private func choice() -> Outcome {
        guard let lead = lead() else { return Outcome(active: [], ladder: []) }
        let active = sharers(with: lead)
        let rest = candidates.filter { $0.isEligible && !active.contains($0.number) }
        return Outcome(
            active: active,
            ladder: active + rest.filter { $0.rank < 2 }.map(\.number) + rest.filter { $0.rank == 2 }.map(\.number))
    }

    /// The uplink whose step is used.
    private func lead() -> Candidate? {
        let staying = candidates.filter { current.contains($0.number) && $0.isViable }
        if let pinned = pinned, pinned.isEligible,
            !pinned.isHeld || current.contains(pinned.number) || staying.isEmpty
        {
            return pinned
        }
        let usable = candidates.filter(\.isEligible)
        guard let present = first(of: staying, by: \.standing) else {
            // Nothing to stay with: the order decides among equals; a degraded or doubtful one comes after every good one.
            if let best = first(of: usable, by: \.rank) { return best }
            return keepsLastResort ? lastResort : nil
        }
        if present.standing > 0, let good = usable.first(where: { $0.rank == 0 && !$0.isHeld }) { return good }
        return candidates.prefix { $0.step < present.step }
            .first { $0.isEligible && !$0.isHeld && ($0.rank == 0 || ($0.rank == 1 && present.standing == 1)) }
            ?? present
    }

    private var pinned: Candidate? { pin.flatMap { pin in candidates.first { $0.number == pin.uplink } } }

    /// Nothing is usable at all: the last choice, or the first that has an interface, or the last choice without one.
    private var lastResort: Candidate? {
        let present = candidates.filter { $0.isPresent && !$0.isDrained }
        return present.first { current.contains($0.number) } ?? present.first
            ?? candidates.first { current.contains($0.number) }
    }

    private func first(of list: [Candidate], by rank: KeyPath<Candidate, Int>) -> Candidate? {
        (0...2).lazy.compactMap { wanted in list.first { $0[keyPath: rank] == wanted } }.first
    }

    /// All of the lead's step that take part, the one for unshared traffic first: it stays the same as long as it can.
    private func sharers(with lead: Candidate) -> [UplinkNumber] {
        if pinned?.number == lead.number { return [lead.number] }
        let members = candidates.filter { member in
            guard member.step == lead.step else { return false }
            if member.number == lead.number { return true }
            if current.contains(member.number) { return member.isViable && member.standing <= lead.standing }
            return member.isEligible && (!member.isHeld || lead.isHeld) && member.rank <= lead.rank
        }
        let head =
            current.lazy.compactMap { number in members.first { $0.number == number } }.first
            ?? members.max { $0.weight < $1.weight }
        guard let head else { return [] }
        return [head.number] + members.map(\.number).filter { $0 != head.number }
    }
}
