internal import LinuxIO
internal import WANControl
internal import WANModel

/// A site of two boxes with the real daemon and the real keepalived on both, and SORACOM, for demo and bench.
final class SiteAtWork {
    let lab: SiteLab
    let soracom: SoracomInLab
    private let daemons: [SiteNode: RouterUnderTest]
    private let keepalived: [SiteKeepalived]

    /// Starts all of it; `settle` waits until it is at its work.
    ///
    /// The SIM begins in the class that something before it left on: lowering that is a box's first deed.
    init(in lab: SiteLab, hold: String) throws(LabError) {
        self.lab = lab
        soracom = try SoracomInLab.start(in: lab, speedClass: "s1.fast")
        var daemons: [SiteNode: RouterUnderTest] = [:]
        var keepalived: [SiteKeepalived] = []
        for node in lab.nodes {
            let policy = SitePolicy.text(
                for: node, in: lab, hold: hold, vrrp: ["backup: {forwarding: off}"],
                soracom: SoracomInLab.policyLines())
            daemons[node] = try RouterUnderTest.start(on: node, in: lab, policy: policy)
            keepalived.append(try SiteKeepalived.start(on: node, in: lab, policy: policy))
        }
        self.daemons = daemons
        self.keepalived = keepalived
    }

    func daemon(_ node: SiteNode) throws(LabError) -> RouterUnderTest {
        guard let daemon = daemons[node] else { throw LabError("ask \(node.rawValue)", "the site has no such box") }
        return daemon
    }

    /// `main` has the address, the other one is ready and its SIM cheap, and both know that their lines work.
    func settle() throws(LabError) {
        try daemon(.main).waitUntil("main with the address and its fibre", atMost: .seconds(20)) { status in
            status.role == .master && status[.ftth]?.state == .up
        }
        try daemon(.sub).waitUntil("sub ready to take over", atMost: .seconds(20)) { status in
            status.role == .backup && status[.soracom]?.state == .up
                && status[.soracom]?.speedClass?.confirmed == "s1.minimum"
        }
    }

    /// `wanctl status` as somebody types it on a box.
    func statusText(_ node: SiteNode) throws(LabError) -> String {
        let words = [siblingProgram("wanctl"), "--socket", try daemon(node).socketPath, "status"]
        return try lab.mustRun(in: node.place, words)
    }

    /// What a box's journal says last about its role.
    func lastWord(onRoleOf node: SiteNode) throws(LabError) -> String {
        try daemon(node).history().last { $0.kind == "role" }?.text ?? "nothing"
    }
}
