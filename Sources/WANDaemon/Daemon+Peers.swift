internal import LinuxIO
internal import NetworkTypes
internal import WANControl
internal import WANEngine
internal import WANModel

/// A word to the other boxes each second, and at once when the role changes: for people's eyes, and to know whether anybody
/// could take the address. Roles are VRRP's.
final class PeerTalk {
    var exchange: PeerExchange?
    var book: PeerBook
    var complaints = PeerComplaints()
    var watch: EventLoop.Watch?
    var timer: EventLoop.Timer?
    /// Who was heard lately, when it was last looked.
    var wasFresh: Set<String> = []
    /// Since when another box has the address too.
    var rivalSince: Moment?

    init(_ peers: [Node]) { book = PeerBook(peers: peers) }
}

extension Daemon {
    private static let pace: Int64 = 1_000_000_000

    /// With a policy that has peers; the book is kept over a reload.
    func takePeers() {
        guard let position = loaded.position, vrrp != nil else { return endPeers() }
        if let talk {
            talk.book.keep(peers: position.peers)
            closeExchange()
        } else {
            talk = PeerTalk(position.peers)
        }
        speak()
    }

    func endPeers() {
        closeExchange()
        if let timer = talk?.timer { loop.cancel(timer) }
        talk = nil
        alarms.clear(.peers)
        alarms.clear(.rival)
    }

    private func closeExchange() {
        if let watch = talk?.watch { loop.remove(watch) }
        talk?.watch = nil
        talk?.exchange = nil
    }

    /// Says the word now, and again in a second.
    func speak() {
        guard let talk else { return }
        if let timer = talk.timer { loop.cancel(timer) }
        talk.timer = loop.schedule(at: Clock.boottime() + Self.pace) { [weak self] in self?.speak() }
        lookForRivals()
        updateRole()
        if talk.watch == nil { openExchange() }
        guard let word = word(), let failures = talk.send(word), let position = loaded.position else { return }
        // An interface that was made anew takes nothing from a socket of the former one.
        if !failures.isEmpty, failures.count == position.peers.count { closeExchange() }
        let now = Daemon.moment()
        if talk.wasFresh != talk.book.freshNodes(at: now) { tellStatusWatchers() }
        talk.wasFresh = talk.book.freshNodes(at: now)
    }

    private func openExchange() {
        guard let talk, let position = loaded.position else { return }
        do throws(PeerExchangeError) {
            let exchange = try PeerExchange(
                node: position.node, peers: position.peers, site: policy.site, interface: vrrp?.interface)
            let descriptor = exchange.descriptor
            talk.exchange = consume exchange
            alarms.clear(.peers)
            do throws(SystemCallError) {
                talk.watch = try loop.watch(descriptor) { [weak self] _ in self?.hearPeers() }
            } catch {
                talk.exchange = nil
                alarms.raise(.peers, "the other boxes cannot be heard: \(error)")
            }
        } catch {
            // An address that is not there yet comes with its interface.
            if error.isForNow { return alarms.clear(.peers) }
            alarms.raise(.peers, "the other boxes cannot be heard: \(error)")
        }
    }

    private func hearPeers() {
        guard let talk else { return }
        let now = Daemon.moment()
        do throws(SystemCallError) {
            for heard in try talk.read() {
                switch heard.word {
                case .success(let word):
                    let before = talk.book.present(heard.node, at: now)
                    _ = talk.book.hear(word, at: now)
                    if word.version != wanctlVersion {
                        complain(.otherVersion(node: heard.node, version: word.version, own: wanctlVersion), at: now)
                    }
                    if before?.health != word.health {
                        writeHealth()
                        followExpectation()
                    }
                    if before?.isSaidBy(word) != true { tellStatusWatchers() }
                case .failure(let error): log(.debug, "\(heard.node) said what cannot be read: \(error)")
                }
            }
            for oddity in talk.takeOddities() { complain(oddity, at: now) }
        } catch {
            closeExchange()
        }
    }

    private func complain(_ oddity: PeerOddity, at now: Moment) {
        guard let text = talk?.complaints.note(oddity, at: now) else { return }
        log(.warning, text)
        tellStatusWatchers()
    }

