import ControlText
import JSONText
import WANControl
import WANModel

/// Reports as a daemon would send them.
enum Example {
    /// 2026-11-21 00:00:00 UTC.
    static let now = Timestamp(unixMilliseconds: 1_795_219_200_000)

    static func style(width: Int? = nil, colour: Bool = false) -> TextStyle {
        TextStyle(colour: colour, width: width, now: now) { $0.text }
    }

    static func before(_ span: Duration) -> Timestamp {
        Timestamp(unixMilliseconds: now.unixMilliseconds - span.components.seconds * 1000)
    }

    static var ftth: UplinkReport {
        var uplink = UplinkReport(
            name: "ftth", interface: "ppp0", state: .up, traffic: .selected, since: before(.seconds(11_520)),
            reason: "3 of 3 targets answer")
        uplink.ifindex = 7
        uplink.addresses = ["198.51.100.10"]
        uplink.rttMilliseconds = 5.1
        uplink.jitterMilliseconds = 0.4
        uplink.loss = 0
        uplink.targets = [
            .init(address: "8.8.8.8", answered: true, rttMilliseconds: 5.2, loss: 0),
            .init(address: "1.1.1.1", answered: true, rttMilliseconds: 5.0, loss: 0),
        ]
        uplink.bytes = .init(received: 1, sent: 2, probes: 3)
        uplink.stateSpan = .seconds(11_520)
        return uplink
    }

    static var jcom: UplinkReport {
        var uplink = UplinkReport(
            name: "jcom", interface: "wlan0", state: .up, traffic: .standby, since: before(.seconds(190_000)),
            reason: "")
        uplink.ifindex = 3
        uplink.addresses = ["192.168.3.20"]
        uplink.gateway = "192.168.3.1"
        uplink.rttMilliseconds = 14.2
        uplink.jitterMilliseconds = 3.25
        uplink.loss = 0.004
        return uplink
    }

    static var soracom: UplinkReport {
        var uplink = UplinkReport(
            name: "soracom", interface: "ppp1", state: .up, traffic: .standby, since: before(.seconds(432_000)),
            reason: "")
        uplink.metered = true
        uplink.speedClass = .init(
            wanted: "s1.minimum", confirmed: "s1.minimum", via: "metadata", at: before(.seconds(9000)))
        uplink.keepalive = .init(
            idle: .seconds(1500), last: before(.seconds(720)), next: before(.seconds(-780)), answered: true)
        return uplink
    }

    static var healthy: StatusReport {
        StatusReport(
            version: "0.1.0", node: "router", selected: ["ftth"],
            policy: .init(path: "/etc/wanctl/policy.yaml", sha256: "e3b0c442", loadedAt: before(.seconds(20_000))),
            uplinks: [ftth, jcom, soracom],
            lastSwitch: SwitchReport(
                at: before(.seconds(11_450)), ago: .seconds(11_450), from: ["jcom"], to: ["ftth"],
                cause: "ftth is good again and held for 60s", appliedMilliseconds: 0.9, conntrackDeleted: 0,
                proven: true),
            startedAt: before(.seconds(20_000)))
    }

