internal import LinuxIO
internal import NetworkTypes
internal import PacketWire
internal import WANControl
internal import WANModel

/// Whether keepalived lives, here and on the other boxes, as far as can be told from what it does.
extension Daemon {
    /// One that starts again is away for a moment, a word of a peer is a second old, and a hand-over has two masters for a moment.
    private static let patience = Duration.seconds(3)

    /// On whatever interface: the kernel answers for it on all.
    var hasAddress: Bool {
        guard let address = vrrp?.address.address else { return false }
        return router.picture.addresses.values.contains { list in list.contains { $0.local == address } }
    }

    /// keepalived holds its FIFO open while it lives. Without it this box neither gets the address nor gives it away, and says so.
    func lookForKeepalived(_ vrrp: VRRP) {
        guard site?.fifo?.fifo.hasWriter == false else {
            site?.unheardSince = nil
            alarms.clear(.keepalived)
            return
        }
        let now = Daemon.moment()
        let since = site?.unheardSince ?? now
        if site?.unheardSince == nil {
            loop.schedule(at: (now + Self.patience).nanoseconds) { [weak self] in self?.readNotices() }
        }
        site?.unheardSince = since
        guard now - since >= Self.patience else { return }
        let effect =
            hasAddress
            ? "\(vrrp.address.address) stays here whatever becomes of this box, and another one may have it too"
            : "this box will not get \(vrrp.address.address)"
        let text =
            "keepalived does not run here, or not with \(vrrp.notifyFIFO): \(effect); start it, or reload one that runs"
        alarms.raise(.keepalived, text)
    }

    /// Two masters that hear each other's words are not parted: VRRP, not the LAN, is broken between them.
    func lookForRivals() {
        guard let talk else { return }
        let now = Daemon.moment()
        let rivals = (loaded.position?.peers ?? []).filter { talk.book.present($0.name, at: now)?.role == .master }
        guard hasAddress, let vrrp, !rivals.isEmpty else {
            talk.rivalSince = nil
            alarms.clear(.rival)
            return
        }
        let since = talk.rivalSince ?? now
        talk.rivalSince = since
        guard now - since >= Self.patience else { return }
        let names = rivals.map(\.name).joined(separator: ", ")
        let text =
            "\(names) has \(vrrp.address.address) too: look whether keepalived runs on each box, and hears the others (IP protocol 112)"
        alarms.raise(.rival, text)
    }

    /// Why this box is not master although it has the address; `nil` where nothing speaks against it.
    ///
    /// A keepalived that was killed leaves the address here, another box takes it too, and hosts follow that one. Were this box
    /// master for ever, its SIM would stay dear for ever. Nobody but keepalived takes the address off; what still comes
    /// here is carried, unless the policy says otherwise.
    func orphanReason(_ vrrp: VRRP) -> String? {
        guard hasAddress, let site, let talk, let position = loaded.position, let unheard = site.unheardSince,
            let rival = talk.rivalSince
        else { return nil }
        let now = Daemon.moment()
        // Not all at once, where keepalived was killed on several: the best steps back last.
        let rank = position.places.values.min() ?? position.count
        let patience = Self.patience + .seconds(1) * min(20, max(0, position.count - rank - 1))
        guard now - unheard >= Self.patience, now - rival >= patience else { return nil }
        let better = position.peers.first { peer in
            guard let word = talk.book.present(peer.name, at: now) else { return false }
            return word.role == .master && word.health > NodeHealth.held
        }
        return better.map { "keepalived is gone here, and \($0.name) has \(vrrp.address.address)" }
    }
}
