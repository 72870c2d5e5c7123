internal import LinuxIO
internal import WANModel

/// `vrrp: {backup: {forwarding: off}}`: a box that has not the address forwards nothing of the LAN's.
///
/// What was turned off is kept in `Leavings`, and turned on again by whoever ends that: the address, a policy without it, the end
/// of this daemon or `wanctld --cleanup`.
extension Daemon {
    /// Hosts that have not heard of the new gateway yet still send here for so long.
    private static let farewell: Int64 = 2_000_000_000

    /// Turning it on waits for a lock of the kernel's that keepalived holds just then, and 20 ms of packets are lost meanwhile. So
    /// it is done ahead, for so long, when this box has become the best: the address comes three advertisements later.
    private static let expectation = Duration.seconds(3)

    /// Whether the address should come soon. Unknown to peers that are not heard, and where the better box does not take it at
    /// once: there the packets are lost.
    private func expectsAddress(_ vrrp: VRRP) -> Bool {
        guard standsBy, vrrp.preempts, vrrp.preemptDelay == .zero, let own = site?.written, own > NodeHealth.held,
            let best = freshPeerHealth().max()
        else { return false }
        return own > best
    }

    /// After each word about health, of this box or of another.
    func followExpectation() {
        guard let vrrp, vrrp.backupForwarding == .off, let site else { return }
        guard expectsAddress(vrrp) else {
            site.expectsSince = nil
            return
        }
        guard site.expectsSince == nil else { return }
        site.expectsSince = Daemon.moment()
        guard !leavings.silenced.isEmpty else { return }
        forwardAsWanted()
        loop.schedule(at: (Daemon.moment() + Self.expectation).nanoseconds) { [weak self] in self?.forwardAsWanted() }
    }

    /// After each change of role, and after a policy that ended it.
    func followForwarding() {
        if let timer = site?.forwardingTimer { loop.cancel(timer) }
        site?.forwardingTimer = nil
        guard vrrp?.backupForwarding == .off, standsBy else { return forwardAsWanted() }
        site?.forwardingTimer = loop.schedule(at: Clock.boottime() + Self.farewell) { [weak self] in
            self?.site?.forwardingTimer = nil
            self?.forwardAsWanted()
        }
    }

    /// Makes it so, and again each few seconds: an interface that was made anew forwards as the others do.
    func forwardAsWanted() {
        guard site?.forwardingTimer == nil else { return }
        let isExpected = site?.expectsSince.map { Daemon.moment() - $0 < Self.expectation } ?? false
        let isOff = vrrp?.backupForwarding == .off && standsBy && !isExpected
        let quiet = isOff ? Set(policy.lan.interfaces) : []
        // Silence that is not wanted any more, and what the policy wants of a master.
        var loud = leavings.silenced.subtracting(quiet)
        if vrrp?.backupForwarding == .off, !isOff { loud.formUnion(policy.lan.interfaces) }
        for interface in loud.sorted() { setForwarding(true, from: interface) }
        let found = quiet.filter { KernelSettings.forwards($0) == true }
        do throws(SystemCallError) {
            try leavings.note(silenced: leavings.silenced.intersection(quiet).union(found))
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
        if let done = KernelSettings.setForwarding(isOn, from: interface) { note(kind: "sysctl", done) }
    }

    /// The end of this daemon: what must not stand while nobody is here to change it again.
    func endSilence() {
        guard !leavings.silenced.isEmpty else { return }
        for interface in leavings.silenced.sorted() { setForwarding(true, from: interface) }
        do throws(SystemCallError) {
            try leavings.note(silenced: [])
        } catch {
            log(.warning, "\(error), ignoring")
        }
    }
}
