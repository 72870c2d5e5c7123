internal import LinuxIO
internal import NetworkTypes
internal import WANControl
internal import WANModel

/// The hands of `SiteRole`: keepalived's two files, the socket of the boxes, forwarding, and what is to be undone.
///
/// Owns the role too, so that facts and deeds come one after the other: a deed that leads to a new fact has it taken in when all
/// deeds before are done.
final class SiteLink {
    /// What the daemon is told.
    struct Orders {
        /// What the health is made from, asked whenever the role is.
        var fitness: (SitePosition) -> SiteRole.Fitness
        /// What the other boxes hear of this one; the link fills in what it knows itself.
        var hello: () -> PeerHello
        /// The virtual address is on this box.
        var hasAddress: () -> Bool
        var awaitStrays: () -> Void
        var steer: () -> Void
        var reroute: () -> Void
        /// This box has another role now, or none (`isFirst`: since the start, or by a policy).
        var role: (BoxRole, _ isFirst: Bool) -> Void
        /// Its time is over.
        var handOverEnded: (SiteRole.HandOver) -> Void
        var changed: () -> Void
        var note: (_ kind: EventKind, _ text: String) -> Void
    }

    private let loop: EventLoop
    private let log: Log
    private let alarms: Alarms
    private var orders: Orders?
    private var loaded: LoadedPolicy?
    /// `nil` where this box is alone.
    private(set) var role: SiteRole?
    private var isHandling = false
    private var inputs: [SiteRole.Input] = []
    private var deadline: (moment: Moment, timer: EventLoop.Timer)?
    private var rounds: EventLoop.Timer?
    private var notices: NoticeReader?
    private var noticesWatch: EventLoop.Watch?
    private var exchange: PeerExchange?
    private var exchangeWatch: EventLoop.Watch?
    private var complaints = PeerComplaints()
    private var undo: UndoRecord

    /// A FIFO that an optional can hold.
    private final class NoticeReader {
        var fifo: VRRPFifo
        init(_ fifo: consuming VRRPFifo) { self.fifo = fifo }
    }

    init(loop: EventLoop, log: Log, alarms: Alarms, besides socket: String) {
        self.loop = loop
        self.log = log
        self.alarms = alarms
        undo = UndoRecord(besides: socket)
    }

    /// Another box carries the traffic.
    var isBackup: Bool { role?.role == .backup }
    var isUnreliable: Bool { undo.isUnreliable }
    var warnings: [String] {
        let isForgeable = loaded?.key == nil && role.map { !$0.settings.position.peers.isEmpty } ?? false
        let forgeable = "the words of the boxes are not signed: any host of the LAN can forge them; set vrrp.key"
        return (isForgeable ? [forgeable] : []) + complaints.warnings(at: Daemon.moment())
    }

    /// What `wanctl why` says of the site.
    func lines(at now: Moment) -> [String] {
        guard let role else { return [] }
        let silenced = undo.silenced.sorted().joined(separator: ", ")
        return role.lines(at: now) + (silenced.isEmpty ? [] : ["nothing from \(silenced) is forwarded"])
    }

    // MARK: beginning and ending

    /// Takes a policy in, at start and at a reload: before the uplinks are looked at, so that nothing is raised that is to rest.
    func adopt(_ loaded: LoadedPolicy, handOver: SiteRole.HandOver?, _ orders: Orders) {
        self.orders = orders
        self.loaded = loaded
        let vrrp = loaded.position == nil ? nil : loaded.policy.vrrp
        note(trackFile: vrrp)
        guard let vrrp, let position = loaded.position else { return leave() }
        let settings = SiteRole.Settings(vrrp: vrrp, position: position, hold: loaded.policy.failover.hold)
        closeExchange()
        if let former = role?.settings.vrrp, former.notifyFIFO == vrrp.notifyFIFO, former.trackFile == vrrp.trackFile {
            // In one piece: a hello in between would open the socket by the addresses of the policy before.
            handle(.policy(settings, hasAddress: orders.hasAddress(), orders.fitness(position)))
            return
        }
        closeNotices()
        // Of the files of before: the new role has raised nothing.
        for subject in [Alarms.Subject.keepalived, .rival] { alarms.clear(subject) }
        let now = Daemon.moment()
        role = SiteRole(
            settings, found: HealthFile(vrrp.trackFile).found, hasAddress: orders.hasAddress(),
            fitness: orders.fitness(position), handOver: role?.handOver ?? handOver, book: role?.book, at: now)
        openNotices(vrrp)
        handle(.look)
        if rounds == nil { makeRounds() }
    }