    private func word() -> PeerWord? {
        guard let site else { return nil }
        let now = Daemon.moment()
        return PeerWord(
            node: node, site: policy.site, version: wanctlVersion, policy: loaded.agreement,
            pinned: state.aside?.uplink ?? engine.pin.map { name($0.uplink) }, role: site.role,
            health: site.written ?? 0,
            selected: engine.decision.share.map(name),
            uplinks: engine.views(at: now).map { view in
                PeerWord.Uplink(
                    name: view.name, state: UplinkReport.State(rawValue: view.state.rawValue) ?? .absent)
            })
    }

    /// Of peers that were heard lately.
    func freshPeerHealth() -> [Int] {
        let now = Daemon.moment()
        return (loaded.position?.peers ?? []).compactMap { talk?.book.present($0.name, at: now)?.health }
    }

    /// Why the site's traffic cannot go to this uplink of another box, as far as that is known.
    func refusal(of uplink: String, on other: Node) -> String? {
        if site?.fifo?.fifo.hasWriter == false {
            return "keepalived, which would give the address away, does not run here"
        }
        return talk?.book.objection(to: uplink, on: other.name, at: Daemon.moment())
    }

    /// What a box of a site says of itself and the others.
    func addSite(to report: inout StatusReport, _ now: Moment) {
        guard let site, let vrrp, let talk else { return }
        report.site = policy.site
        report.roleReason = site.reason
        report.virtualAddress = StatusReport.VirtualAddress(
            address: vrrp.address.address.description, holder: talk.book.holder(own: node, role: site.role, at: now))
        report.peers = talk.book.reports(at: now)
        report.warnings += talk.complaints.warnings(at: now) + disagreements(talk, now) + vainAside(site, now)
    }

    /// One file for all boxes; what each has in force may be another one.
    private func disagreements(_ talk: PeerTalk, _ now: Moment) -> [String] {
        (loaded.position?.peers ?? []).compactMap { peer in
            guard let theirs = talk.book.present(peer.name, at: now)?.policy, theirs != loaded.agreement else {
                return nil
            }
            return
                "\(peer.name) has another policy in force: nodes, vrrp or failover.order differ; put the same file on every box, "
                + "reload, and make keepalived's configuration anew (`wanctl export keepalived`)"
        }
    }

    /// The address is here although the operator wants it elsewhere.
    private func vainAside(_ site: SiteState, _ now: Moment) -> [String] {
        guard let aside = state.aside, site.role == .master, now - max(site.since, asideSince) > .seconds(5) else {
            return []
        }
        return [
            "this box stands aside for \(aside.uplink), but no other box takes the address; `wanctl auto` ends that"
        ]
    }

    /// The same for `wanctl why`.
    func siteLines(_ now: Moment) -> [String] {
        guard let site, let vrrp, let position = loaded.position else { return [] }
        var lines = ["this box is \(site.role.rawValue) for \((now - site.since).spokenText): \(site.reason)"]
        let value = site.written.map { "\($0)" } ?? "not told yet"
        lines.append("its health for keepalived is \(value) (the best of this site is \(position.count + 1))")
        if let notice = site.notice { lines.append("keepalived last said: \(notice.notice.line)") }
        if let aside = state.aside { lines.append("it stands aside for \(aside.uplink), by the operator's word") }
        if site.role == .backup { lines.append("its own traffic goes to \(vrrp.address.address)") }
        if !leavings.silenced.isEmpty {
            lines.append("nothing from \(leavings.silenced.sorted().joined(separator: ", ")) is forwarded")
        }
        return lines
    }
}

extension PeerTalk {
    func send(_ word: PeerWord) -> [PeerExchange.Failure]? {
        guard exchange != nil else { return nil }
        return exchange?.send(word)
    }

    func takeOddities() -> [PeerOddity] { exchange?.takeOddities() ?? [] }

    func read() throws(SystemCallError) -> [PeerExchange.Heard] { try exchange?.read() ?? [] }
}

extension PeerWord {
    /// Whether a later word says the same.
    fileprivate func isSaidBy(_ later: PeerWord) -> Bool {
        var same = later
        same.sequence = sequence
        return same == self
    }
}

extension PeerBook {
    fileprivate func freshNodes(at now: Moment) -> Set<String> {
        Set(reports(at: now).filter(\.isPresent).map(\.node))
    }
}
