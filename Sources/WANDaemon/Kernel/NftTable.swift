internal import LinuxIO
internal import Netlink
internal import Nftables
internal import PacketWire
internal import WANControl
package import WANDataplane
internal import WANModel

/// The nft table: a new one when the policy changes, a few elements of its maps when a choice or an address does.
package final class NftTable {
    /// What it should be, with the choices and addresses of now.
    package var wanted: () -> RulesetInput = { RulesetInput(uplinks: []) }
    /// Of its rules, in their order.
    var names: () -> [String] = { [] }
    /// It is refused, or in force again, in words.
    var onFault: (String) -> Void = { _ in }

    /// It stands where there was none, as far as we know.
    var onNew: () -> Void = {}

    /// Why it is not what it should be; `nil` while it is.
    private(set) var fault: TableFault?
    /// What it was made from, `nil` before it was.
    private var made: RulesetInput?
    private var rules: [String] = []
    /// New flows of these rules that were counted in tables of before.
    private var flowsBefore: [String: UInt64] = [:]
    private var timer: EventLoop.Timer?
    private let kernel: KernelAccess
    private let loop: EventLoop
    private let log: Log
    private let alarms: Alarms

    init(kernel: KernelAccess, loop: EventLoop, log: Log, alarms: Alarms) {
        self.kernel = kernel
        self.loop = loop
        self.log = log
        self.alarms = alarms
    }

    /// Makes the table what it should be; where it is refused, that is an outage, told and tried again.
    /// `isRepair`: whatever is thought of the table that stands.
    package func replace(isRepair: Bool = false) {
        let start = Daemon.moment()
        do throws(NftablesError) {
            try make(isRepair: isRepair)
        } catch {
            isRefused(error, took: Daemon.moment() - start)
        }
    }

    /// The whole table in one transaction, where it is not what it should be. A refused transaction changes nothing.
    func make(isRepair: Bool = false) throws(NftablesError) {
        let wanted = wanted()
        guard isRepair || wanted != made || fault != nil else { return }
        let counted = made == nil ? [:] : flows() ?? [:]
        let remembered = memories(of: wanted)
        let isNew = isRepair || fault != nil || made == nil && !kernel.translates()
        try kernel.apply(ruleset: Ruleset.make(wanted))
        made = wanted
        recall(remembered)
        if isNew { onNew() }
        // A new table counts from zero.
        rules = names()
        flowsBefore = counted.filter { rules.contains($0.key) }
        guard let before = fault else { return }
        fault = nil
        alarms.clear(.table)
        onFault("the nft table is in force\(before.isUntranslated ? "; the LAN is translated again" : "")")
    }

    /// What the table that stands has in the sets that fill; a household has some hundreds.
    private func memories(of wanted: RulesetInput) -> [NftablesChange] {
        wanted.memories(since: made).compactMap { memory in
            guard let found = try? kernel.elements(of: memory.name, limit: 4096), !found.isEmpty else { return nil }
            let most = UInt64(memory.lifetime.milliseconds)
            return .add(
                set: memory.name,
                found.map { NftablesElement($0.key, leftMilliseconds: min($0.leftMilliseconds ?? most, most)) })
        }
    }

    private func recall(_ remembered: [NftablesChange]) {
        guard !remembered.isEmpty else { return }
        do throws(NetlinkError) {
            try kernel.change(remembered)
        } catch {
            log(.warning, "sources may change their line, and connections get no reset: \(error)")
        }
    }

    /// Without a table nothing of the LAN gets out: everybody is told, another box takes the address, and it is tried again
    /// each second, at the pace of an outage and not of repairs. With an earlier table in force the choice goes on by its maps.
    /// Not so where an earlier run made that table: what its maps hold is not known.
    private func isRefused(_ error: NftablesError, took span: Duration) {
        let isUntranslated = !kernel.translates()
        let found = TableFault(
            isUntranslated: isUntranslated, isFrozen: !isUntranslated && made == nil, problem: bounded(error.summary))
        if found != fault {
            fault = found
            alarms.raise(.table, found.sentence, .error, rest: "\n\(error.text)")
            onFault(found.sentence)
        }
        guard timer == nil else { return }
        // A table that takes long to make must not keep the loop from the probes.
        let pause = max(.seconds(1), span * 20)
        timer = loop.schedule(at: (Daemon.moment() + pause).nanoseconds) { [weak self] in
            self?.timer = nil
            if self?.fault != nil { self?.replace(isRepair: true) }
        }
    }

    /// The table's maps lead where the engine says: part of a switch, some microseconds.
    ///
    /// Where the elements alone cannot make it so, or the kernel does not find them (another program took the table away in
    /// this moment), the whole table is made anew.
    func steer() {
        guard let made, fault?.isUntranslated != true else { return }
        let wanted = wanted()
        guard let changes = steering(from: made, to: wanted) else { return replace() }
        do throws(NetlinkError) {
            if !changes.isEmpty { try kernel.change(changes.flatMap(\.inNetlink)) }
            self.made = wanted
        } catch {
            log(.warning, "\(error), making the whole table anew")
            replace(isRepair: true)
        }
    }

    /// New flows of each rule of the table that stands, by name, since the daemon started or the rule came; `nil` where the
    /// kernel does not tell.
    func flows() -> [String: UInt64]? {
        guard !rules.isEmpty else { return [:] }
        do throws(NetlinkError) {
            let packets = try kernel.packets()
            var flows = flowsBefore
            for (index, rule) in rules.enumerated() {
                flows[rule, default: 0] &+= packets[TableNames.rule(index)] ?? 0
            }
            return flows
        } catch {
            log(.debug, "the rules' counters could not be read: \(error)")
            return nil
        }
    }
}
