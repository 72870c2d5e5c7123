/// `wanctl-lab demo --two-boxes`: two routers that share the LAN's gateway address, and how it goes from one to the other and
/// back, told as `Demo` tells of one.
package final class SiteDemo: Story {
    let site: SiteAtWork

    /// Tells the whole story; whether all of it was good.
    package static func run(in options: LabOptions = LabOptions(), on stage: LabStage) throws -> Bool {
        let demo = try SiteDemo(stage, try stage.buildSite(options))
        try demo.tell(demo.allIsWell, demo.fibreFails, demo.simIsRaised, demo.fibreComesBack, demo.simIsLowered)
        return try demo.conclude()
    }

    private init(_ stage: LabStage, _ lab: SiteLab) throws {
        let teller = StoryTeller()
        try Self.introduce(teller)
        // A hold that a spectator can wait for; all else as the policy has it by itself.
        site = try SiteAtWork(in: lab, hold: "5s")
        try site.settle()
        super.init(stage, teller, site.soracom, try ClientPair.start(at: lab.clientSite))
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
}