    /// The policy has no vrrp, now or any more.
    private func leave() {
        if let role, let value = role.told {
            log(
                .notice,
                "keepalived is told no more how good this box is; \(role.settings.vrrp.trackFile) goes on saying \(value)"
            )
        }
        cancel()
        role = nil
        for subject in [Alarms.Subject.notices, .keepalived, .rival, .health, .peers] { alarms.clear(subject) }
        orders?.role(.alone, true)
        setForwarding(isOff: false)
    }

    private func cancel() {
        closeNotices()
        closeExchange()
        for timer in [deadline?.timer, rounds] { timer.map(loop.cancel) }
        (deadline, rounds) = (nil, nil)
    }

    /// The daemon ends: what must not stand while nobody is here to change it again. keepalived may still give this box the address.
    func end() {
        if let role, role.told == NodeHealth.yield {
            do throws(SystemCallError) {
                _ = try HealthFile(role.settings.vrrp.trackFile).write(NodeHealth.held)
            } catch {
                log(.warning, "keepalived is left in FAULT: \(error)")
            }
        }
        cancel()
        if !undo.silenced.isEmpty { setForwarding(isOff: false, of: undo.silenced) }
    }

    /// Every few seconds: what others may have taken away is put back.
    private func makeRounds() {
        guard let vrrp = role?.settings.vrrp else { return }
        if notices?.fifo.isIntact == false { closeNotices() }
        if notices == nil { openNotices(vrrp) }
        readNotices()
        handle(.look)
        rounds = loop.schedule(at: Clock.boottime() + 5_000_000_000) { [weak self] in self?.makeRounds() }
    }

    // MARK: facts

    /// After whatever may have changed how good this box is.
    func follow() {
        guard let role, let orders else { return }
        handle(.fitness(orders.fitness(role.settings.position)))
    }

    /// After news of addresses.
    func followAddress() {
        if role != nil, let orders { handle(.address(isHere: orders.hasAddress())) }
    }

    func setHandOver(_ handOver: SiteRole.HandOver?) { handle(.handOver(handOver)) }

    private func handle(_ input: SiteRole.Input) {
        inputs.append(input)
        guard !isHandling else { return }
        isHandling = true
        while !inputs.isEmpty {
            let input = inputs.removeFirst()
            for output in role?.handle(input, at: Daemon.moment()) ?? [] { obey(output) }
        }
        isHandling = false
        guard let next = role?.nextDeadline, next != deadline?.moment else { return }
        if let deadline { loop.cancel(deadline.timer) }
        let timer = loop.schedule(at: next.nanoseconds) { [weak self] in
            self?.deadline = nil
            self?.follow()
            self?.followAddress()
            self?.readNotices()
        }
        deadline = (next, timer)
    }

    private func openNotices(_ vrrp: VRRP) {
        do throws(SystemCallError) {
            let fifo = try VRRPFifo(vrrp.notifyFIFO)
            let descriptor = fifo.descriptor
            if fifo.wasMade {
                log(
                    .info,
                    "\(vrrp.notifyFIFO) was not there and is made; a keepalived that runs already has to be reloaded")
            }
            notices = NoticeReader(fifo)
            noticesWatch = try loop.watch(descriptor, for: [.read, .edge]) { [weak self] _ in self?.readNotices() }
            alarms.clear(.notices)
        } catch {
            alarms.raise(
                .notices,
                "keepalived's notices cannot be read: \(error)\(remedy(error)); the role is taken from the address alone"
            )
        }
    }

