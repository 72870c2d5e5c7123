internal import NetworkTypes
package import WANControl
package import WANEngine
package import WANModel

/// The daemon at one moment, as values: what people and scripts are told is made of it alone.
package struct StatusSnapshot {
    package var policy: PolicyInForce
    package var engine: Engine
    package var site: SiteRole?
    package var now: Moment
    /// The wall clock at `now`, in nanoseconds since 1970.
    package var wallClock: Int64
    package var node = ""
    package var startedAt = Timestamp(unixNanoseconds: 0)
    package var lastSwitch: SwitchReport?
    package var tableFault: TableFault?
    /// What is wrong, in sentences.
    package var alarms: [String] = []
    /// What other programs have that concerns us.
    package var notices: [String] = []
    /// What only `SiteLink` knows: warnings, and lines for `wanctl why`.
    package var siteWarnings: [String] = []
    package var siteLines: [String] = []
    package var bytes: [UplinkNumber: UplinkReport.Bytes] = [:]
    package var drains: [UplinkNumber: UplinkReport.Drain] = [:]

    package init(_ policy: PolicyInForce, _ engine: Engine, at now: Moment, wallClock: Int64) {
        self.policy = policy
        self.engine = engine
        self.now = now
        self.wallClock = wallClock
    }

    var isBackup: Bool { site?.role == .backup }
    var views: [UplinkView] { engine.views(at: now) }
    func name(_ number: UplinkNumber) -> String { policy.name(of: number) }

    func time(_ moment: Moment) -> Timestamp {
        let (sum, overflow) = wallClock.addingReportingOverflow(moment.nanoseconds - now.nanoseconds)
        return Timestamp(unixNanoseconds: overflow ? .max : sum)
    }

    package var status: StatusReport {
        var pinned = engine.pin.map {
            StatusReport.Pin(uplink: name($0.uplink), until: $0.until.map(time), strict: $0.strict)
        }
        if let handOver = site?.handOver {
            pinned = StatusReport.Pin(uplink: handOver.uplink, until: handOver.until.map(time), strict: false)
        }
        let loaded = policy.loaded
        var report = StatusReport(
            version: wanctlVersion, node: node, mode: pinned == nil ? .auto : .manual, role: site?.role ?? .alone,
            selected: engine.decision.share.map(name),
            policy: StatusReport.PolicyFile(
                path: loaded.path, sha256: loaded.sha256, loadedAt: Timestamp(unixNanoseconds: loaded.loadedAt)),
            uplinks: views.map(self.report), lastSwitch: lastSwitch, pinned: pinned, startedAt: startedAt,
            warnings: alarms + operatorsWord + notices, tableFault: tableFault)
        if let site {
            report.site = policy.policy.site
            report.warnings += siteWarnings
            site.add(to: &report, fingerprint: loaded.siteFingerprint, at: now)
        }
        return report
    }

    /// One line for `systemctl status`.
    package var summary: String {
        if let outage { return outage }
        return views.map {
            "\($0.name) \($0.state.rawValue)\($0.traffic == .standby ? "" : ", \($0.traffic.rawValue)")"
        }
        .joined(separator: "; ")
    }

    var outage: String? { tableFault.flatMap { $0.isUntranslated ? $0.sentence : nil } }

    /// What the operator once said and may have forgotten.
    private var operatorsWord: [String] {
        views.compactMap { view in
            if view.state == .disabled {
                return "\(view.name) is disabled; `wanctl enable \(view.name)` takes it in again"
            }
            guard view.isDrained else { return nil }
            let isInUse = engine.decision.share.contains(view.number)
            return isInUse
                ? "\(view.name) is to be kept empty, but nothing else works; `wanctl enable \(view.name)` takes it in again"
                : "\(view.name) is kept empty; `wanctl enable \(view.name)` takes it in again"
        }
    }

    private func report(_ view: UplinkView) -> UplinkReport {
        var report = UplinkReport(
            name: view.name, interface: view.interface, state: view.state, traffic: view.traffic,
            since: time(view.since), reason: view.reason)
        report.stateSpan = now - view.since
        report.ifindex = view.attachment?.interfaceIndex.rawValue
        report.addresses = view.attachment?.addresses.map(\.description) ?? []
        report.gateway = view.attachment?.gateway?.description
        // Where nothing answers, the last answer's time is no figure of now.
        let answers = view.state.isUsable || view.state == .proving
        report.rttMilliseconds = answers ? view.rtt.map(rounded) : nil
        report.jitterMilliseconds = answers ? view.jitter.map(rounded) : nil
        report.loss = (view.loss * 1000).rounded() / 1000
        report.targets = view.targets.map {
            UplinkReport.Target(
                address: $0.address.description, answered: $0.answered, rttMilliseconds: $0.rtt.map(rounded),
                loss: ($0.loss * 1000).rounded() / 1000)
        }
        report.speedClass = view.speedClass.map {
            UplinkReport.SpeedClass(
                wanted: $0.wanted, confirmed: $0.confirmed, via: $0.via, at: $0.at.map { time($0) },
                problem: $0.failure)
        }
        report.keepalive = view.keepalive.map {
            UplinkReport.Keepalive(
                idle: $0.idle, last: $0.lastSent.map { time($0) }, next: time($0.due),
                answered: $0.lastSent == nil ? nil : $0.lostInARow == 0)
        }
        report.bytes = bytes[view.number] ?? UplinkReport.Bytes(received: 0, sent: 0, probes: 0)
        report.metered = view.isMetered
        report.drain = view.drainsUntil.flatMap { _ in drains[view.number] }
        report.rules = rules(on: view.number)
        report.flaps = view.flaps
        if let until = view.holdUntil, until > now {
            report.holdUntil = time(until)
            report.holdSpan = until - now
        }
        return report
    }

    private func rounded(_ span: Duration) -> Double { (span.milliseconds * 1000).rounded() / 1000 }

    /// Names of the rules whose new flows take this uplink now, beside what follows `failover`.
    private func rules(on uplink: UplinkNumber) -> [String] {
        let choices = engine.choices
        return zip(policy.policy.rules, policy.policy.classOfRule).filter { _, classIndex in
            classIndex > 0 && choices.indices.contains(classIndex) && choices[classIndex].active.contains(uplink)
        }
        .map(\.0.name)
    }
}
