internal import LinuxIO
internal import WANControl

/// A story that the real programs tell in a lab while two clients count what they miss.
///
/// Every sentence comes from something measured or answered; a step that does not happen ends the story.
package class Story {
    let stage: LabStage
    let teller: StoryTeller
    let soracom: SoracomInLab
    let clients: ClientPair
    private var verdicts: [(step: String, figures: String, isGood: Bool)] = []
    private var toldCalls = 0

    /// A failure is noticed and mended in half a second at most; four times that is a miss on any machine.
    private static let worstOutage = 2000.0

    init(_ stage: LabStage, _ teller: StoryTeller, _ soracom: SoracomInLab, _ clients: ClientPair) {
        self.stage = stage
        self.teller = teller
        self.soracom = soracom
        self.clients = clients
    }

    /// Browsing makes a new flow each 20 ms, as web pages do; the call is one flow from beginning to end.
    var browsing: ClientProber { clients.fresh }
    var call: ClientProber { clients.established }

    /// Tells the chapters until one does not happen.
    func tell(_ chapters: (() throws -> Void)...) throws {
        do {
            for chapter in chapters { try chapter() }
        } catch {
            try stage.check()  // who interrupts needs no explanation
            try teller.line("\n" + teller.paint("This step did not happen: \(error)", .bad))
            note("the story ends here", "", false)
        }
    }

    /// What happened in a step, its figures, and whether that is good.
    func note(_ step: String, _ figures: String, _ isGood: Bool) { verdicts.append((step, figures, isGood)) }

    /// The last page: how the steps went, with what SORACOM had to object to; whether all of it was good.
    func conclude() throws(LabError) -> Bool {
        let violations = soracom.service.violations
        note("requests that SORACOM's specification has no room for", "\(violations.count)", violations.isEmpty)
        try teller.chapter("In short")
        for verdict in verdicts {
            let mark = verdict.isGood ? teller.paint("ok", .good) : teller.paint("MISSED", .bad)
            try teller.line("  \(Figure.left(verdict.step, 54))  \(Figure.left(verdict.figures, 38))  \(mark)")
        }
        for violation in violations { try teller.line("  \(violation)") }
        let isGood = verdicts.allSatisfy(\.isGood)
        let seconds = Figure.fixed(Double(Clock.boottime() - teller.beginning) / 1e9, 0)
        try teller.line(
            "\n"
                + (isGood
                    ? teller.paint("All of it happened, in \(seconds) s.", .good)
                    : teller.paint("Not all of it happened as it should.", .bad)))
        return isGood
    }

    // MARK: SORACOM

    /// What was asked of SORACOM since the last time, by its own record.
    func tellSoracom() throws(LabError) {
        let calls = soracom.service.calls
        for call in calls.dropFirst(toldCalls) {
            let door = call.path.hasPrefix("/v1/subscriber") ? "metadata service" : "API"
            let place = "\(door), asked from \(call.source)"
            let words =
                switch (call.operation, call.status, call.speedClass) {
                case (.auth, 200, _): "SORACOM lets us sign in, long before that is needed (\(place))"
                case (_, 200, let granted?): "SORACOM grants \(granted) (\(place))"
                default:
                    "SORACOM: \(call.method) \(call.path), \(call.status.map { "answer \($0)" } ?? "no answer") (\(place))"
                }
            try teller.say(words, at: call.moment)
        }
        toldCalls = calls.count
    }

    /// Waits until SORACOM's books have the SIM in this class.
    func awaitClass(_ name: String) throws(LabError) {
        let soracom = soracom
        let deadline = Clock.boottime() + 15_000_000_000
        guard soracom.service.wait(until: deadline, { _ in soracom.speedClass == name }) else {
            throw LabError("see SORACOM set the class to \(name)", "it is still \(soracom.speedClass ?? "unknown")")
        }
    }

    // MARK: what every story has to tell

    func tellWhatIsMissedAtFirst(_ step: String) throws(LabError) {
        try stage.linger(.seconds(2))
        let missed = try clients.lost()
        try teller.say("so far the browsing has missed \(missed.fresh) datagrams and the call \(missed.established)")
        note(step, "\(missed)", missed == .none)
    }

    /// The gap of each client since a failure.
    func recovery(since moment: Int64) throws(LabError) -> (browsing: Outage, call: Outage) {
        (try recovery(of: browsing, since: moment), try recovery(of: call, since: moment))
    }

    /// The longest gap since a moment, when it is over and everything after it has been answered for a while.
    private func recovery(of prober: ClientProber, since moment: Int64) throws(LabError) -> Outage {
        var outage: Outage?
        let isOver = try stage.wait(atMost: .seconds(10)) { () throws(LabError) in
            let report = try prober.snapshot(undecided: .milliseconds(300))
            let gaps = report.outages.filter { $0.end >= moment }
            outage = gaps.max { $0.duration < $1.duration }
            return outage.map { !$0.isOpen && Clock.boottime() - $0.end > 600_000_000 } ?? false
        }
        guard isOver, let outage else { throw LabError("see the client's datagrams answered again", "they are not") }
        return outage
    }

    func tell(_ missed: (browsing: Outage, call: Outage), _ step: String, isProven: Bool) throws(LabError) {
        let longest = max(missed.browsing.milliseconds, missed.call.milliseconds)
        let (browsing, call) = (missed.browsing.figure, missed.call.figure)
        try teller.add("missed   browsing \(browsing) ms, the call \(call) ms")
        note(
            step, "\(browsing) ms browsing, \(call) ms call", longest <= Self.worstOutage && isProven)
    }

    func tellFibreIsUp(_ status: StatusReport) throws(LabError) {
        let hold = status[.ftth]?.holdSpan.map { ", and must stay good for \(Figure.fixed($0.seconds, 1)) s" } ?? ""
        try teller.say("ftth is up: \(status[.ftth]?.reason ?? "")\(hold)")
    }

    /// The gaps that nobody announced: all but each client's first ones.
    func tellGaps(but known: Int, of call: ProbeReport) throws(LabError) {
        for gap in try browsing.snapshot().outages.dropFirst(known) + call.outages.dropFirst(known) {
            try teller.say("a gap of \(gap.figure) ms began", at: gap.start)
        }
    }

    /// With so many gaps at most.
    func endBrowsing(gaps most: Int, _ isGood: (ProbeReport) -> Bool = { _ in true }) throws(LabError) {
        let last = try browsing.stop()
        let count = last.outages.count
        note(
            "browsing, from beginning to end", "\(count) \(count == 1 ? "gap" : "gaps") in \(last.sent) datagrams",
            count <= most && isGood(last))
    }
}

extension Outage {
    var figure: String { Figure.milliseconds(milliseconds) }
}

extension Duration {
    var seconds: Double { Double(nanoseconds) / 1e9 }
}
