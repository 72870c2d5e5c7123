internal import LinuxIO
internal import NetworkTypes
internal import WANControl

/// `wanctl-lab demo`: the main job as a story, told by the real daemon in a lab while a client counts what it misses.
///
/// Every sentence comes from something measured or answered; a step that does not happen ends the story.
package final class Demo {
    let stage: LabStage
    let teller = StoryTeller()
    let lab: Lab
    let soracom: SoracomInLab
    let router: RouterUnderTest
    /// A new flow each 20 ms, as web pages make them.
    let browsing: ClientProber
    /// One flow from beginning to end.
    let call: ClientProber
    var verdicts = Verdicts()
    let record: SoracomTeller
    var lastFault: Int64 = 0

    /// The policy of Policies/one-box.yaml, but for times that a spectator can wait for.
    static let policy = SamplePolicy.text(
        hold: "5s", drain: "{default: 5s, metered: 5s}", soracom: SoracomInLab.policyLines())

    /// Tells the whole story; whether all of it was good.
    package static func run(in options: LabOptions = LabOptions(), on stage: LabStage) throws -> Bool {
        let lab = try stage.build(options)
        let demo = try Demo(stage, lab)
        do {
            try demo.tell()
        } catch {
            try stage.check()  // who interrupts needs no explanation
            try demo.fail(error)
        }
        return try demo.conclude()
    }

    private init(_ stage: LabStage, _ lab: Lab) throws {
        self.stage = stage
        self.lab = lab
        try Self.introduce(teller)
        soracom = try SoracomInLab.start(in: lab)
        record = SoracomTeller(soracom, teller)
        router = try RouterUnderTest.start(in: lab, policy: Self.policy)
        call = try ClientProber.start(in: lab)
        browsing = try ClientProber.start(in: lab, flow: .fresh())
    }

    private static func introduce(_ teller: StoryTeller) throws {
        try teller.line(teller.paint("wanctl: one router, three ways out", .strong))
        try teller.line(
            """

              ftth     ppp0   fibre, 5 ms           the best line; carries everything while it works
              jcom     wlan0  cable, 12 ms          takes over
              soracom  ppp1   LTE, 45 ms, metered   the last resort; waits silently on s1.minimum

            The real daemon runs in a small internet of network namespaces. A client in the LAN sends a datagram each 2 ms,
            twice over: as one long call, and as browsing, a new flow each 20 ms. What they miss a family would notice.
            """)
    }

    private func tell() throws {
        try allIsWell()
        try fibreFails()
        try cableFails()
        try soracomIsRaised()
        try everythingHeals()
        try soracomIsLowered()
    }

    private func fail(_ error: any Error) throws {
        try teller.line("\n" + teller.paint("This step did not happen: \(error)", .bad))
        verdicts.note("the story ends here", "", false)
    }

    private func conclude() throws -> Bool {
        let wrong = try lab.wrongSources().values.reduce(0, +)
        verdicts.note("packets that left with another line's address", "\(wrong)", wrong == 0)
        return try verdicts.conclude(by: teller, soracom)
    }
}
