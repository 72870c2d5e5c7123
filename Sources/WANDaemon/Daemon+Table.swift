internal import LinuxIO
internal import Netlink
internal import NetworkTypes
internal import Nftables
internal import PacketWire
internal import WANControl
internal import WANDataplane
internal import WANEngine
internal import WANModel

/// The nft table: a new one when the policy changes, a few elements of its maps when a choice or an address does.
extension Daemon {
    /// What forwarding and counting need of the kernel besides the table: at start and when the policy changes.
    func prepareSysctls() {
        if !policy.lan.interfaces.isEmpty, policy.lan.forwarding == .on, tableFault?.isUntranslated != true,
            let done = KernelSettings.enableForwarding()
        {
            note(kind: "sysctl", done)
        }
        if let done = KernelSettings.countFlowOctets() { log(.info, done) }
    }

    /// What the table should be, with the choices and addresses of now.
    private func wantedTable() -> RulesetInput {
        var input = inForce.table
        let present = dataplaneUplinks()
        input.uplinks = present + (former ?? []).filter { old in !present.contains { $0.interface == old.interface } }
        for (place, choice) in engine.choices.enumerated() where input.classes.indices.contains(place) {
            input.classes[place].choice = choice
        }
        input.resetsStrays = expectsStrays
        return input
    }

    /// Makes the table what it should be; where it is refused, that is an outage, told and tried again.
    /// `isRepair`: whatever is thought of the table that stands.
    func replaceTable(isRepair: Bool = false) {
        let start = Daemon.moment()
        do throws(NftablesError) {
            try makeTable(isRepair: isRepair)
        } catch {
            tableIsRefused(error, took: Daemon.moment() - start)
        }
    }

    /// The whole table in one transaction, where it is not what it should be. A refused transaction changes nothing.
    func makeTable(isRepair: Bool = false) throws(NftablesError) {
        let wanted = wantedTable()
        guard isRepair || wanted != table || tableFault != nil else { return }
        let counted = table == nil ? [:] : ruleFlows() ?? [:]
        try kernel.apply(ruleset: Ruleset.make(wanted))
        table = wanted
        // A new table counts from zero.
        countedRules = policy.rules.map(\.name)
        ruleFlowsBefore = counted.filter { countedRules.contains($0.key) }
        guard let fault = tableFault else { return }
        tableFault = nil
        alarms.clear(.table)
        note(kind: "table", "the nft table is in force\(fault.isUntranslated ? "; the LAN is translated again" : "")")
        // What is forwarded from now on is translated.
        prepareSysctls()
        // In the middle of a reload the places are the new policy's and the site the old one's; the site is taken in there.
        if former == nil { writeHealth() }
    }

    /// Without a table nothing of the LAN gets out: everybody is told, another box takes the address, and it is tried again
    /// each second, at the pace of an outage and not of repairs. With an earlier table in force the choice goes on by its maps.
    /// Not so where an earlier run made that table: what its maps hold is not known.
    private func tableIsRefused(_ error: NftablesError, took span: Duration) {
        let isUntranslated = !kernel.translates()
        let fault = TableFault(
            isUntranslated: isUntranslated, isFrozen: !isUntranslated && table == nil, problem: error.summary)
        if fault != tableFault {
            tableFault = fault
            alarms.raise(.table, fault.sentence, .error, rest: "\n\(error.text)")
            note(kind: "table", fault.sentence, isLogged: true)
            writeHealth()
        }
        guard tableTimer == nil else { return }
        // A table that takes long to make must not keep the loop from the probes.
        let pause = max(.seconds(1), span * 20)
        tableTimer = loop.schedule(at: (Daemon.moment() + pause).nanoseconds) { [weak self] in
            self?.tableTimer = nil
            if self?.tableFault != nil { self?.replaceTable(isRepair: true) }
        }
    }

    /// The table's maps lead where the engine says: part of a switch, some microseconds.
    ///
    /// Where the elements alone cannot make it so, or the kernel does not find them (another program took the table away in
    /// this moment), the whole table is made anew.
    func steer() {
        guard let table, tableFault?.isUntranslated != true else { return }
        let wanted = wantedTable()
        guard let changes = steering(from: table, to: wanted) else { return replaceTable() }
        guard !changes.isEmpty else {
            self.table = wanted
            return
        }
        do throws(NetlinkError) {
            try kernel.change(changes.flatMap(\.inNetlink))
            self.table = wanted
        } catch {
            log(.warning, "\(error), making the whole table anew")
            replaceTable(isRepair: true)
        }
    }
}
