internal import WANControl

/// Load sharing: how ten thousand flows spread, and which of them a change moves.
extension Bench {
    func share() throws {
        try sheet.heading("10,000 flows over a shared step, {ftth: 3, jcom: 1}")
        let policy = SamplePolicy.text(
            hold: "2s", soracom: SoracomInLab.policyLines(), order: "[{ftth: 3, jcom: 1}, soracom]")
        let site = try BenchSite(on: stage, policy: policy)
        let both: Set<String> = ["ftth", "jcom"]
        func awaitSelected(_ wanted: Set<String>, atMost limit: Duration = .seconds(60)) throws {
            try site.router.waitUntil("traffic on \(wanted.sorted().joined(separator: " and "))", atMost: limit) {
                Set($0.selected) == wanted
            }
        }
        try awaitSelected(both)
        let sources = try site.lab.addClientAddresses(200)
        let crowd = try FlowCrowd.open(Self.crowd, in: site.lab, sources: sources)
        let first = try crowd.send()
        try spread(first, "flows")
        let again = try crowd.send()
        try sheet.never("moved while nothing changed", again.movedCount)

        try site.lab.setFault(.jcom, .blackhole())
        try awaitSelected(["ftth"])
        // The dead line swallows the last packets: two rounds until all have moved.
        let rounds = [try crowd.send(patience: .milliseconds(100)), try crowd.send()]
        let without = rounds[1]
        let stray = rounds.flatMap(\.moved).filter { $0.key != CrowdMove(from: .jcom, to: .ftth) }
            .reduce(0) { $0 + $1.value }
        try sheet.figure(
            "jcom dies: moved to ftth", "\(rounds.reduce(0) { $0 + $1.movedCount } - stray)",
            bar: ("all of jcom's", without.byUplink[.ftth] == Self.crowd))
        try sheet.never("moved that had not to", stray)

        try site.lab.clearFaults(.jcom)
        try awaitSelected(both)
        let back = try crowd.send()
        try sheet.never("jcom is back: old flows moved", back.movedCount)
        try crowd.close()
        let second = try FlowCrowd.open(Self.crowd, in: site.lab, sources: sources)
        try spread(try second.send(), "new flows")
        try second.close()
    }

    private static let crowd = 10_000

    private func spread(_ report: CrowdReport, _ what: String) throws {
        let share = report.share(of: .ftth) * 100
        // A fair hash is within 75 ± 1.7 % in all but one of ten thousand tries (four times √(0.75 · 0.25 / 10000)).
        try sheet.figure(
            "\(what) by ftth, of \(report.answered)", "\(Figure.fixed(share, 2)) %",
            bar: ("75 ± 1.7 %, none lost", abs(share - 75) <= 1.74 && report.answered == Self.crowd))
    }
}
