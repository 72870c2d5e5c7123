internal import LinuxIO
internal import WANControl

/// A story that the real programs tell in a lab while two clients count what they miss.
///
/// Every sentence comes from something measured or answered; a step that does not happen ends the story.
package class Story {
    let stage: LabStage
    let teller: StoryTeller
    let soracom: SoracomInLab
    let record: SoracomTeller
    let clients: ClientPair
    var verdicts = Verdicts()

    /// A failure is noticed and mended in half a second at most; four times that is a miss on any machine.
    private static let worstOutage = 2000.0

    init(_ stage: LabStage, _ teller: StoryTeller, _ soracom: SoracomInLab, _ clients: ClientPair) {
        self.stage = stage
        self.teller = teller
        self.soracom = soracom
        record = SoracomTeller(soracom, teller)
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
            verdicts.note("the story ends here", "", false)
        }
    }

    /// The last page; whether all of it was good.
    func conclude() throws(LabError) -> Bool { try verdicts.conclude(by: teller, soracom) }

    // MARK: what every story has to tell

    func tellWhatIsMissedAtFirst(_ step: String) throws(LabError) {
        try stage.linger(.seconds(2))
        let missed = try clients.lost()
        try teller.say("so far the browsing has missed \(missed.fresh) datagrams and the call \(missed.established)")
        verdicts.note(step, "\(missed)", missed == .none)
    }

    /// The gap of each client since a failure.
    func recovery(since moment: Int64) throws(LabError) -> (browsing: Outage, call: Outage) {
        (try stage.recovery(of: browsing, since: moment), try stage.recovery(of: call, since: moment))
    }

    func tell(_ missed: (browsing: Outage, call: Outage), _ step: String, isProven: Bool) throws(LabError) {
        let longest = max(missed.browsing.milliseconds, missed.call.milliseconds)
        let (browsing, call) = (missed.browsing.figure, missed.call.figure)
        try teller.add("missed   browsing \(browsing) ms, the call \(call) ms")
        verdicts.note(
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
        verdicts.note(
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
