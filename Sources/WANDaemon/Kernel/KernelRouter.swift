package import LinuxIO
internal import Netlink
internal import NetworkTypes
internal import PacketWire
package import WANDataplane
internal import WANModel

/// Routes, rules and the table: the kernel as it is, and brought to what is wanted of it.
///
/// What is wanted is asked for when it is needed, so that a repair that had to wait makes what is right then.
package final class KernelRouter {
    /// Routes and rules that the kernel should have.
    package var wanted: () -> KernelState = { KernelState() }
    /// The way to the box of the site that carries the traffic, whether it is wanted or not.
    var relay: () -> Relay? = { nil }
    /// Links, addresses or routes changed. `isFirst`: the kernel was read for the first time.
    var onChange: (_ isFirst: Bool) -> Void = { _ in }
    /// What others had changed was put back, in words.
    var onRepair: (String) -> Void = { _ in }
    /// Our routes stand, as at a start, or again: until now the kernel may have led traffic elsewhere.
    var onRoutes: () -> Void = {}

    package private(set) var picture = KernelPicture()
    /// The kernel has been read since it is watched. Until then what stands there is an earlier run's, carries traffic, and stays.
    private(set) var hasReadKernel = false
    /// While a policy is exchanged: the uplinks of the one before. They are translated and their routes stand until there are
    /// others.
    private(set) var outgoingUplinks: [DataplaneUplink]?
    package let table: NftTable
    private var repairs = Repairs()
    private var repairTimer: EventLoop.Timer?
    private let kernel: KernelAccess
    private let attachments: Attachments
    private let loop: EventLoop
    private let log: Log
    private let alarms: Alarms

    package init(kernel: KernelAccess, attachments: Attachments, loop: EventLoop, log: Log, alarms: Alarms) throws {
        self.kernel = kernel
        self.attachments = attachments
        self.loop = loop
        self.log = log
        self.alarms = alarms
        table = NftTable(kernel: kernel, loop: loop, log: log, alarms: alarms)
        try kernel.dump(into: &picture)
    }

    func beginExchange(of uplinks: [DataplaneUplink]) { outgoingUplinks = uplinks }

    func endExchange() { outgoingUplinks = nil }

    // MARK: looking

    /// `nil` where the uplink is not attached, or its interface is gone.
    func counters(of uplink: UplinkNumber) -> InterfaceCounters? {
        attachments[uplink].flatMap { kernel.counters(of: $0.interfaceIndex) }
    }

    /// Over which interface the kernel would send what nobody bound to anything; `nil` where it would not.
    func lookup(_ target: IPAddress) -> InterfaceIndex? { kernel.lookup(target) }

    private static let mostNotices = 16

    /// What other programs have that concerns us, in words: flowtables (nft(8), "FLOWTABLES"), and what stands in our places.
    package var notices: [String] {
        let flowtables = ((try? kernel.flowtables()) ?? []).map { flowtable in
            // Kernels list them in different orders.
            let devices = flowtable.devices.isEmpty ? "" : " on \(flowtable.devices.sorted().joined(separator: ", "))"
            return
                "flowtable \(flowtable.name) of table \(flowtable.table.name)\(devices): flows in it bypass the rules of this router "
                + "until they end or are moved; wanctl moves them like all others, but cannot see whether they are idle"
        }
        let all = flowtables + picture.intruders.sorted().map { "not ours, but in our range: \($0)" }
        let shown = all.prefix(Self.mostNotices).map { bounded($0) }
        return shown + (all.count > shown.count ? ["and \(all.count - shown.count) more of other programs"] : [])
    }

    // MARK: what the kernel tells

    /// Hands on what the kernel tells from now on, and reads what it has: what happened since it was first read and before this
    /// is in neither.
    package func watch(_ handler: @escaping ([KernelNews]) -> Void) throws(SystemCallError) {
        try kernel.watch(loop, handler)
        resync(because: nil)
    }

    func take(_ news: [KernelNews]) {
        var concernsOthers = false
        let taken = picture.routesTaken
        let relayBefore = relay()
        var lost: String?
        for item in news {
            switch item {
            case .lost(let reason): lost = reason
            case .table: repair(.table, because: ["nft table \(Ruleset.table) was changed or deleted"])
            case .network(let event):
                // Our own changes were taken in when the kernel acknowledged them; their echo may be older than the picture.
                if event.port == kernel.port { continue }
                picture.take(event)
                concernsOthers = true
            }
        }
        if let lost { return resync(because: lost) }
        guard concernsOthers else { return }
        onChange(false)
        // A link that went down and up within one batch is attached as before, without its routes: that is nobody's
        // attack on them and does not wait for the pace of repairs.
        // Nor is the LAN's interface coming up under the way to the box that has the address.
        if picture.routesTaken != taken || relay() != relayBefore {
            reconcile()
            onRoutes()
        }
        repairIfNeeded()
    }

    /// Reads everything anew: at start, and after a notification was lost.
    private func resync(because reason: String?) {
        if let reason { log(.warning, "events of the kernel were lost (\(reason)), looking at everything anew") }
        do throws(NetlinkError) {
            try kernel.dump(into: &picture)
            alarms.clear(.netlink)
        } catch {
            alarms.raise(
                .netlink, "the kernel's state could not be read: \(error)", .error, rest: ", trying again each second")
            loop.schedule(at: Clock.boottime() + 1_000_000_000) { [weak self] in self?.resync(because: "retry") }
            return
        }
        onChange(!hasReadKernel)
        if hasReadKernel { return repairIfNeeded() }
        // What an earlier run left is ours now, and what must go of it goes. That is no repair: nobody but that run made it.
        hasReadKernel = true
        reconcile()
        onRoutes()
    }

    // MARK: what we want of it

    package enum Removals {
        case now
        /// As while a policy is exchanged.
        case later
    }

    /// What the kernel should have, and the metrics in `main` where another program's default stands in place of ours.
    ///
    /// `ip route replace` would take that default's place: it stays, and our mirror waits.
    private func plane() -> (wanted: KernelState, taken: [UInt32]) {
        var wanted = wanted()
        let taken = wanted.routes.keys.filter { key in
            key.table == .main && key.destination.isDefault
                && picture.foreignDefaults.contains {
                    $0.table == .main && $0.metric == key.metric && $0.tos == 0
                }
        }
        for key in taken { wanted.routes[key] = nil }
        return (wanted, taken.map(\.metric).sorted())
    }

    private func tellOfTaken(_ metrics: [UInt32]) {
        guard let metric = metrics.first else { return alarms.clear(.mirror) }
        alarms.raise(
            .mirror, "another program's default route has metric \(metric) in main; ours is not shown there")
    }

    /// Brings routes, rules and the table's maps to what is wanted; `nil`, or what went wrong.
    @discardableResult
    package func reconcile(removals: Removals = .now) -> String? {
        // First the routes: a mark never leads to a table that is not filled yet.
        defer { table.steer() }
        let keepsOld = removals == .later || outgoingUplinks != nil || !hasReadKernel
        let (wanted, taken) = plane()
        tellOfTaken(taken)
        let steps = changes(from: picture.found, to: wanted).filter { !keepsOld || !$0.isRemoval }
        let failures = steps.isEmpty ? [] : kernel.apply(steps, to: &picture.found)
        guard !failures.isEmpty else {
            alarms.clear(.routes)
            return nil
        }
        let text = bounded(failures.joined(separator: "; "))
        alarms.raise(.routes, "the kernel refused: \(text)", .error, rest: ", looking at everything anew")
        repair(.plane, because: [])
        return text
    }

    // MARK: repairs

    /// Something of ours is not as it should be although we changed nothing: somebody else did.
    private func repairIfNeeded() {
        let steps = changes(from: picture.found, to: plane().wanted)
        if steps.isEmpty { return }
        repair(
            .plane, because: ["\(steps.count) of our routes and rules were changed by another program (\(steps[0]))"])
    }

    /// Now, or when its pace allows it.
    private func repair(_ part: Repairs.Part, because reasons: [String]) {
        let now = Daemon.moment()
        let due = repairs.need(part, because: reasons, at: now)
        // Without a table nothing of the LAN gets out: that is no matter of minutes, whoever takes it away.
        if part == .table, due > now + .seconds(1), !kernel.translates() {
            repairs.need(part, because: [], at: now, within: .seconds(1))
        }
        repairWhatIsDue()
    }

    private func repairWhatIsDue() {
        for (part, reasons) in repairs.take(at: Daemon.moment()) {
            var outcome = ", put back"
            switch part {
            case .table:
                table.replace(isRepair: true)
                if table.fault != nil { outcome = "; the nft table is refused" }
            case .plane:
                do throws(NetlinkError) {
                    try kernel.dump(into: &picture)
                } catch {
                    log(.error, "the kernel's state could not be read: \(error), trying again")
                    repairs.need(.plane, because: reasons, at: Daemon.moment() + .seconds(1))
                    continue
                }
                reconcile()
                onRoutes()
            }
            if !reasons.isEmpty { onRepair(reasons.joined(separator: "; ") + outcome) }
        }
        if let repairTimer { loop.cancel(repairTimer) }
        repairTimer = repairs.next.map { due in
            loop.schedule(at: due.nanoseconds) { [weak self] in self?.repairWhatIsDue() }
        }
    }
}
