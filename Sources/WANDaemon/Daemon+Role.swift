internal import LinuxIO
internal import NetworkTypes
internal import PacketWire
internal import WANControl
internal import WANDataplane
internal import WANEngine
internal import WANModel

/// This box's place in its site: what keepalived is told of it, and what it is told by keepalived.
///
/// Who has the virtual address on an interface carries the traffic: that is seen in the kernel, at once and whether keepalived
/// lives or not. keepalived's notices say why, and when it is in FAULT or gone.
final class SiteState {
    /// Until the first look: a role is only ever taken, never assumed.
    var role = StatusReport.Role.alone
    var since = Daemon.moment()
    var reason = ""
    let fifoPath: String
    var fifo: NoticeReader?
    var fifoWatch: EventLoop.Watch?
    var health: HealthFile
    var written: Int?
    /// When this daemon, or the policy in force, began, and what keepalived had been told before.
    var begunAt = Daemon.moment()
    var foundHealth: Int?
    /// Whether that was that this box is good.
    var isTrusted: Bool { foundHealth.map { $0 > NodeHealth.held } ?? false }
    /// Since when this box is the best, and has not the address.
    var expectsSince: Moment?
    /// Since when nobody has the FIFO open for writing.
    var unheardSince: Moment?
    /// The address is here, and by right another box's.
    var isOrphan = false
    /// The last notice for our instance, and when.
    var notice: (notice: VRRPNotice, at: Moment)?
    /// The address is being given away: `NodeHealth.yield` stands in the file until then at the latest.
    var yieldsUntil: Moment?
    var yieldedAt: Moment?
    var timer: EventLoop.Timer?
    var forwardingTimer: EventLoop.Timer?
    var healthTimer: EventLoop.Timer?

    init(_ vrrp: VRRP) {
        fifoPath = vrrp.notifyFIFO
        health = HealthFile(vrrp.trackFile)
        foundHealth = health.found
    }

    func cancelAll(_ loop: EventLoop) {
        for timer in [timer, forwardingTimer, healthTimer] { timer.map(loop.cancel) }
        fifoWatch.map(loop.remove)
    }
}

/// A FIFO that an optional can hold.
final class NoticeReader {
    var fifo: VRRPFifo
    init(_ fifo: consuming VRRPFifo) { self.fifo = fifo }
}

extension Daemon {
    /// The policy's VRRP where this box is one of several.
    var vrrp: VRRP? { loaded.position == nil ? nil : policy.vrrp }

    /// Another box carries the traffic.
    var standsBy: Bool { site?.role == .backup }

    // MARK: beginning

    /// At start and after a reload: before the uplinks are looked at, so that nothing is raised that is to rest.
    func takeSite() {
        watchAside()
        noteTrackFile()
        guard let vrrp else { return leaveSiteByPolicy() }
        defer { takePeers() }
        if let site, site.fifoPath == vrrp.notifyFIFO, site.health.path == vrrp.trackFile {
            // An uplink that has another name now has to be proven anew, and gives nothing away meanwhile.
            site.begunAt = Daemon.moment()
            site.foundHealth = site.written
            updateRole()
            if vrrp.backupForwarding == .off { forwardAsWanted() } else { followForwarding() }
            writeHealth()
            return
        }
        site?.cancelAll(loop)
        site = SiteState(vrrp)
        openFIFO(vrrp)
        updateRole(isFirst: true)
        keepSite()
    }

    /// The policy has no vrrp, now or any more.
    private func leaveSiteByPolicy() {
        if let site, let value = site.written {
            log(.notice, "keepalived is told no more how good this box is; \(site.health.path) goes on saying \(value)")
        }
        site?.cancelAll(loop)
        site = nil
        for subject in [Alarms.Subject.notices, .keepalived, .rival, .health] { alarms.clear(subject) }
        endPeers()
        standBy(false)
        followForwarding()
    }

    private func noteTrackFile() {
        do throws(SystemCallError) {
            try leavings.note(trackFile: vrrp?.trackFile, mustGive: vrrp?.mustGive ?? false)
        } catch {
            log(.warning, "\(error): `wanctld --cleanup` will not know of \(vrrp?.trackFile ?? "the end of vrrp")")
        }
    }

