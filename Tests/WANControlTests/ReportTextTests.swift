import ControlText
import Testing
import WANControl
import WANModel

@Suite("what a person reads")
struct ReportTextTests {
    @Test("all is well: one line for each uplink, and it is calm")
    func healthy() {
        #expect(
            Example.healthy.text(Example.style())
                == #"""
                router: all well, traffic on ftth.

                UPLINK   INTERFACE  STATE  TRAFFIC      RTT  LOSS  FOR     NOTE
                ftth     ppp0       up     selected  5.1 ms    0%  3h 12m
                jcom     wlan0      up     standby    14 ms   <1%  2d 4h
                soracom  ppp1       up     standby        –     –  5d      s1.minimum

                Last switch 3h 10m ago (2026-11-20T20:49:10Z): jcom → ftth: ftth is good again and held for 60s; applied in 0.9 ms, 0 flows moved, proven.

                """#)
    }

    @Test("failing over: what is down, why, and what the daemon did about it")
    func failingOver() {
        #expect(
            Example.failedOver.text(Example.style())
                == #"""
                router: traffic on soracom; ftth is down, jcom is suspect.

                UPLINK   INTERFACE  STATE    TRAFFIC     RTT  LOSS  FOR  NOTE
                ftth     ppp0       down     standby       –  100%  42s  0 of 3 targets answered 4 rounds in 300 ms; rx counter still
                jcom     wlan0      suspect  standby   14 ms   12%  0s   2 probes unanswered, confirming
                soracom  ppp1       up       selected  61 ms    0%  5d   wants s1.fast, has s1.minimum: 429 too many requests

                Last switch 42s ago (2026-11-20T23:59:18Z): ftth → soracom: ftth is down: 0 of 3 targets answered 4 rounds in 300 ms; detected in 310 ms, applied in 0.9 ms, 12 flows moved, proven.

                Warning: rp_filter was strict on ppp0 and has been set loose

                """#)
    }

    @Test("without a table of ours nothing is well, whatever the lines do")
    func untranslated() {
        var report = Example.untranslated
        let outage =
            "NO TRANSLATION: the nft table is refused and nothing of the LAN gets out (ruleset:3:1-5: Error: no); "
            + "where `wanctl check --table` takes it, another program has a table of its name"
        let lines = report.text(Example.style()).split(separator: "\n").map(String.init)
        #expect(lines.first == "router: \(outage).")
        #expect(lines.last == "Warning: another thing", "the outage is said once")
        report.role = .backup
        #expect(report.text(Example.style()).hasPrefix("router (backup): NO TRANSLATION: "))
        report = Example.healthy
        let fault = TableFault(isUntranslated: false, problem: "no")
        (report.tableFault, report.warnings) = (fault, [fault.sentence])
        let text = report.text(Example.style())
        #expect(text.hasPrefix("router: traffic on ftth.\n"))
        #expect(text.contains("Warning: the nft table is refused and the one of before stays in force (no); "))
    }

    @Test("on 80 columns the notes go below their lines")
    func eightyColumns() {
        #expect(
            Example.failedOver.text(Example.style(width: 80))
                == #"""
                router: traffic on soracom; ftth is down, jcom is suspect.

                UPLINK   INTERFACE  STATE    TRAFFIC     RTT  LOSS  FOR
                ftth     ppp0       down     standby       –  100%  42s
                    0 of 3 targets answered 4 rounds in 300 ms; rx counter still
                jcom     wlan0      suspect  standby   14 ms   12%  0s
                    2 probes unanswered, confirming
                soracom  ppp1       up       selected  61 ms    0%  5d
                    wants s1.fast, has s1.minimum: 429 too many requests

                Last switch 42s ago (2026-11-20T23:59:18Z): ftth → soracom: ftth is down: 0 of 3
                  targets answered 4 rounds in 300 ms; detected in 310 ms, applied in 0.9 ms, 12
                  flows moved, proven.

                Warning: rp_filter was strict on ppp0 and has been set loose

                """#)
    }

    @Test("on 40 columns the least needed columns leave")
    func fortyColumns() {
        #expect(
            Example.failedOver.text(Example.style(width: 40))
                == #"""
                router: traffic on soracom; ftth is
                down, jcom is suspect.

                UPLINK   STATE    TRAFFIC     RTT  FOR
                ftth     down     standby       –  42s
                    0 of 3 targets answered 4 rounds in
                    300 ms; rx counter still
                jcom     suspect  standby   14 ms  0s
                    2 probes unanswered, confirming
                soracom  up       selected  61 ms  5d
                    wants s1.fast, has s1.minimum: 429
                    too many requests

                Last switch 42s ago
                  (2026-11-20T23:59:18Z): ftth →
                  soracom: ftth is down: 0 of 3 targets
                  answered 4 rounds in 300 ms; detected
                  in 310 ms, applied in 0.9 ms, 12 flows
                  moved, proven.

                Warning: rp_filter was strict on ppp0
                  and has been set loose

                """#)
    }

    @Test("no uplink works: the first line says so")
    func nothingWorks() {
        #expect(
            Example.nothingWorks.text(Example.style(width: 100))
                == #"""
                router: NO WORKING UPLINK; traffic stays on ftth.

                UPLINK   INTERFACE  STATE   TRAFFIC   RTT  LOSS  FOR     NOTE
                ftth     ppp0       down    selected    –  100%  1m 30s  no target answers
                jcom     wlan0      absent  standby     –     –  1m 30s  no carrier
                soracom  ppp1       down    standby     –  100%  1m 30s  no target answers; s1.minimum

                """#)
    }

    @Test("long and wide names keep the columns straight; a pin says until when")
    func longNames() {
        #expect(
            Example.longNames.text(Example.style())
                == #"""
                router: all well, traffic on fibre-of-the-second-floor-office, pinned by hand for another 1h 30m, strictly.

                UPLINK                            INTERFACE       STATE  TRAFFIC      RTT  LOSS  FOR     NOTE
                fibre-of-the-second-floor-office  enp0s31f6.1234  up     selected  5.1 ms    0%  3h 12m
                光回線                            wlan0           up     standby    14 ms   <1%  2d 4h   has to hold another 40s after 3 flaps
                soracom                           ppp1            up     standby        –     –  5d      s1.minimum

                Last switch 3h 10m ago (2026-11-20T20:49:10Z): jcom → ftth: ftth is good again and held for 60s; applied in 0.9 ms, 0 flows moved, proven.

                """#)
    }

    @Test("on a very narrow terminal names are shortened")
    func veryNarrow() {
        #expect(
            Example.longNames.text(Example.style(width: 30))
                == #"""
                router: all well, traffic on
                fibre-of-the-second-floor-office,
                pinned by hand for another 1h
                30m, strictly.

                UPLINK            STATE
                fibre-of-the-se…  up
                光回線            up
                    has to hold another 40s
                    after 3 flaps
                soracom           up
                    s1.minimum

                Last switch 3h 10m ago
                  (2026-11-20T20:49:10Z): jcom
                  → ftth: ftth is good again
                  and held for 60s; applied in
                  0.9 ms, 0 flows moved,
                  proven.

                """#)
    }

    @Test("why: the decision, each uplink with its evidence, the steps of the last switch")
    func why() {
        #expect(
            Example.why.text(Example.style(width: 90))
                == #"""
                Traffic is on soracom: the first usable uplink of the order ftth, jcom, soracom

                  ftth (down, not usable): down since 42s
                    - 0 of 3 targets answered 4 rounds in 300 ms
                    - rx counter still

                * soracom (up): usable, and first in order

                Last switch 42s ago (2026-11-20T23:59:18Z): ftth → soracom: ftth is down: 0 of 3 targets
                  answered 4 rounds in 300 ms; detected in 310 ms, applied in 0.9 ms, 12 flows moved,
                  proven.
                  routes and NAT   0.6 ms
                  conntrack        0.3 ms  12 entries deleted
                  second sweep    1000 ms  0 entries deleted
                  proof             62 ms  8.8.8.8 answered over ppp1

                """#)
    }

    @Test("events are one line each, and an escape sequence in one is shown, not obeyed")
    func events() {
        #expect(
            HistoryReport(events: Example.events).text(Example.style())
                == #"""
                2026-11-20T23:59:17Z  suspect   ftth: 1 probe unanswered
                2026-11-20T23:59:18Z  switch    ftth → soracom: ftth is down: 0 of 3 targets answered 4 rounds in 300 ms; detected in 310 ms, applied in 0.9 ms, 12 flows moved, proven
                2026-11-20T23:59:58Z  speed     soracom: s1.fast\u{1b}[2J confirmed

                """#)
    }

    @Test("colour is only where it is asked for, and every colour ends")
    func colour() {
        let plain = Example.failedOver.text(Example.style(width: 80))
        #expect(!plain.contains("\u{1b}"))
        let coloured = Example.failedOver.text(Example.style(width: 80, colour: true))
        #expect(coloured.contains("\u{1b}[1;31mdown\u{1b}[0m"))
        var stripped = ""
        for part in coloured.split(separator: "\u{1b}[", omittingEmptySubsequences: false) {
            stripped += stripped.isEmpty && !coloured.hasPrefix("\u{1b}") ? part : part.drop { $0 != "m" }.dropFirst()
        }
        #expect(stripped == plain)
    }

    @Test("the trouble of a target, of a keepalive and of the line itself is named once")
    func notes() {
        var report = Example.healthy
        report.uplinks[0].targets[1].answered = false
        report.uplinks[2].keepalive?.answered = false
        report.uplinks[1].state = .disabled
        report.uplinks[1].reason = "by the operator"
        let lines = report.text(Example.style()).split(separator: "\n").map { String($0) }
        #expect(lines[0] == "router: all well, traffic on ftth.")
        #expect(lines[2].hasSuffix("no answer from 1.1.1.1"))
        #expect(lines[3].hasSuffix("by the operator"))
        #expect(lines[4].hasSuffix("s1.minimum; keepalive 12m ago was not answered"))
    }

    @Test("times go on while nothing changes")
    func aged() {
        let text = Example.longNames.aged(by: .seconds(15)).text(Example.style())
        #expect(text.contains("has to hold another 25s after 3 flaps"))
        #expect(Example.failedOver.aged(by: .seconds(20)).text(Example.style()).contains("Last switch 1m 2s ago"))
    }

    @Test(
        "no line is wider than the terminal, while words are not",
        arguments: [30, 40, 60, 79, 80, 81, 100, 132, 200])
    func width(limit: Int) {
        for report in [Example.healthy, Example.failedOver, Example.nothingWorks] {
            for line in report.text(Example.style(width: limit)).split(separator: "\n") {
                #expect(line.count <= limit, "\(line)")
            }
        }
    }

    @Test("numbers are as short as they may be")
    func actions() {
        let style = Example.style()
        #expect(
            ProbeReport(uplink: "a", target: "8.8.8.8", rttMilliseconds: 9.94).text(style)
                == "a  8.8.8.8  answered in 9.9 ms\n")
        #expect(
            ProbeReport(uplink: "a", target: "8.8.8.8", rttMilliseconds: 12_340).text(style)
                == "a  8.8.8.8  answered in 12.3 s\n")
        #expect(ProbeReport(uplink: "a", target: "8.8.8.8").text(style) == "a  8.8.8.8  no answer\n")
        #expect(
            ProbeReport(uplink: "a", target: "8.8.8.8", problem: "no carrier").text(style)
                == "a  8.8.8.8  no carrier\n")
        #expect(
            DrainReport(uplink: "a", flows: 1, left: .seconds(61), isDone: false).text(style)
                == "a: 1 flow left, at most 1m 1s more\n")
        #expect(DrainReport(uplink: "a", flows: 0, left: .zero, isDone: true).text(style) == "a is empty.\n")
        #expect(
            DrainReport(uplink: "a", flows: 9, left: .zero, isDone: true).text(style)
                == "a: the drain is over, 9 flows that were left were cut.\n")
        #expect(ActionReport(done: "done", warnings: ["b"]).text(style) == "done\nWarning: b\n")
        #expect(HistoryReport(events: []).text(style) == "Nothing has happened yet.\n")
    }
}
