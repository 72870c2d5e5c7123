internal import LinuxIO
internal import NetworkTypes
internal import WANDataplane
internal import WANModel

/// TCP connections from the LAN that this router does not know, although they run: when an interface goes the kernel forgets
/// what was translated to its address before anybody can look, and what ran over another box of the site was never known here.
///
/// Taken up as they come they would leave with an address that their servers have never seen, and hang until these say so, if
/// they do. For a while they are answered with a reset instead (the ruleset's set `strays`). Not for ever: a router that has
/// forgotten its flows for another reason, such as `conntrack -F`, takes them up again with the address they had.
extension Daemon {
    /// Longer than most programs leave a connection without a word.
    private static let patienceWithStrays: Duration = .seconds(600)

    /// A backup expects them at any time: the address may come, and packets with it, before the daemon has heard of it.
    var expectsStrays: Bool { isBackup || (straysUntil.map { Daemon.moment() < $0 } ?? false) }

    /// From now on for some minutes.
    func awaitStrays() {
        let end = Daemon.moment() + Self.patienceWithStrays
        straysUntil = end
        if let straysTimer { loop.cancel(straysTimer) }
        straysTimer = loop.schedule(at: end.nanoseconds) { [weak self] in
            self?.straysTimer = nil
            self?.straysUntil = nil
            self?.router.table.steer()
        }
        router.table.steer()
    }
}