    private func openFIFO(_ vrrp: VRRP) {
        do throws(SystemCallError) {
            let fifo = try VRRPFifo(vrrp.notifyFIFO)
            let descriptor = fifo.descriptor
            if fifo.wasMade {
                log(
                    .info,
                    "\(vrrp.notifyFIFO) was not there and is made; a keepalived that runs already has to be reloaded")
            }
            site?.fifo = NoticeReader(fifo)
            site?.fifoWatch = try loop.watch(descriptor, for: [.read, .edge]) { [weak self] _ in self?.readNotices() }
            alarms.clear(.notices)
        } catch {
            alarms.raise(
                .notices,
                "keepalived's notices cannot be read: \(error)\(remedy(error)); the role is taken from the address alone"
            )
        }
    }

    /// What to do where one of the two files cannot be made.
    private func remedy(_ error: SystemCallError) -> String {
        if error.isAlreadyThere { return "; remove it" }  // and it is no FIFO
        if error.isReadOnly { return "; its directory needs ReadWritePaths= in the unit (systemctl edit wanctld)" }
        return error.isNotPermitted ? "; its directory has to belong to the user of wanctld" : ""
    }

    /// Every few seconds: what others may have taken away is put back.
    private func keepSite() {
        guard site != nil, let vrrp else { return }
        if site?.fifo?.fifo.isIntact == false {
            if let watch = site?.fifoWatch { loop.remove(watch) }
            site?.fifo = nil
            site?.fifoWatch = nil
        }
        if site?.fifo == nil { openFIFO(vrrp) }
        readNotices()
        forwardAsWanted()
        writeHealth(isForced: true)
        site?.timer = loop.schedule(at: Clock.boottime() + 5_000_000_000) { [weak self] in self?.keepSite() }
    }

    // MARK: the role

    func readNotices() {
        guard let vrrp else { return }
        do throws(SystemCallError) {
            for result in try site?.fifo?.fifo.notices() ?? [] {
                switch result {
                case .success(let notice) where notice.subject == .instance && notice.name == vrrp.instance:
                    site?.notice = (notice, Daemon.moment())
                    log(.info, "keepalived: \(notice.line)")
                    if notice.event == .fault { endYieldSoon() }
                case .success(let notice): log(.debug, "keepalived: \(notice.line), not ours")
                case .failure(let error): log(.warning, "\(error)")
                }
            }
        } catch {
            alarms.raise(.notices, "keepalived's notices cannot be read: \(error)")
        }
        lookForKeepalived(vrrp)
        updateRole()
    }

    /// Who has the address carries the traffic.
    func updateRole(isFirst: Bool = false) {
        guard let vrrp, let before = site?.role else { return }
        let orphan = isFirst ? nil : orphanReason(vrrp)
        let role: StatusReport.Role = hasAddress && orphan == nil ? .master : .backup
        let now = Daemon.moment()
        if site?.isOrphan == true, !hasAddress {
            // keepalived is there again, and has taken the address off.
            site?.isOrphan = false
            site?.reason = reason(vrrp, isFirst: false)
            router.reconcile()
            tellStatusWatchers()
        }
        guard role != before else { return }
        site?.reason = orphan ?? reason(vrrp, isFirst: isFirst)
        site?.role = role
        site?.since = now
        site?.isOrphan = orphan != nil
        site?.expectsSince = nil
        // What moves packets first; then it is told. Strays before all: a backup expects them already, and there is to be no
        // moment in which it does not.
        if isFirst { router.table.steer() } else { flows.awaitStrays() }
        followForwarding()
        standBy(role == .backup)
        note(kind: "role", "\(role.rawValue): \(site?.reason ?? "")")
        if role == .master, !isFirst { recordTakeover(at: now) }
        writeHealth()
        speak()
        service.notify("STATUS=\(summary())")
        tellStatusWatchers()
    }

    /// Why the role is what the address says.
    private func reason(_ vrrp: VRRP, isFirst: Bool) -> String {
        let address = vrrp.address.address
        if isFirst { return "\(address) \(hasAddress ? "was" : "was not") on this box at start" }
        if site?.isOrphan == true, hasAddress { return "\(address) is still on this box, and nobody better has it" }
        // Where the FIFO was full the last notice is an old one, and says the opposite.
        let said = site?.notice.map(\.notice.event).flatMap {
            $0.isMaster == hasAddress ? " (keepalived said \($0.rawValue))" : nil
        }
        return "\(address) \(hasAddress ? "came to" : "left") this box\(said ?? "")"
    }

    private func standBy(_ isStandingBy: Bool) { feed(.standsBy(isStandingBy)) }

    /// A switch of the site as this box sees it: proven as one between its own uplinks is.
    private func recordTakeover(at now: Moment) {
        var decision = engine.decision
        decision.previous = []
        decision.cause = "this box is master: \(site?.reason ?? "")"
        decision.faultSince = nil
        recordSwitch(decision, decidedAt: now, failure: nil)
    }

