internal import Netlink
internal import PacketWire
internal import WANControl
internal import WANDataplane
internal import WANEngine
internal import WANModel

/// The policy's rules as they work now.
extension Daemon {
    func rulesReport() -> RulesReport {
        let counts = ruleFlows()
        let choices = engine.choices
        return RulesReport(
            rules: zip(policy.rules, policy.classOfRule).map { rule, place in
                RulesReport.Rule(
                    name: rule.name, match: "\(rule.match)",
                    order: rule.order.map(\.description).joined(separator: ", "), otherwise: rule.otherwise.rawValue,
                    uplinks: choices.indices.contains(place) ? choices[place].active.map(name) : [],
                    flows: counts?[rule.name])
            }, selected: engine.decision.share.map(name))
    }

    /// Names of the rules whose new flows take this uplink now, beside what follows `failover`.
    func rules(on uplink: UplinkNumber, choices: [ClassChoice]) -> [String] {
        zip(policy.rules, policy.classOfRule).filter { _, place in
            place > 0 && choices.indices.contains(place) && choices[place].active.contains(uplink)
        }
        .map(\.0.name)
    }
}

extension Daemon {
    /// New flows of each rule of the table that stands, by name, since the daemon started or the rule came; `nil` where the
    /// kernel does not tell.
    func ruleFlows() -> [String: UInt64]? {
        guard !countedRules.isEmpty else { return [:] }
        do throws(NetlinkError) {
            let packets = try kernel.packets()
            var flows: [String: UInt64] = [:]
            for (place, rule) in countedRules.enumerated() {
                flows[rule] = (ruleFlowsBefore[rule] ?? 0) &+ (packets[TableNames.rule(place)] ?? 0)
            }
            return flows
        } catch {
            log(.debug, "the rules' counters could not be read: \(error)")
            return nil
        }
    }

    /// Flowtables of other programs, with what they mean for us (nft(8), "FLOWTABLES").
    func flowtableNotes() -> [String] {
        guard let found = try? kernel.flowtables() else { return [] }
        return found.map { flowtable in
            // Kernels list them in different orders.
            let devices = flowtable.devices.isEmpty ? "" : " on \(flowtable.devices.sorted().joined(separator: ", "))"
            return
                "flowtable \(flowtable.name) of table \(flowtable.table.name)\(devices): flows in it bypass the rules of this router "
                + "until they end or are moved; wanctl moves them like all others, but cannot see whether they are idle"
        }
    }
}
