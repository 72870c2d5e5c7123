import NetworkTypes
import TestSupport
import WANDataplane
import WANModel

/// Choices and addresses that change one after the other: a table that was steered through all of them holds what a new one would, and
/// leads to chains that it has.
func steerTable(_ bytes: [UInt8]) {
    var decisions = Decisions(bytes)
    var now = tableInput(&decisions)
    var text = Ruleset.make(now)
    var table = FakeTable(text)
    for _ in 0..<40 where !decisions.isOver {
        var next = now
        change(&next, &decisions)
        if let changes = steering(from: now, to: next) {
            for change in changes {
                do throws(FakeTable.Refusal) { try table.apply(change) } catch {
                    preconditionFailure("nftables would refuse it: \(error.text)")
                }
            }
        } else {
            text = Ruleset.make(next)
            table = FakeTable(text)
        }
        now = next
    }
    let fresh = FakeTable(Ruleset.make(now))
    precondition(Set(fresh.elements.keys) == Set(table.elements.keys), "other sets and maps than a new table's")
    for (name, elements) in fresh.elements {
        // What no choice leads to holds what it held.
        if name.hasPrefix("buckets_"), elements.isEmpty { continue }
        precondition(table.elements[name] == elements, "\(name) is not what a new table has")
    }
    checkChains(of: text, table)
    precondition(Set(now.memories(since: now).map(\.name)).isSubset(of: table.elements.keys), "a memory of no set")
}

private func checkChains(of text: String, _ table: FakeTable) {
    let chains = Set(
        text.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            return words.first == "chain" && words.count == 3 ? words[1] : nil
        })
    for verdict in table.elements.values.flatMap(\.values) {
        let words = verdict.split(separator: " ")
        guard words.count == 2 else { continue }
        precondition(chains.contains(words[1]), "\(verdict): there is no such chain")
    }
}

private func tableInput(_ decisions: inout Decisions) -> RulesetInput {
    let policy = SomePolicy.make(&decisions)
    var input = RulesetInput(policy, uplinks: [], numbers: SomePolicy.numbers, choices: [])
    for uplink in policy.uplinks {
        guard let number = SomePolicy.numbers[uplink.name] else { continue }
        input.uplinks.append(DataplaneUplink(number: number, interface: uplink.interface, attachment: nil))
        // As while a policy is exchanged.
        if decisions.below(4) == 3 {
            input.uplinks.append(DataplaneUplink(number: number, interface: "former-\(number)", attachment: nil))
        }
    }
    let sticky: [Duration?] = [nil, .seconds(60), .seconds(600)]
    for index in input.classes.indices { input.classes[index].sticky = decisions.one(of: sticky) }
    let numbers = input.uplinks.map(\.number)
    input.forwards = (0..<decisions.below(3)).map { index in
        DataplaneForward(
            uplinks: [decisions.one(of: numbers)], transport: .tcp, ports: UInt16(80 + index)...UInt16(80 + index),
            host: IPv4Address(192, 168, 0, 10), hostPort: 80)
    }
    return input
}

private func change(_ input: inout RulesetInput, _ decisions: inout Decisions) {
    let kind = decisions.below(16)
    switch kind {
    case 0: input.resetsStrays.toggle()
    case 1...5: attach(&input.uplinks[decisions.below(input.uplinks.count)], &decisions)
    case 6:
        // What is text.
        let index = decisions.below(input.classes.count)
        input.classes[index].sticky = input.classes[index].sticky == nil ? .seconds(60) : nil
    case 7: input.uplinks[decisions.below(input.uplinks.count)].isUsable.toggle()
    default:
        // Several classes may change in one step.
        for index in input.classes.indices where kind > 12 || decisions.flag() {
            input.classes[index].choice = choice(of: input.classes[index], in: input, index, &decisions)
        }
    }
}

private func attach(_ uplink: inout DataplaneUplink, _ decisions: inout Decisions) {
    let kind = decisions.below(64)
    guard kind != 0 else {
        uplink.attachment = nil
        return
    }
    // Two addresses at most, of four: several uplinks may have one.
    uplink.attachment = Attachment(
        interfaceIndex: InterfaceIndex(rawValue: 5), interface: uplink.interface,
        addresses: [kind & 3, kind >> 2 & 3].prefix(kind >> 4 & 3).map { .v4(IPv4Address(198, 51, 100, UInt8($0))) })
}

/// As the engine chooses: members of one step; of `failover` also a pinned uplink that is in none, and after a reload the former uplinks.
private func choice(
    of traffic: DataplaneClass, in input: RulesetInput, _ index: Int, _ decisions: inout Decisions
) -> ClassChoice {
    let kind = decisions.below(8)
    if kind == 0 { return .nowhere }
    if kind == 1, index == 0 {
        let pinned = decisions.one(of: input.uplinks.map(\.number))
        return ClassChoice(step: [.init(uplink: pinned, weight: 1)], active: [pinned])
    }
    guard kind > 3, !traffic.sharing.isEmpty else {
        let alone = traffic.uplinks.filter { !traffic.sharing.contains($0) }
        guard !alone.isEmpty else { return .nowhere }
        let one = decisions.one(of: alone)
        return ClassChoice(step: [.init(uplink: one, weight: 1)], active: [one])
    }
    // `sharing` may hold several steps; the table does not tell them apart.
    let step = traffic.sharing.map { ClassChoice.Member(uplink: $0, weight: 1 + Int($0.rawValue) % 3) }
    let mask = decisions.below(256)
    var active = traffic.sharing.enumerated().filter { mask >> $0.offset & 1 == 1 }.map(\.element)
    if active.isEmpty { active = [traffic.sharing[0]] }
    if mask & 16 != 0 { active.reverse() }
    return ClassChoice(step: kind == 4 ? [] : step, active: active)
}
