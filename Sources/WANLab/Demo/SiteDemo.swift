internal import LinuxIO
internal import WANControl

/// `wanctl-lab demo --two-boxes`: two routers that share the LAN's gateway address, and how it goes from one to the other and
/// back, told as `Demo` tells of one.
package final class SiteDemo {
    let stage: LabStage
    let teller = StoryTeller()
    let site: SiteAtWork
    /// A new flow each 20 ms, as web pages make them.
    let browsing: ClientProber
    /// One flow from beginning to end.
    let call: ClientProber
    let record: SoracomTeller
    var verdicts = Verdicts()

    /// Tells the whole story; whether all of it was good.
    package static func run(in options: LabOptions = LabOptions(), on stage: LabStage) throws -> Bool {
        let lab = try stage.buildSite(options)
        let demo = try SiteDemo(stage, lab)
        do {
            try demo.tell()
        } catch {
            try stage.check()  // who interrupts needs no explanation
            try demo.teller.line("\n" + demo.teller.paint("This step did not happen: \(error)", .bad))
            demo.verdicts.note("the story ends here", "", false)
        }
        return try demo.verdicts.conclude(by: demo.teller, demo.site.soracom)
    }

    private init(_ stage: LabStage, _ lab: SiteLab) throws {
        self.stage = stage
        try Self.introduce(teller)
        // A hold that a spectator can wait for; all else as the policy has it by itself.
        site = try SiteAtWork(in: lab, hold: "5s")
        record = SoracomTeller(site.soracom, teller)
        try site.settle()
        call = try ClientProber.start(at: lab.clientSite)
        browsing = try ClientProber.start(at: lab.clientSite, flow: .fresh())
    }

    private static func introduce(_ teller: StoryTeller) throws {
        try teller.line(teller.paint("wanctl: two routers, one address", .strong))
        try teller.line(
            """

              main  \(SiteNode.main.address)  ppp0, ftth     fibre, 5 ms         carries everything while its line works
              sub   \(SiteNode.sub.address)  ppp0, soracom  LTE, 45 ms, metered  waits, its SIM silent on s1.minimum

            The LAN knows one gateway, \(LabAddress.virtual), which is on one box at a time: the real keepalived hands it over, the
            real wanctld on each box tells it when. Both boxes have the same policy. A client in the LAN sends a datagram each
            2 ms, twice over: as one long call, and as browsing, a new flow each 20 ms. What they miss a family would notice.
            """)
    }

    private func tell() throws {
        try allIsWell()
        try fibreFails()
        try simIsRaised()
        try fibreComesBack()
        try simIsLowered()
    }
}
