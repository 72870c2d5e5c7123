internal import LinuxIO

/// How the steps of a story went: its last page.
struct Verdicts {
    private var all: [(step: String, figures: String, isGood: Bool)] = []

    /// What happened in a step, its figures, and whether that is good.
    mutating func note(_ step: String, _ figures: String, _ isGood: Bool) { all.append((step, figures, isGood)) }

    /// Tells them all, with what SORACOM had to object to; whether all of it was good.
    mutating func conclude(by teller: StoryTeller, _ soracom: SoracomInLab) throws(LabError) -> Bool {
        let violations = soracom.service.violations
        note("requests that SORACOM's specification has no room for", "\(violations.count)", violations.isEmpty)
        try teller.chapter("In short")
        for verdict in all {
            let mark = verdict.isGood ? teller.paint("ok", .good) : teller.paint("MISSED", .bad)
            try teller.line("  \(Figure.left(verdict.step, 54))  \(Figure.left(verdict.figures, 38))  \(mark)")
        }
        for violation in violations { try teller.line("  \(violation)") }
        let isGood = all.allSatisfy(\.isGood)
        let seconds = Figure.fixed(Double(Clock.boottime() - teller.beginning) / 1e9, 0)
        try teller.line(
            "\n"
                + (isGood
                    ? teller.paint("All of it happened, in \(seconds) s.", .good)
                    : teller.paint("Not all of it happened as it should.", .bad)))
        return isGood
    }
}

extension LabStage {
    /// The longest gap since a moment, when it is over and everything after it has been answered for a while.
    func recovery(of prober: ClientProber, since moment: Int64) throws(LabError) -> Outage {
        var outage: Outage?
        let isOver = try wait(atMost: .seconds(10)) { () throws(LabError) in
            let report = try prober.snapshot(undecided: .milliseconds(300))
            let gaps = report.outages.filter { $0.end >= moment }
            outage = gaps.max { $0.duration < $1.duration }
            return outage.map { !$0.isOpen && Clock.boottime() - $0.end > 600_000_000 } ?? false
        }
        guard isOver, let outage else { throw LabError("see the client's datagrams answered again", "they are not") }
        return outage
    }
}
