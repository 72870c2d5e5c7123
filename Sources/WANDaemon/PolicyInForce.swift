internal import WANDataplane
internal import WANModel

/// The policy that this box obeys, with the numbers of its uplinks and what follows from both.
struct PolicyInForce {
    let loaded: LoadedPolicy
    /// By name. Numbers of names that are gone stay remembered, so that their marks are not given to another uplink.
    let numbers: [String: UplinkNumber]
    /// Rules, classes and forwards; uplinks and choices are filled in as they are.
    let table: RulesetInput
    /// The uplinks that traffic may be bound to with nothing beside.
    let strict: Set<UplinkNumber>

    init(_ loaded: LoadedPolicy, remembered: [String: UplinkNumber]) {
        self.loaded = loaded
        let assigned = UplinkNumbers.assign(loaded.policy.uplinks.map(\.name), remembered: remembered)
        let taken = Set(assigned.values)
        numbers = assigned.merging(remembered.filter { !taken.contains($0.value) }) { mine, _ in mine }
        table = RulesetInput(loaded.policy, uplinks: [], numbers: numbers, choices: [])
        strict = table.strictUplinks
    }

    var policy: Policy { loaded.policy }
    var uplinks: [(number: UplinkNumber, settings: Uplink)] {
        policy.uplinks.compactMap { uplink in numbers[uplink.name].map { ($0, uplink) } }
    }
    func name(of number: UplinkNumber) -> String {
        numbers.first { $0.value == number }?.key ?? "uplink \(number)"
    }
    func uplink(_ number: UplinkNumber) -> Uplink? { policy.uplink(named: name(of: number)) }
}
