import ControlText
import JSONText
import Testing
import WANControl
import WANModel

@Suite("what a person reads of a site")
struct SiteTextTests {
    @Test("the master: its role first, then who has the address and what each peer said")
    func master() {
        #expect(
            Example.master.text(Example.style())
                == #"""
                main (master): all well, traffic on ftth.

                UPLINK  INTERFACE  STATE  TRAFFIC      RTT  LOSS  FOR
                ftth    ppp0       up     selected  5.1 ms    0%  3h 12m

                Site home: main is master (has 192.168.0.254): keepalived says so, with priority 253.
                  sub, backup, heard 1s ago: soracom up.

                """#)
    }

    @Test("a backup says whether it could take over")
    func backup() {
        #expect(
            Example.backup.text(Example.style())
                == #"""
                sub (backup): all well, ready with soracom.

                UPLINK   INTERFACE  STATE  TRAFFIC  RTT  LOSS  FOR  NOTE
                soracom  ppp1       up     standby    –     –  5d   s1.minimum

                Site home: main is master (has 192.168.0.254); sub is backup.
                  main, master, heard just now: ftth up and selected, jcom down.

                """#)
    }

    @Test("a backup that could not take over says so; a pin and troubles stand behind it")
    func notReady() {
        var report = Example.backup
        report.uplinks[0].state = .down
        report.uplinks[0].reason = "no target answers"
        #expect(
            firstLine(report) == "sub (backup): COULD NOT TAKE OVER, no working uplink; soracom is down.")
        report.uplinks[0].state = .suspect
        report.mode = .manual
        #expect(firstLine(report) == "sub (backup): ready with soracom, chosen by hand; soracom is suspect.")
        report.mode = .auto
        report.selected = []
        #expect(firstLine(report) == "sub (backup): ready with soracom; soracom is suspect.")
    }

    @Test("peers that are silent are named in the first line, with their last word below")
    func silent() {
        #expect(
            Example.silentPeers.text(Example.style())
                == #"""
                main (master): traffic on ftth; sub is silent, third is silent.

                UPLINK  INTERFACE  STATE  TRAFFIC      RTT  LOSS  FOR
                ftth    ppp0       up     selected  5.1 ms    0%  3h 12m

                Site home: main is master (has 192.168.0.254): keepalived says so, with priority 253.
                  sub, silent, last heard 40s ago as backup: soracom up.
                  third (192.168.0.3) has not been heard yet.

                """#)
    }

    @Test("two masters are told loudly, and so is none")
    func masters() {
        let lines = Example.twoMasters.text(Example.style()).split(separator: "\n").map { String($0) }
        #expect(lines[0] == "main (master): traffic on ftth; 2 nodes are master.")
        #expect(
            lines[3]
                == "Site home: main and sub each say that they have 192.168.0.254; unless that ends at once, VRRP does not pass between them, or keepalived died on one; main: keepalived says so, with priority 253."
        )
        #expect(lines[4] == "  sub, master, heard 1s ago: soracom up and selected.")
        #expect(Example.twoMasters.text(Example.style(colour: true)).contains("\u{1b}[1;31mSite home: main and sub"))

        var none = Example.backup
        none.site = nil
        none.virtualAddress?.holder = nil
        none.peers[0].role = .backup
        none.peers[0].health = 0
        let told = none.text(Example.style()).split(separator: "\n").map { String($0) }
        #expect(told[0] == "sub (backup): ready with soracom; no node is master.")
        #expect(told[3] == "Site: it is not known who has 192.168.0.254; sub is backup.")
        #expect(told[4] == "  main, backup, heard just now: ftth up, jcom down; it cannot be master.")
        none.role = .alone
        #expect(none.text(Example.style()).contains("Site: it is not known who has 192.168.0.254; sub has no role."))
    }

    @Test("times go on for the silent; who spoke lately is present until the daemon tells otherwise")
    func aged() {
        let later = Example.silentPeers.aged(by: .seconds(25)).text(Example.style())
        #expect(later.contains("sub, silent, last heard 1m 5s ago as backup"))
        #expect(Example.master.aged(by: .seconds(25)).text(Example.style()).contains("sub, backup, heard 1s ago"))
    }

    @Test("why: the lines on the site stand before the last switch")
    func why() throws {
        var report = Example.why
        report.site = ["sub is backup: main has the address.", "Health 2: soracom\u{1b}[2J is the second of 2."]
        let lines = report.text(Example.style()).split(separator: "\n", omittingEmptySubsequences: false)
        let index = try #require(lines.firstIndex { $0.hasPrefix("Last switch") })
        #expect(
            lines[..<index].suffix(4) == [
                "", "sub is backup: main has the address.", "Health 2: soracom\\u{1b}[2J is the second of 2.", "",
            ])
        #expect(try WhyReport(json: try JSONValue(parsing: report.json.text)) == report)
    }

    @Test("why: of a backup the first line says whose the traffic is; status tells of a pin on another box")
    func headlineOfBackup() throws {
        var report = Example.why
        report.headline = "This box is backup: main has 192.168.0.254; no line of this box works"
        #expect(report.text(Example.style()).hasPrefix("This box is backup: main has 192.168.0.254; no line of"))
        #expect(try WhyReport(json: try JSONValue(parsing: report.json.text)) == report)
        var status = Example.master
        status.peers[0].pinned = "soracom"
        #expect(status.text(Example.style()).contains("soracom up; pinned to soracom by hand there."))
    }

    @Test("no line is wider than the terminal", arguments: [40, 60, 80, 132])
    func width(limit: Int) {
        for report in Example.sites {
            for line in report.text(Example.style(width: limit)).split(separator: "\n") {
                #expect(line.count <= limit, "\(line)")
            }
        }
    }

    private func firstLine(_ report: StatusReport) -> String {
        String(report.text(Example.style()).prefix { $0 != "\n" })
    }
}
