internal import Glibc
internal import LinuxIO
package import NetworkTypes

/// A site of two or three boxes that share the LAN's gateway address, each with a way out of its own, and the internet behind.
///
/// A line of a box that is not in the site may be a further one of another box (`extra`): its interface has then the line's own
/// name there (`LabUplink.interface`).
///
/// The boxes are left without default route, NAT, forwarding and keepalived: those are the job of what is tested in them. As a
/// `Lab`, everything goes with the object, and what a killed process leaves behind goes with the next lab.
package final class SiteLab: Laboratory {
    package let nodes: [SiteNode]
    /// All lines with the box that has each.
    package let homes: [LabUplink: SiteNode]
    private let seed: UInt64
    private let lines: [LabUplink: LineQuality]
    package let life: LabLife

    /// Lines that add nothing unless some are given.
    package static func build(
        _ nodes: [SiteNode] = [.main, .sub], extra: [LabUplink: SiteNode] = [:], id: String? = nil, seed: UInt64 = 1,
        lines: [LabUplink: LineQuality] = [:]
    ) throws(LabError) -> SiteLab {
        try StaleLabs.sweep()
        return try build(try LabLife.begin(id), nodes, extra: extra, seed: seed, lines: lines)
    }

    /// Where it fails, what was built goes with the life.
    static func build(
        _ life: LabLife, _ nodes: [SiteNode] = [.main, .sub], extra: [LabUplink: SiteNode] = [:], seed: UInt64 = 1,
        lines: [LabUplink: LineQuality] = [:]
    ) throws(LabError) -> SiteLab {
        let lab = SiteLab(life, nodes, extra, seed, lines)
        try lab.assemble()
        return lab
    }

    private init(
        _ life: LabLife, _ nodes: [SiteNode], _ extra: [LabUplink: SiteNode], _ seed: UInt64,
        _ lines: [LabUplink: LineQuality]
    ) {
        self.life = life
        self.nodes = nodes
        homes = extra.merging(nodes.map { ($0.uplink, $0) }) { _, own in own }
        self.seed = seed
        self.lines = lines
    }

    /// A box's own files: what would be below its `/etc` and `/run`.
    package func directory(of node: SiteNode) -> String { "\(directory)/\(node.rawValue)" }

    /// The host of the LAN that asks the content server, to measure with `ClientProber`.
    package var clientSite: ProbeSite {
        ProbeSite(
            namespace: namespacePath(.lan), server: ContentServer.endpoint,
            owners: Dictionary(uniqueKeysWithValues: homes.keys.map { ($0.publicAddress, $0) }))
    }

    package var routers: [LabUplink: SitePlace] { homes.mapValues(\.place) }

    package func renew(_ uplink: LabUplink, _ wanted: IPv4Address?) -> IPv4Address { uplink.address }

    /// The key with which its boxes sign what they tell each other (`vrrp.key`); another one in each lab.
    package var keyFile: String { "\(directory)/site.key" }

    /// Takes the place of what was in it; each a secret in a line.
    package func setKey(_ secrets: [String]) throws(LabError) {
        try doing("write \(keyFile)") {
            try Files.replace(keyFile, with: Array(secrets.map { $0 + "\n" }.joined().utf8), mode: 0o600)
        }
    }

    /// As `openssl rand -hex 32` makes one.
    package static func freshSecret() -> String {
        let digits = (0..<4).map { _ in String(UInt64.random(in: 1 << 60 ... .max), radix: 16) }
        return digits.joined()
    }

    private func assemble() throws(LabError) {
        let hasHomeRouter = homes[.jcom] != nil
        try life.mustRun(["ip", "-batch", "-"], input: SiteAssembly.namespaces(id, nodes, hasHomeRouter))
        let places = SiteAssembly.places(nodes, hasHomeRouter)
        for place in places { try setDefaults(in: place) }
        try layWires(seed: seed, lines: lines)
        // Of the internet's lines some end at no box of this site; its rules do not mind.
        for place in places { try change(place, SiteAssembly.addresses(of: place, nodes)) }
        for uplink in uplinks { try raise(uplink, uplink.address) }
        for node in nodes {
            try doing("make \(directory(of: node))") { try Files.makeDirectory(directory(of: node), mode: 0o755) }
        }
        try setKey([Self.freshSecret()])
        try open()
        for node in nodes { try waitForPort(node) }
    }

    /// A port carries frames when the kernel has noticed its carrier, which may take a second (net/core/link_watch.c).
    private func waitForPort(_ node: SiteNode) throws(LabError) {
        let deadline = Clock.boottime() + 5_000_000_000
        while try !mustRun(in: .lanSwitch, ["bridge", "link", "show", "dev", node.port]).contains(" state forwarding ")
        {
            guard Clock.boottime() < deadline else {
                throw LabError("connect \(node.rawValue)", "the LAN's switch does not forward for it")
            }
            pause(milliseconds: 10)
        }
    }

    /// The lines of the site, best first as everywhere in the lab: fibre, cable, SIM.
    package var uplinks: [LabUplink] { LabUplink.allCases.filter { homes[$0] != nil } }

    /// The interface of a line on its box: a box's own is named by the box, a further one by the line.
    package func interface(of uplink: LabUplink) -> String {
        guard let node = homes[uplink], node.uplink == uplink else { return uplink.interface }
        return node.interface
    }

    // MARK: what goes wrong

    /// Lets something go wrong with a box's own line, or right; the moment it took effect (`Clock.boottime`).
    @discardableResult
    package func setFault(_ node: SiteNode, _ fault: Fault) throws(LabError) -> Int64 {
        try setFault(node.uplink, fault)
    }

    /// A box's own line as it was built, its interface included.
    package func clearFaults(_ node: SiteNode) throws(LabError) { try clearFaults(node.uplink) }

    /// Pulls or plugs the cable between a box and the LAN's switch; the moment it was done. Returns when a plugged one carries
    /// frames.
    @discardableResult
    package func setCable(_ node: SiteNode, _ cable: SiteCable) throws(LabError) -> Int64 {
        try change(.lanSwitch, SiteAssembly.cable(of: node, cable))
        if cable == .connected { try waitForPort(node) }
        return Clock.boottime()
    }

    /// The box loses its power: no frame leaves it any more, and its programs are dead before they can notice anything. What stood
    /// on its interfaces stays there, where nobody sees it, until `powerOn`.
    @discardableResult
    package func powerOff(_ node: SiteNode) throws(LabError) -> Int64 {
        let moment = try setCable(node, .silent)
        life.killPrograms(in: namespaceName(node.place))
        for (uplink, home) in homes where home == node { try setFault(uplink, .gone) }
        return moment
    }

    /// The box has power again and has booted: lines and cable as they were built, nothing of ours or of keepalived's in its
    /// kernel, and none of its programs running.
    package func powerOn(_ node: SiteNode) throws(LabError) {
        try change(node.place, SiteAssembly.boot(of: node))
        try mustRun(in: node.place, ["nft", "flush", "ruleset"])
        _ = try run(in: node.place, ["conntrack", "-F"])
        try writeSettings(LabOptions.kernelDefaults, in: node.place)
        for (uplink, home) in homes where home == node { try clearFaults(uplink) }
        try setCable(node, .connected)
    }
}
