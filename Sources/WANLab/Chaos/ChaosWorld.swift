internal import LinuxIO
internal import WANControl

/// A lab with all that runs in it, for chaos: the real daemon on each box with a disk of its own, SORACOM, and with two boxes
/// the real keepalived.
final class ChaosWorld {
    let scene: ChaosScene
    let stage: LabStage
    let lab: any Laboratory
    let soracom: SoracomInLab
    private(set) var boxes: [Box] = []

    /// One machine with the daemon.
    final class Box {
        let name: ChaosBox
        /// Its network namespace, as ip-netns(8) has it.
        let namespace: String
        let disks: [ChaosDisk: LabDisk]
        let daemon: RouterUnderTest
        /// The policy when all is well.
        let policy: String
        /// With two boxes.
        let node: SiteNode?
        var keepalived: SiteKeepalived?

        init(
            _ name: ChaosBox, _ namespace: String, _ disks: [ChaosDisk: LabDisk], _ daemon: RouterUnderTest,
            _ policy: String, _ node: SiteNode? = nil
        ) {
            self.name = name
            self.namespace = namespace
            self.disks = disks
            self.daemon = daemon
            self.policy = policy
            self.node = node
        }
    }

    /// So long must a line be good at first; sixteenfold after failures in a row, which bounds what a healing may take.
    private static let hold = "1s"
    private static let drain = "{default: 1s, metered: 1s}"

    init(_ scene: ChaosScene, _ options: LabOptions, on stage: LabStage) throws(LabError) {
        self.scene = scene
        self.stage = stage
        switch scene {
        case .oneRouter:
            let lab = try stage.build(options)
            self.lab = lab
            soracom = try SoracomInLab.start(in: lab)
            boxes = [try Self.router(in: lab)]
        case .twoBoxes:
            let lab = try stage.buildSite(options)
            self.lab = lab
            soracom = try SoracomInLab.start(in: lab)
            for node in lab.nodes { boxes.append(try Self.box(node, in: lab)) }
            for box in boxes { try startKeepalived(on: box) }
        }
    }

    private static func router(in lab: Lab) throws(LabError) -> Box {
        let run = try LabDisk(at: "\(lab.directory)/run", of: lab, holder: LabPlace.lan)
        let state = try LabDisk(at: "\(lab.directory)/state", of: lab, holder: LabPlace.lan)
        let policy = SamplePolicy.text(hold: hold, drain: drain, soracom: SoracomInLab.policyLines())
        let daemon = try RouterUnderTest.start(
            in: lab, policy: policy, arguments: ["--node", "router", "--verbose"], run: run.path, state: state.path)
        return Box(.router, lab.namespaceName(.router), [.run: run, .state: state], daemon, policy)
    }

    private static func box(_ node: SiteNode, in lab: SiteLab) throws(LabError) -> Box {
        let directory = lab.directory(of: node)
        let run = try LabDisk(at: "\(directory)/run", of: lab, holder: SitePlace.lan)
        let state = try LabDisk(at: "\(directory)/state", of: lab, holder: SitePlace.lan)
        let policy = SitePolicy.text(
            for: node, in: lab, hold: hold, run: run.path, vrrp: ["backup: {forwarding: off}"],
            soracom: SoracomInLab.policyLines(), more: "  drain: \(drain)\n")
        let daemon = try RouterUnderTest.start(
            on: node, in: lab, policy: policy, arguments: ["--verbose"], run: run.path, state: state.path)
        let name: ChaosBox = node == .main ? .main : .sub
        return Box(name, lab.namespaceName(node.place), [.run: run, .state: state], daemon, policy, node)
    }

    func startKeepalived(on box: Box) throws(LabError) {
        guard let site, let node = box.node else { return }
        box.keepalived = try SiteKeepalived.start(
            on: node, in: site, policy: box.policy, run: box.disks[.run])
    }

    var site: SiteLab? { lab as? SiteLab }

    func box(_ name: ChaosBox) throws(LabError) -> Box {
        guard let box = boxes.first(where: { $0.name == name }) else {
            throw LabError("reach \(name.rawValue)", "\(scene.rawValue) has no such box")
        }
        return box
    }

    /// Two clients of the LAN, one with new flows and one with a single one.
    func clients() throws(LabError) -> ClientPair {
        if let router = lab as? Lab { return try ClientPair.start(in: router) }
        guard let site else { throw LabError("start clients", "it is a lab of no known kind") }
        return try ClientPair.start(at: site.clientSite)
    }

    /// A program on a box that ends by itself; what it said in one line, its exit code in front where that is not 0.
    func run(_ words: [String], on box: Box) throws(LabError) -> String {
        let result = try lab.life.run(words, in: box.namespace)
        let said = (result.output + result.errors).split(separator: "\n").joined(separator: " / ")
        let text = said.count > 300 ? said.prefix(300) + " …" : said
        return result.succeeded ? text : "\(result.status): \(text)"
    }
}
