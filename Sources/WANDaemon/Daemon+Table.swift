internal import Netlink
internal import NetworkTypes
internal import Nftables
internal import PacketWire
internal import WANDataplane
internal import WANEngine
internal import WANModel

/// The nft table: a new one when the policy changes, a few elements of its maps when a choice or an address does.
extension Daemon {
    /// Sysctls and the nft table: at start and when the policy changes.
    func prepareKernel() {
        if !policy.lan.interfaces.isEmpty, policy.lan.forwarding == .on, let done = KernelSettings.enableForwarding() {
            note(kind: "sysctl", done)
        }
        replaceTable()
        if let done = KernelSettings.countFlowOctets() { log(.info, done) }
    }

    /// What the table should be, with the choices and addresses of now.
    private func wantedTable() -> RulesetInput {
        var input = tableOfPolicy
        let present = dataplaneUplinks()
        input.uplinks = present + (former ?? []).filter { old in !present.contains { $0.interface == old.interface } }
        for (place, choice) in engine.choices.enumerated() where input.classes.indices.contains(place) {
            input.classes[place].choice = choice
        }
        input.resetsStrays = expectsStrays
        return input
    }

    /// The whole table in one transaction, where it is not what it should be; `isRepair`: whatever is thought of it.
    func replaceTable(isRepair: Bool = false) {
        let wanted = wantedTable()
        guard isRepair || wanted != table else { return }
        let counted = table == nil ? [:] : ruleFlows() ?? [:]
        do throws(NftablesError) {
            try kernel.apply(ruleset: Ruleset.make(wanted))
            table = wanted
            // A new table counts from zero.
            countedRules = policy.rules.map(\.name)
            ruleFlowsBefore = counted.filter { countedRules.contains($0.key) }
            warnings["nftables"] = nil
        } catch {
            // The table of before stands: a refused transaction changes nothing.
            warnings["nftables"] = "the nft table could not be made: \(error)"
            log(.error, warnings["nftables"] ?? "")
            // Without it the LAN has no source NAT: try again, at the pace of repairs.
            // Never at once: at start nothing is known yet of where the uplinks are attached.
            tableIsDamaged = true
            repairLater(at: max(repairPace.next(at: Daemon.moment()), Daemon.moment() + .seconds(1)))
        }
    }

    /// The table's maps lead where the engine says: part of a switch, some microseconds.
    ///
    /// Where the elements alone cannot make it so, or the kernel does not find them (another program took the table away in
    /// this moment), the whole table is made anew.
    func steer() {
        guard let table else { return }
        let wanted = wantedTable()
        guard let changes = steering(from: table, to: wanted) else { return replaceTable() }
        guard !changes.isEmpty else {
            self.table = wanted
            return
        }
        do throws(NetlinkError) {
            try kernel.elements.perform(changes.flatMap(\.inNetlink), in: .inet("wanctl"))
            self.table = wanted
        } catch {
            log(.warning, "\(error), making the whole table anew")
            replaceTable(isRepair: true)
        }
    }
}