    private func closeNotices() {
        if let noticesWatch { loop.remove(noticesWatch) }
        (notices, noticesWatch) = (nil, nil)
    }

    /// What to do where one of the two files cannot be made.
    private func remedy(_ error: SystemCallError) -> String {
        if error.isAlreadyThere { return "; remove it" }  // and it is no FIFO
        if error.isReadOnly { return "; its directory needs ReadWritePaths= in the unit (systemctl edit wanctld)" }
        return error.isNotPermitted ? "; its directory has to belong to the user of wanctld" : ""
    }

    private func readNotices() {
        guard let instance = role?.settings.vrrp.instance else { return }
        var news: [SiteRole.Input] = []
        do throws(SystemCallError) {
            for result in try notices?.fifo.notices() ?? [] {
                switch result {
                case .success(let notice) where notice.subject == .instance && notice.name == instance:
                    log(.info, "keepalived: \(notice.line)")
                    news.append(.notice(notice))
                case .success(let notice): log(.debug, "keepalived: \(notice.line), not ours")
                case .failure(let error): log(.warning, "\(error)")
                }
            }
        } catch {
            alarms.raise(.notices, "keepalived's notices cannot be read: \(error)")
        }
        for input in news + [.keepalived(isThere: notices?.fifo.hasWriter)] { handle(input) }
    }

    private func readExchange() {
        let now = Daemon.moment()
        do throws(SystemCallError) {
            for heard in try exchange?.read() ?? [] {
                switch heard.hello {
                case .success(let hello):
                    if hello.version != wanctlVersion {
                        complain(.otherVersion(node: heard.node, version: hello.version, own: wanctlVersion), at: now)
                    }
                    handle(.hello(hello))
                case .failure(let error): log(.debug, "\(heard.node) said what cannot be read: \(error)")
                }
            }
            for oddity in exchange?.takeOddities() ?? [] { complain(oddity, at: now) }
        } catch {
            closeExchange()
        }
    }

    private func complain(_ oddity: PeerOddity, at now: Moment) {
        guard let text = complaints.note(oddity, at: now) else { return }
        log(.warning, text)
        orders?.changed()
    }

    // MARK: deeds

    private func obey(_ output: SiteRole.Output) {
        guard let orders, let role else { return }
        switch output {
        case .awaitStrays: orders.awaitStrays()
        case .steer: orders.steer()
        case .reroute: orders.reroute()
        case .forwarding(let isOff): setForwarding(isOff: isOff)
        case .role(let role, let isFirst): orders.role(role, isFirst)
        case .health(let value): write(value, to: role.settings.vrrp.trackFile)
        case .hello: sayHello()
        case .alarm(let alarm, let text):
            let subject: Alarms.Subject = alarm == .rival ? .rival : .keepalived
            if let text { alarms.raise(subject, text) } else { alarms.clear(subject) }
        case .handOverEnded(let handOver): orders.handOverEnded(handOver)
        case .changed: orders.changed()
        }
    }

    private func write(_ health: Int, to path: String) {
        do throws(SystemCallError) {
            if try HealthFile(path).write(health) { log(.info, "health \(health) for keepalived") }
            alarms.clear(.health)
        } catch {
            // Again when everything is looked after, not at each answer of a probe.
            alarms.raise(.health, "keepalived cannot be told how this box is: \(error)\(remedy(error))", .error)
        }
    }

    private func sayHello() {
        if exchangeWatch == nil { openExchange() }
        guard exchange != nil, let role, var hello = orders?.hello() else { return }
        (hello.role, hello.health) = (role.role, role.told ?? 0)
        hello.pinned = role.handOver?.uplink ?? hello.pinned
        let failures = exchange?.send(hello) ?? []
        // An interface that was made anew takes nothing from a socket of the former one.
        if !failures.isEmpty, failures.count == role.settings.position.peers.count { closeExchange() }
    }

