internal import WANControl

/// Whoever moves traffic between the lines of a lab, as the bench of flows asks of it: wanctl, or keepalived with its scripts.
struct FlowRouter {
    let name: String
    let lab: Lab
    /// How often it looks at a line: failures are spread over this, so that a distribution shows all of it.
    let beat: Duration
    /// Lets everything be well again, with new traffic on ftth.
    let renew: () throws -> Void
    /// Returns when new traffic takes this line.
    let await: (LabUplink) throws -> Void
    /// As the operator does it.
    let switchByHand: (LabUplink) throws -> Void
    let stop: () throws -> Void
}

extension FlowRouter {
    static func wanctl(on stage: LabStage) throws -> FlowRouter {
        let site = try BenchSite(
            on: stage, policy: SamplePolicy.text(hold: "2s", soracom: SoracomInLab.policyLines()))
        return FlowRouter(
            name: "wanctl", lab: site.lab, beat: .milliseconds(250), renew: { try site.renew() },
            await: { _ = try site.awaitSwitch(to: $0, atMost: .seconds(60)) },
            switchByHand: { try site.router.act(.failover(uplink: $0.rawValue)) },
            stop: { site.router.terminate() })
    }

    static func keepalived(flushing: Bool, on stage: LabStage) throws -> FlowRouter {
        let lab = try stage.build()
        let baseline = try KeepalivedBaseline.start(in: lab, flushing: flushing)
        return FlowRouter(
            name: flushing ? "keepalived, conntrack -F" : "keepalived", lab: lab, beat: .seconds(1),
            renew: {
                try lab.clearFaults()
                // It may have been led away by hand, of which keepalived knows nothing.
                try baseline.waitForDefault(over: .ftth, atMost: .seconds(20))
                try stage.linger(.seconds(4))  // three good checks in a row, or it would still be coming up
            },
            await: { try baseline.waitForDefault(over: $0, atMost: .seconds(60)) },
            switchByHand: { try baseline.switchByHand(to: $0) }, stop: { baseline.stop() })
    }
}
