internal import WANModel

/// What the maps of one class hold for a choice, and where each verdict leads.
struct ClassSteering {
    /// The only element of `choice_…`.
    var choice: TableVerdict
    /// All of `buckets_…`; `nil` where the choice leads past them: what they hold then does not matter.
    var buckets: [TableVerdict]?
    /// The only elements of the `hold_…` maps; none for an uplink that no source may stay with now.
    var holds: [UplinkNumber: TableVerdict] = [:]

    init(_ traffic: DataplaneClass, classIndex: Int, hasDefaultChain: Bool) {
        let active = traffic.choice.active
        // Sources stay with the members of a shared step, the last active one too: it keeps them when the others return.
        let isShared = traffic.choice.step.count > 1
        func lead(to uplink: UplinkNumber) -> TableVerdict {
            if isShared, traffic.isSticky { return .goTo(TableNames.keepChain(classIndex, uplink)) }
            return .goTo(traffic.isStrict ? TableNames.onlyChain(uplink) : TableNames.toChain(uplink))
        }
        if isShared, traffic.isSticky {
            for uplink in active where traffic.sharing.contains(uplink) { holds[uplink] = lead(to: uplink) }
        }
        if isShared, active.count > 1, let table = ShareTable.make(traffic.choice.step, active: active) {
            choice = .goTo(TableNames.shareChain(classIndex))
            buckets = table.map(lead)
        } else if let first = active.first {
            choice = lead(to: first)
        } else {
            switch traffic.otherwise {
            case .reject: choice = .goTo(TableNames.refuseChain)
            case .drop: choice = .goTo(TableNames.discardChain)
            case .default: choice = hasDefaultChain && classIndex != 0 ? .goTo(TableNames.classChain(0)) : .return
            }
        }
    }
}

extension RulesetInput {
    /// Whether what no rule names needs a mark at all. Without a shared step it follows the ladder, unmarked, and so do the
    /// packets of a class that leaves it to `failover`.
    var hasDefaultChain: Bool { classes.first.map { !$0.sharing.isEmpty } ?? false }

    /// Whether the table has a chain for the class.
    func hasChain(_ classIndex: Int) -> Bool { classIndex != 0 || hasDefaultChain }

    func steering(of classIndex: Int) -> ClassSteering {
        ClassSteering(classes[classIndex], classIndex: classIndex, hasDefaultChain: hasDefaultChain)
    }

    /// Where requests from the LAN to an address of an uplink that has forwards go: to these forwards.
    var ownAddresses: [SteeringChange.Element] {
        let forwarding = Set(forwards.flatMap(\.uplinks))
        var seen: Set<TableKey> = []
        return uplinks.filter { forwarding.contains($0.number) }.flatMap { uplink in
            uplink.addresses.map {
                SteeringChange.Element(.address($0), .jump(TableNames.forwardChain(uplink.number)))
            }
        }.filter { seen.insert($0.key).inserted }
    }
}
