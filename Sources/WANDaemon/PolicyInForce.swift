internal import WANDataplane
package import WANModel

/// The policy that this box obeys, with the numbers of its uplinks and what follows from both.
package struct PolicyInForce {
    package let loaded: LoadedPolicy
    /// By name. Numbers of names that are gone stay remembered, so that their marks are not given to another uplink.
    package let numbers: [String: UplinkNumber]
    /// Rules, classes and forwards; uplinks and choices are filled in as they are.
    let table: RulesetInput
    /// The uplinks that traffic may be bound to with nothing beside.
    let strict: Set<UplinkNumber>

    /// - Parameter former: The policy that this one follows. An uplink of a new name on the interface of one whose name is gone is
    ///   the same line: it keeps the number, and with it its flows, what is known of it, and what the operator said of it.
    package init(_ loaded: LoadedPolicy, remembered known: [String: UplinkNumber], after former: Policy? = nil) {
        self.loaded = loaded
        var remembered = known
        for uplink in loaded.policy.uplinks where former?.uplink(named: uplink.name) == nil {
            let before = former?.uplinks.first {
                $0.interface == uplink.interface && loaded.policy.uplink(named: $0.name) == nil
            }
            if let before { remembered[uplink.name] = remembered.removeValue(forKey: before.name) }
        }
        let assigned = UplinkNumbers.assign(loaded.policy.uplinks.map(\.name), remembered: remembered)
        let taken = Set(assigned.values)
        numbers = assigned.merging(remembered.filter { !taken.contains($0.value) }) { mine, _ in mine }
        table = RulesetInput(loaded.policy, uplinks: [], numbers: numbers, choices: [])
        strict = table.strictUplinks
    }

    package var policy: Policy { loaded.policy }
    package var uplinks: [(number: UplinkNumber, settings: Uplink)] {
        policy.uplinks.compactMap { uplink in numbers[uplink.name].map { ($0, uplink) } }
    }
    func name(of number: UplinkNumber) -> String {
        numbers.first { $0.value == number }?.key ?? "uplink \(number)"
    }
    func uplink(_ number: UplinkNumber) -> Uplink? { policy.uplink(named: name(of: number)) }

    /// What has to be attached anew when another policy takes over: uplinks that are gone or have another interface there. Where
    /// the marks change it is every uplink, since sockets carry the old bits.
    package func left(for next: PolicyInForce) -> (uplinks: [UplinkNumber], isMarkedAnew: Bool) {
        let left = uplinks.filter { next.uplink($0.number)?.interface != $0.settings.interface }
        return (left.map(\.number), policy.mark != next.policy.mark)
    }
}
