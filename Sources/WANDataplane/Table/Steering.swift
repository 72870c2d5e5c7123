internal import NetworkTypes
internal import WANModel

/// What has to change in the table of `old` to make it that of `new`; `nil` where only a new table does.
///
/// Other choices and other addresses of the uplinks are elements of maps and sets, which is what keeps a switch short,
/// however many rules there are. Everything else of the table is text: `Ruleset.make`.
package func steering(from old: RulesetInput, to new: RulesetInput) -> [SteeringChange]? {
    guard old.withoutSteering == new.withoutSteering else { return nil }
    var changes: [SteeringChange] = []
    for (classIndex, now) in new.classes.enumerated() where new.hasChain(classIndex) && old.classes[classIndex] != now {
        changes += classChanges(classIndex, from: old.steering(of: classIndex), to: new.steering(of: classIndex))
    }
    if old.resetsStrays != new.resetsStrays {
        changes.append(
            new.resetsStrays
                ? SteeringChange(TableNames.strays, added: [SteeringChange.Element(.ipv4)])
                : SteeringChange(TableNames.strays, removed: [.ipv4]))
    }
    return changes + addressChanges(from: old.ownAddresses, to: new.ownAddresses)
}

private func classChanges(_ classIndex: Int, from old: ClassSteering, to new: ClassSteering) -> [SteeringChange] {
    var changes: [SteeringChange] = []
    if let buckets = new.buckets {
        let former = old.buckets
        let moved = buckets.indices.filter { former?[$0] != buckets[$0] }
        let elements = moved.map { SteeringChange.Element(.bucket(UInt32($0)), buckets[$0]) }
        // A map that nothing led to may hold anything.
        if !elements.isEmpty {
            changes.append(
                SteeringChange(
                    TableNames.buckets(classIndex), isFlushed: former == nil,
                    removed: former == nil ? [] : elements.map(\.key), added: elements))
        }
    }
    if old.choice != new.choice {
        changes.append(
            SteeringChange(
                TableNames.choice(classIndex), removed: [.ipv4], added: [SteeringChange.Element(.ipv4, new.choice)]))
    }
    for uplink in Set(old.holds.keys).union(new.holds.keys).sorted() {
        let (former, now) = (old.holds[uplink], new.holds[uplink])
        if former == now { continue }
        changes.append(
            SteeringChange(
                TableNames.hold(classIndex, uplink), removed: former == nil ? [] : [.ipv4],
                added: now.map { [SteeringChange.Element(.ipv4, $0)] } ?? []))
        // Its sources find another member, and stay with that one.
        if now == nil { changes.append(SteeringChange(TableNames.sticky(classIndex, uplink), isFlushed: true)) }
    }
    return changes
}

private func addressChanges(
    from old: [SteeringChange.Element], to new: [SteeringChange.Element]
) -> [SteeringChange] {
    let gone = old.filter { !new.contains($0) }
    let added = new.filter { !old.contains($0) }
    if gone.isEmpty, added.isEmpty { return [] }
    // The set has no verdicts: an address that went from one uplink to another stays in it.
    let goneAddresses = gone.map(\.key).filter { key in !new.contains { $0.key == key } }
    let addedAddresses = added.map(\.key).filter { key in !old.contains { $0.key == key } }
    return [
        SteeringChange(TableNames.own, removed: gone.map(\.key), added: added),
        SteeringChange(
            TableNames.ownAddresses, removed: goneAddresses, added: addedAddresses.map { SteeringChange.Element($0) }),
    ].filter { !$0.removed.isEmpty || !$0.added.isEmpty }
}

extension RulesetInput {
    /// All that is text in the table.
    fileprivate var withoutSteering: RulesetInput {
        var rest = self
        for index in rest.uplinks.indices {
            rest.uplinks[index].attachment = nil
            rest.uplinks[index].isUsable = true
            rest.uplinks[index].nameServers = []
        }
        for index in rest.classes.indices { rest.classes[index].choice = .nowhere }
        rest.resetsStrays = false
        return rest
    }
}
