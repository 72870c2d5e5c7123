internal import NetworkTypes
package import WANControl
package import WANModel

/// This box's place in its site, as a value: facts and moments in, what is to be done out.
///
/// Who has the virtual address on an interface carries the traffic: that is seen in the kernel, at once and whether keepalived
/// lives or not. keepalived's notices say why, and when it is in FAULT or gone. `SiteLink` brings the facts and obeys.
package struct SiteRole: Sendable {
    /// What the policy in force says of the site.
    package struct Settings: Hashable, Sendable {
        package var vrrp: VRRP
        package var position: SitePosition
        /// `failover.hold`.
        package var hold: Duration

        package init(vrrp: VRRP, position: SitePosition, hold: Duration) {
            self.vrrp = vrrp
            self.position = position
            self.hold = hold
        }
    }

    package enum Input: Hashable, Sendable {
        /// After a reload: another policy, with the same track file and FIFO; its virtual address may be another one.
        case policy(Settings, hasAddress: Bool, Fitness)
        /// Every few seconds: what others may have taken away is to be put back.
        case look
        /// The virtual address is on an interface of this box, or is not.
        case address(isHere: Bool)
        /// keepalived has its FIFO open, or has not; `nil` where that cannot be known.
        case keepalived(isThere: Bool?)
        case notice(VRRPNotice)
        case hello(PeerHello)
        case fitness(Fitness)
        /// The operator wants another box to have the address; `nil` ends that.
        case handOver(HandOver?)
        case deadlineReached
    }

    /// In the order in which they come out of `handle`, which is that of the deeds.
    package enum Output: Hashable, Sendable {
        /// TCP that comes in the middle gets a reset from now on.
        case awaitStrays
        /// The same where nothing has changed hands: at start.
        case steer
        /// Nothing of the LAN's is forwarded, or all that was.
        case forwarding(isOff: Bool)
        case role(BoxRole, isFirst: Bool)
        /// The way of this box's own traffic has changed.
        case reroute
        /// For keepalived's track file.
        case health(Int)
        case hello
        case alarm(Alarm, String?)
        /// The operator's word has ended by itself.
        case handOverEnded(HandOver)
        /// What `status` shows of the site is another.
        case changed
    }

    package enum Alarm: Hashable, Sendable { case keepalived, rival }

    /// `wanctl failover` to an uplink of another box: this one stands aside.
    package struct HandOver: Hashable, Sendable {
        package var uplink: String
        package var since: Moment
        /// `nil` where it has no end.
        package var until: Moment?

        package init(uplink: String, since: Moment, until: Moment?) {
            self.uplink = uplink
            self.since = since
            self.until = until
        }
    }

    package private(set) var settings: Settings
    /// `.alone` until the first input: a role is only ever taken, never assumed.
    package private(set) var role = BoxRole.alone
    package private(set) var since: Moment
    package private(set) var reason = ""
    /// The last notice for our instance.
    package private(set) var notice: VRRPNotice?
    package private(set) var book: PeerBook
    package private(set) var handOver: HandOver?
    /// The address is here, and by right another box's.
    package private(set) var isOrphan = false
    /// keepalived has its FIFO open.
    package private(set) var hasKeepalived: Bool?
    /// What keepalived was told last.
    var told: Int?
    var fitness: Fitness
    /// When this daemon, or the policy in force, began, and what keepalived had been told before.
    var begunAt: Moment
    var foundHealth: Int?
    /// The address is being given away: `NodeHealth.yield` stands in the file until then at the latest.
    var yieldsUntil: Moment?
    var yieldedAt: Moment?
    private var hasAddress: Bool
    /// Since when this box is the best, and has not the address.
    private var expectsSince: Moment?
    /// Since when nobody has the FIFO open for writing.
    private var unheardSince: Moment?
    /// Since when another box has the address too.
    private var rivalSince: Moment?
    /// Forwarding stays as it is until then.
    private var farewellUntil: Moment?
    private var forwardingIsOff: Bool?
    private var nextHello: Moment
    private var wasFresh: Set<String> = []
    private var alarms: [Alarm: String] = [:]
    /// When it has something to do without a new fact.
    package private(set) var nextDeadline: Moment

    /// - Parameters:
    ///   - found: What stands in the track file from an earlier run; `nil` where nothing does.
    ///   - hasAddress: The virtual address is on this box.
    ///   - book: What was heard before, under another policy.
    package init(
        _ settings: Settings, found: Int?, hasAddress: Bool, fitness: Fitness, handOver: HandOver? = nil,
        book: PeerBook? = nil, at now: Moment
    ) {
        self.settings = settings
        self.hasAddress = hasAddress
        self.fitness = fitness
        self.handOver = handOver
        self.book = book ?? PeerBook(peers: [])
        self.book.keep(peers: settings.position.peers)
        foundHealth = found
        (since, begunAt, nextHello, nextDeadline) = (now, now, now, now)
    }

    // MARK: the loop

    /// Takes a fact in and says what is to be done, in the order in which it is to be done: strays before forwarding, for there is
    /// to be no moment in which a backup does not expect them; what moves packets before what is told.
    package mutating func handle(_ input: Input, at now: Moment) -> [Output] {
        // Each answer of a probe comes here, and mostly changes nothing.
        if input == .fitness(fitness), now < nextDeadline { return [] }
        var outputs: [Output] = []
        var isForced = false
        var isNews = false
        switch input {
        case .policy(let settings, let hasAddress, let fitness):
            (self.settings, self.hasAddress, self.fitness) = (settings, hasAddress, fitness)
            book.keep(peers: settings.position.peers)
            // An uplink that has another name now has to be proven anew, and gives nothing away meanwhile.
            begunAt = now
            foundHealth = told
            nextHello = now
            isForced = true
            if settings.vrrp.backupForwarding != .off { farewellUntil = nil }
        case .look: isForced = true
        case .address(let isHere): hasAddress = isHere
        case .keepalived(let isThere):
            hasKeepalived = isThere
            unheardSince = isThere == false ? unheardSince ?? now : nil
        case .notice(let notice):
            self.notice = notice
            if notice.event == .fault { endYieldSoon(now) }
        case .hello(let hello):
            let before = book.present(hello.node, at: now)
            isNews = book.hear(hello, at: now) && before?.says(hello) != true
        case .fitness(let fitness): self.fitness = fitness
        case .handOver(let handOver): self.handOver = handOver
        case .deadlineReached: break
        }
        if let over = handOver, let until = over.until, until <= now {
            handOver = nil
            outputs.append(.handOverEnded(over))
        }
        lookForKeepalived(now, &outputs)
        lookForRivals(now, &outputs)
        let before = role
        takeRole(now, &outputs)
        // How good this box is depends on its role, which the engine has not heard of yet: it is asked anew, at once.
        let isNewRole = role != before && before != .alone
        if !isNewRole { tellHealth(now, isForced: isForced, &outputs) }
        expectAddress(now)
        setForwarding(now, isForced: isForced && role == before, &outputs)
        if now >= nextHello {
            outputs.append(.hello)
            nextHello = now + .seconds(1)
        }
        let fresh = Set(book.reports(at: now).filter(\.isPresent).map(\.node))
        if isNews || fresh != wasFresh { outputs.append(.changed) }
        wasFresh = fresh
        nextDeadline = isNewRole ? now : deadline(after: now)
        return outputs
    }

    /// The next one. All that lie behind have been seen to.
    private func deadline(after now: Moment) -> Moment {
        [
            begunAt + Self.patience, begunAt + trustSpan, yieldsUntil, handOver?.until, farewellUntil,
            expectsSince.map { $0 + expectation }, unheardSince.map { $0 + Self.patience },
            rivalSince.map { $0 + Self.patience }, rivalSince.map { $0 + orphanPatience },
        ].compactMap { $0 }.filter { $0 > now }.reduce(nextHello, min)
    }

    /// One that starts again is away for a moment, a hello is a second old, and a hand-over has two masters for a moment. And for so
    /// long after a start or a reload, what is being proved may still turn out well.
    static let patience = Duration.seconds(3)

    /// At once instead of in a second: what was said has changed.
    mutating func planHello(_ now: Moment) { nextHello = now }

    // MARK: the role

    /// Who has the address carries the traffic.
    private mutating func takeRole(_ now: Moment, _ outputs: inout [Output]) {
        if isOrphan, !hasAddress {
            // keepalived is there again, and has taken the address off.
            isOrphan = false
            reason = reasonByAddress()
            outputs += [.reroute, .changed]
        }
        let isFirst = role == .alone
        let orphan = isFirst ? nil : orphanReason(now)
        let after: BoxRole = hasAddress && orphan == nil ? .master : .backup
        guard after != role else { return }
        reason = orphan ?? reasonByAddress()
        (role, since, isOrphan, expectsSince) = (after, now, orphan != nil, nil)
        // Hosts that have not heard of the new gateway yet still send here for so long.
        farewellUntil = after == .backup && settings.vrrp.backupForwarding == .off ? now + .seconds(2) : nil
        outputs.append(isFirst ? .steer : .awaitStrays)
        setForwarding(now, isForced: true, &outputs)
        outputs.append(.role(after, isFirst: isFirst))
        planHello(now)
    }

    /// Why the role is what the address says.
    private func reasonByAddress() -> String {
        let address = settings.vrrp.address.address
        if role == .alone { return "\(address) \(hasAddress ? "was" : "was not") on this box at start" }
        if isOrphan, hasAddress { return "\(address) is still on this box, and nobody better has it" }
        // Where the FIFO was full the last notice is an old one, and says the opposite.
        let said = notice.flatMap { $0.event.isMaster == hasAddress ? " (keepalived said \($0.event.rawValue))" : nil }
        return "\(address) \(hasAddress ? "came to" : "left") this box\(said ?? "")"
    }

    /// Why this box is not master although it has the address; `nil` where nothing speaks against it.
    ///
    /// A keepalived that was killed leaves the address here, another box takes it too, and hosts follow that one. Were this box
    /// master for ever, its SIM would stay on the fast class for ever. Nobody but keepalived takes the address off; what still comes
    /// here is carried, unless the policy says otherwise.
    private func orphanReason(_ now: Moment) -> String? {
        guard hasAddress, let unheardSince, let rivalSince, now - unheardSince >= Self.patience,
            now - rivalSince >= orphanPatience
        else { return nil }
        let better = settings.position.peers.first { peer in
            guard let hello = book.present(peer.name, at: now) else { return false }
            return hello.role == .master && hello.health > NodeHealth.held
        }
        return better.map { "keepalived is gone here, and \($0.name) has \(settings.vrrp.address.address)" }
    }

    /// Not all at once, where keepalived was killed on several boxes: the best steps back last.
    private var orphanPatience: Duration {
        let position = settings.position
        let rank = position.ranks.values.min() ?? position.count
        return Self.patience + .seconds(1) * min(20, max(0, position.count - rank - 1))
    }

    // MARK: what is wrong between the boxes

    /// keepalived holds its FIFO open while it lives. Without it this box neither gets the address nor gives it away, and says so.
    private mutating func lookForKeepalived(_ now: Moment, _ outputs: inout [Output]) {
        guard let unheardSince, now - unheardSince >= Self.patience else { return raise(.keepalived, nil, &outputs) }
        let address = settings.vrrp.address.address
        let effect =
            hasAddress
            ? "\(address) stays here whatever becomes of this box, and another one may have it too"
            : "this box will not get \(address)"
        raise(
            .keepalived,
            "keepalived does not run here, or not with \(settings.vrrp.notifyFIFO): \(effect); start it, or reload one that runs",
            &outputs)
    }

    /// Two masters that hear each other's hellos are not parted: VRRP, not the LAN, is broken between them.
    private mutating func lookForRivals(_ now: Moment, _ outputs: inout [Output]) {
        let rivals = settings.position.peers.filter { book.present($0.name, at: now)?.role == .master }.map(\.name)
        rivalSince = hasAddress && !rivals.isEmpty ? rivalSince ?? now : nil
        let isLasting = rivalSince.map { now - $0 >= Self.patience } ?? false
        let text =
            "\(rivals.joined(separator: ", ")) has \(settings.vrrp.address.address) too: look whether keepalived runs on each box, and hears the others (IP protocol 112)"
        raise(.rival, isLasting ? text : nil, &outputs)
    }

    private mutating func raise(_ alarm: Alarm, _ text: String?, _ outputs: inout [Output]) {
        guard alarms[alarm] != text else { return }
        alarms[alarm] = text
        outputs.append(.alarm(alarm, text))
    }

    // MARK: forwarding

    /// Turning forwarding on waits for a lock of the kernel's that keepalived holds just then, and 20 ms of packets are lost
    /// meanwhile. So it is done ahead, for so long, when this box has become the best: the address comes three advertisements and a
    /// little later (RFC 9568 section 6.1, Active_Down_Interval), and later still where keepalived has to wait for a processor.
    private var expectation: Duration { max(.seconds(3), settings.vrrp.advertisement * 10) }

    /// Whether the address should come soon. Unknown to peers that are not heard, and where the better box does not take it at
    /// once: there the packets are lost.
    private mutating func expectAddress(_ now: Moment) {
        let vrrp = settings.vrrp
        guard role == .backup, vrrp.backupForwarding == .off, vrrp.preempts, vrrp.preemptDelay == .zero, let told,
            told > NodeHealth.held, let best = freshHealth(now).max(), told > best
        else {
            expectsSince = nil
            return
        }
        expectsSince = expectsSince ?? now
    }

    private mutating func setForwarding(_ now: Moment, isForced: Bool, _ outputs: inout [Output]) {
        if let until = farewellUntil, now < until { return }
        farewellUntil = nil
        let isExpected = expectsSince.map { now - $0 < expectation } ?? false
        let isOff = settings.vrrp.backupForwarding == .off && role == .backup && !isExpected
        guard isForced || isOff != forwardingIsOff else { return }
        forwardingIsOff = isOff
        outputs.append(.forwarding(isOff: isOff))
    }

    /// Of peers that were heard lately.
    func freshHealth(_ now: Moment) -> [Int] {
        settings.position.peers.compactMap { book.present($0.name, at: now)?.health }
    }
}

extension PeerHello {
    /// Whether a later hello says the same.
    fileprivate func says(_ later: PeerHello) -> Bool {
        var same = later
        same.sequence = sequence
        return same == self
    }
}