    /// What must not stand while nobody is here to change it again: keepalived may still give this box the address.
    func leaveSite() {
        endSilence()
        if site?.written == NodeHealth.yield {
            do throws(SystemCallError) {
                _ = try site?.health.write(NodeHealth.held)
            } catch {
                log(.warning, "keepalived is left in FAULT: \(error)")
            }
        }
    }

    // MARK: health

    /// For so long after a start or a reload, what is being proved may still turn out well, and the file says what it said before:
    /// a daemon that is started again must not give the address away.
    private static let patience: Duration = .seconds(3)
    private static let yielding: Duration = .seconds(3)
    /// Nobody took it: not again for a while.
    private static let rest: Duration = .seconds(10)

    /// Tells keepalived how good this box is, where that has changed.
    func writeHealth(isForced: Bool = false) {
        guard let position = loaded.position, let begunAt = site?.begunAt else { return }
        let now = Daemon.moment()
        // What an earlier daemon left counts as long as a hold could have been running, and no longer.
        let isTrusted = site?.isTrusted == true && now - begunAt < max(policy.failover.hold, .seconds(5))
        var value = engine.health(places: position.places, count: position.count, isTrusted: isTrusted, at: now)
        // A box that translates nothing is the last one to have the address, and that is no matter of patience.
        let isUntranslated = router.table.fault?.isUntranslated == true
        if isUntranslated { value = NodeHealth.none }
        // While a policy is exchanged, where an uplink is attached is not known yet.
        let isUnknown = !router.hasReadKernel || router.outgoingUplinks != nil
        if !isUntranslated, value < max(site?.foundHealth ?? 0, 1), now - begunAt < Self.patience,
            engine.isProving || isUnknown
        {
            if site?.healthTimer != nil { return }
            site?.healthTimer = loop.schedule(at: (begunAt + Self.patience).nanoseconds) { [weak self] in
                self?.site?.healthTimer = nil
                self?.writeHealth()
            }
            return
        }
        if state.aside != nil || leavings.isUnreliable || router.table.fault?.isFrozen == true {
            value = min(value, NodeHealth.held)
        }
        if yields(now, to: value) { value = NodeHealth.yield }
        guard value != site?.written || isForced else { return }
        do throws(SystemCallError) {
            if try site?.health.write(value) == true { log(.info, "health \(value) for keepalived") }
            let isNew = site?.written != value
            site?.written = value
            alarms.clear(.health)
            // The others judge by the last word whether anybody could take over.
            if isNew {
                followExpectation()
                speak()
            }
        } catch {
            alarms.raise(.health, "keepalived cannot be told how this box is: \(error)\(remedy(error))", .error)
            // Again when everything is looked after, not at each answer of a probe.
            site?.written = value
        }
    }

    /// Whether the address is to be given away now, in some milliseconds instead of three advertisements, or at all where
    /// the policy lets no better box take it from a living one.
    private func yields(_ now: Moment, to value: Int) -> Bool {
        if let until = site?.yieldsUntil {
            if now < until, value <= NodeHealth.held { return true }
            site?.yieldsUntil = nil
            return false
        }
        guard let vrrp, let site, site.role == .master, value <= NodeHealth.held else { return false }
        let words = freshPeerHealth()
        // With preemption a better box takes the address by itself, only less quickly: it is given away when this one falls.
        // Without, it has to be given, now or when somebody comes to be better; where nobody is heard, in hope, once.
        let isFalling = (site.written ?? NodeHealth.none) > NodeHealth.held
        let mustGive = vrrp.mustGive
        let isRested = site.yieldedAt.map { now - $0 > Self.rest } ?? true
        let isBetter = words.contains { $0 > NodeHealth.held }
        guard isBetter && (isFalling || mustGive && isRested) || words.isEmpty && isFalling && mustGive else {
            return false
        }
        site.yieldedAt = now
        site.yieldsUntil = now + Self.yielding
        loop.schedule(at: (now + Self.yielding).nanoseconds) { [weak self] in self?.writeHealth() }
        return true
    }

    /// keepalived is in FAULT: a second for the others to take over, then the truth again.
    private func endYieldSoon() {
        guard site?.yieldsUntil != nil else { return }
        let end = Daemon.moment() + .seconds(1)
        site?.yieldsUntil = end
        loop.schedule(at: end.nanoseconds) { [weak self] in self?.writeHealth() }
    }
}