    private func openExchange() {
        guard let settings = role?.settings else { return }
        do throws(PeerExchangeError) {
            let fresh = try PeerExchange(
                node: settings.position.node, peers: settings.position.peers, site: loaded?.policy.site,
                key: loaded?.key, interface: settings.vrrp.interface)
            let descriptor = fresh.descriptor
            exchange = consume fresh
            alarms.clear(.peers)
            do throws(SystemCallError) {
                exchangeWatch = try loop.watch(descriptor) { [weak self] _ in self?.readExchange() }
            } catch {
                exchange = nil
                alarms.raise(.peers, "the other boxes cannot be heard: \(error)")
            }
        } catch {
            // An address that is not there yet comes with its interface.
            if error.isForNow { return alarms.clear(.peers) }
            alarms.raise(.peers, "the other boxes cannot be heard: \(error)")
        }
    }

    private func closeExchange() {
        if let exchangeWatch { loop.remove(exchangeWatch) }
        exchangeWatch = nil
        exchange = nil
    }

    // MARK: forwarding, and what is to be undone

    /// `vrrp: {backup: {forwarding: off}}`: a box that has not the address forwards nothing of the LAN's.
    ///
    /// What was turned off is noted before the deed, and turned on again by whoever ends that: the address, a policy without it, the
    /// end of this daemon or `wanctld --cleanup`. An interface that was made anew forwards as the others do.
    private func setForwarding(isOff: Bool, of some: Set<String>? = nil) {
        let interfaces = some ?? Set(loaded?.policy.lan.interfaces ?? [])
        let off = isOff ? interfaces : []
        // Silence that is not wanted any more, and what the policy wants of a master.
        var on = undo.silenced.subtracting(off)
        if role?.settings.vrrp.backupForwarding == .off, !isOff { on.formUnion(interfaces) }
        for interface in on.sorted() { setForwarding(true, from: interface) }
        let found = off.filter { KernelSettings.forwards($0) == true }
        do throws(SystemCallError) {
            try undo.note(silenced: undo.silenced.intersection(off).union(found))
            alarms.clear(.undoRecord)
        } catch {
            // What nobody could turn on again is not turned off.
            alarms.raise(.undoRecord, "forwarding stays as it is, for it could not be noted: \(error)")
            return
        }
        for interface in found.sorted() { setForwarding(false, from: interface) }
    }

    private func setForwarding(_ isOn: Bool, from interface: String) {
        // One that is not there has nothing to be set.
        guard KernelSettings.forwards(interface) != nil else { return }
        if let done = KernelSettings.setForwarding(isOn, from: interface) { orders?.note(.sysctl, done) }
    }

    private func note(trackFile vrrp: VRRP?) {
        do throws(SystemCallError) {
            try undo.note(trackFile: vrrp?.trackFile, mustGive: vrrp?.mustGive ?? false)
        } catch {
            log(.warning, "\(error): `wanctld --cleanup` will not know of \(vrrp?.trackFile ?? "the end of vrrp")")
        }
    }

    /// Daemons before this one crashed soon after their start: this one is relied on when it has not.
    func confirmStable() {
        guard undo.crashes > 0 else { return }
        if role != nil, undo.isUnreliable {
            alarms.raise(
                .crashes,
                "five or more daemons before this one crashed soon after their start: for 30 s any other box with a line is better"
            )
        }
        loop.schedule(at: Clock.boottime() + UndoRecord.stableAfter.nanoseconds) { [weak self] in
            guard let self else { return }
            do throws(SystemCallError) {
                try undo.note(crashes: 0)
            } catch {
                log(.warning, "\(error), ignoring")
            }
            alarms.clear(.crashes)
            follow()
        }
    }
}