    /// The fibre died silently; JCOM follows; SORACOM carries, not yet raised.
    static var failedOver: StatusReport {
        var report = healthy
        report.selected = ["soracom"]
        report.uplinks[0].state = .down
        report.uplinks[0].traffic = .standby
        report.uplinks[0].stateSpan = .seconds(42)
        report.uplinks[0].reason = "0 of 3 targets answered 4 rounds in 300 ms; rx counter still"
        report.uplinks[0].rttMilliseconds = nil
        report.uplinks[0].loss = 1
        report.uplinks[1].state = .suspect
        report.uplinks[1].stateSpan = .zero
        report.uplinks[1].reason = "2 probes unanswered, confirming"
        report.uplinks[1].loss = 0.12
        report.uplinks[2].traffic = .selected
        report.uplinks[2].speedClass = .init(
            wanted: "s1.fast", confirmed: "s1.minimum", via: "api", at: before(.seconds(9000)),
            problem: "429 too many requests")
        report.uplinks[2].rttMilliseconds = 61
        report.uplinks[2].loss = 0
        report.lastSwitch = SwitchReport(
            at: before(.seconds(42)), ago: .seconds(42), from: ["ftth"], to: ["soracom"],
            cause: "ftth is down: 0 of 3 targets answered 4 rounds in 300 ms", detectedMilliseconds: 310,
            appliedMilliseconds: 0.9, conntrackDeleted: 12, proven: true,
            steps: [
                .init(name: "routes and NAT", milliseconds: 0.6),
                .init(name: "conntrack", milliseconds: 0.3, detail: "12 entries deleted"),
                .init(name: "second sweep", milliseconds: 1000.4, detail: "0 entries deleted"),
                .init(name: "proof", milliseconds: 62, detail: "8.8.8.8 answered over ppp1"),
            ])
        report.warnings = ["rp_filter was strict on ppp0 and has been set loose"]
        return report
    }

    static var nothingWorks: StatusReport {
        var report = healthy
        report.lastSwitch = nil
        for index in report.uplinks.indices {
            report.uplinks[index].state = index == 1 ? .absent : .down
            report.uplinks[index].reason = index == 1 ? "no carrier" : "no target answers"
            report.uplinks[index].rttMilliseconds = nil
            report.uplinks[index].loss = index == 1 ? nil : 1
            report.uplinks[index].stateSpan = .seconds(90)
        }
        return report
    }

    /// All lines are well, and libnftables does not take the table.
    static var untranslated: StatusReport {
        var report = healthy
        let fault = TableFault(isUntranslated: true, problem: "ruleset:3:1-5: Error: no")
        report.tableFault = fault
        report.warnings = [fault.sentence, "another thing"]
        return report
    }

    static var longNames: StatusReport {
        var report = healthy
        report.uplinks[0].name = "fibre-of-the-second-floor-office"
        report.uplinks[0].interface = "enp0s31f6.1234"
        report.uplinks[1].name = "光回線"
        report.selected = [report.uplinks[0].name]
        report.mode = .manual
        report.pinned = .init(uplink: report.uplinks[0].name, until: before(.seconds(-5400)), strict: true)
        report.uplinks[1].holdSpan = .seconds(40)
        report.uplinks[1].flaps = 3
        return report
    }

    static var why: WhyReport {
        WhyReport(
            mode: .auto, selected: ["soracom"], decision: "the first usable uplink of the order ftth, jcom, soracom",
            candidates: [
                .init(
                    uplink: "ftth", state: .down, usable: false, selected: false, verdict: "down since 42s",
                    evidence: ["0 of 3 targets answered 4 rounds in 300 ms", "rx counter still"]),
                .init(
                    uplink: "soracom", state: .up, usable: true, selected: true, verdict: "usable, and first in order"),
            ],
            lastSwitch: failedOver.lastSwitch)
    }

    static var events: [EventReport] {
        [
            EventReport(at: before(.seconds(43)), kind: "suspect", uplink: "ftth", text: "1 probe unanswered"),
            EventReport(
                at: before(.seconds(42)), kind: "switch", text: "ftth → soracom", change: failedOver.lastSwitch),
            EventReport(at: before(.seconds(2)), kind: "speed", uplink: "soracom", text: "s1.fast\u{1b}[2J confirmed"),
        ]
    }

    static let rules = RulesReport(
        rules: [
            .init(
                name: "backup never on LTE", match: "protocol tcp, port 873", order: "ftth, jcom", otherwise: "reject",
                uplinks: ["ftth"], flows: 12),
            .init(
                name: "cameras", match: "source 192.168.0.64/26", order: "soracom", otherwise: "drop", uplinks: [],
                flows: 0),
            .init(
                name: "calls", match: "any", order: "{ftth: 3, jcom: 1}", otherwise: "default", uplinks: [],
                flows: nil),
        ], selected: ["ftth"])
}
