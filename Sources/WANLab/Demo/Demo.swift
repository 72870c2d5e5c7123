/// `wanctl-lab demo`: the main job as a story, told by the real daemon in a lab while a client counts what it misses.
package final class Demo: Story {
    let lab: Lab
    let router: RouterUnderTest
    var lastFault: Int64 = 0

    /// The policy of Policies/one-box.yaml, but for times that a spectator can wait for.
    static let policy = SamplePolicy.text(
        hold: "5s", drain: "{default: 5s, metered: 5s}", soracom: SoracomInLab.policyLines())

    /// Tells the whole story; whether all of it was good.
    package static func run(in options: LabOptions = LabOptions(), on stage: LabStage) throws -> Bool {
        let demo = try Demo(stage, try stage.build(options))
        try demo.tell(
            demo.allIsWell, demo.fibreFails, demo.cableFails, demo.soracomIsRaised, demo.everythingHeals,
            demo.soracomIsLowered)
        let wrong = try demo.lab.wrongSources().values.reduce(0, +)
        demo.note("packets that left with another line's address", "\(wrong)", wrong == 0)
        return try demo.conclude()
    }

    private init(_ stage: LabStage, _ lab: Lab) throws {
        let teller = StoryTeller()
        try Self.introduce(teller)
        self.lab = lab
        let soracom = try SoracomInLab.start(in: lab)
        router = try RouterUnderTest.start(in: lab, policy: Self.policy)
        super.init(stage, teller, soracom, try ClientPair.start(in: lab))
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
}
