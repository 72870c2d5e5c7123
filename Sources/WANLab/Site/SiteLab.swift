internal import Glibc
internal import LinuxIO
internal import NetworkTypes

/// A site of two or three boxes that share the LAN's gateway address, each with a way out of its own, and the internet behind.
///
/// A line of a box that is not in the site may be a further one of another box (`extra`): its interface has then the line's own
/// name there (`LabUplink.interface`).
///
/// The boxes are left without default route, NAT, forwarding and keepalived: those are the job of what is tested in them. As a
/// `Lab`, everything goes with the object, and what a killed process leaves behind goes with the next lab.
package final class SiteLab: Sendable {
    package let nodes: [SiteNode]
    /// All lines with the box that has each.
    package let homes: [LabUplink: SiteNode]
    private let seed: UInt64
    private let lines: [LabUplink: LineQuality]
    private let life: LabLife

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

    package var id: String { life.id }

    /// `/run/wanctl-lab/ID`; it goes with the lab.
    package var directory: String { "\(LabDirectory.root)/\(id)" }

    /// A box's own files: what would be below its `/etc` and `/run`.
    package func directory(of node: SiteNode) -> String { "\(directory)/\(node.rawValue)" }

    package func namespaceName(_ place: SitePlace) -> String { place.namespace(of: id) }

    package func namespacePath(_ place: SitePlace) -> String { "/run/netns/\(place.namespace(of: id))" }

    /// The host of the LAN that asks the content server, to measure with `ClientProber`.
    package var clientSite: ProbeSite {
        ProbeSite(
            namespace: namespacePath(.lan), server: ContentServer.endpoint,
            owners: Dictionary(uniqueKeysWithValues: homes.keys.map { ($0.publicAddress, $0) }))
    }

    package func tearDown() throws(LabError) { try life.end() }

    private func assemble() throws(LabError) {
        let hasHomeRouter = homes[.jcom] != nil
        try life.mustRun(["ip", "-batch", "-"], input: SiteAssembly.namespaces(id, nodes, hasHomeRouter))
        for place in SiteAssembly.places(nodes, hasHomeRouter) {
            try writeSettings(LabOptions.kernelDefaults, in: place)
            try writeSettings(["net/ipv6/conf/all/disable_ipv6": "1"], in: place)
        }
        let near = Dictionary(
            uniqueKeysWithValues: homes.map { uplink, node in
                (uplink, Wires.NearEnd(namespace: namespacePath(node.place), interface: interface(of: uplink)))
            })
        let (id, seed, lines) = (id, seed, lines)
        let wires = try LoopThread<Wires>("the wires", urgent: true) { loop in
            try Wires(on: loop, lab: id, seed: seed, lines: lines, near: near)
        }
        try life.add { $0.wires = wires }
        for place in SiteAssembly.places(nodes, hasHomeRouter) {
            // Of the internet's lines some end at no box of this site; its rules do not mind.
            let batch = SiteAssembly.addresses(of: place, nodes)
            try life.mustRun(["ip", "-n", namespaceName(place), "-batch", "-"], input: batch)
        }
        for uplink in uplinks { try raise(uplink) }
        try life.mustRun(["nft", "-f", "-"], in: namespaceName(.inet), input: Assembly.inetRuleset)
        if hasHomeRouter {
            try life.mustRun(["nft", "-f", "-"], in: namespaceName(.jcom), input: Assembly.jcomRuleset)
            try writeSettings(["net/ipv4/ip_forward": "1"], in: .jcom)
        }
        for node in nodes { try doing("make \(directory(of: node))") { try makeDirectory(directory(of: node)) } }
        let starter = try LoopThread<Void>("the starter of programs") { _ in }
        let content = try ContentServer(in: namespacePath(.inet))
        try life.add { parts in
            parts.starter = starter
            parts.content = content
        }
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

    private func raise(_ uplink: LabUplink) throws(LabError) {
        guard let node = homes[uplink] else { throw LabError("raise \(uplink)", "this site has no such line") }
        try life.mustRun(
            ["ip", "-n", namespaceName(node.place), "-batch", "-"],
            input: SiteAssembly.nearEnd(of: uplink, interface(of: uplink)))
    }

    /// Writes settings of a place, as `net/ipv4/ip_forward`.
    package func writeSettings(_ settings: [String: String], in place: SitePlace) throws(LabError) {
        try doing("set \(namespaceName(place))") {
            try NetworkNamespace.open(namespacePath(place)).inside {
                for (name, value) in settings.sorted(by: { $0.key < $1.key }) {
                    try Files.write(value, to: "/proc/sys/\(name)")
                }
            }
        }
    }

    // MARK: programs

    /// Runs a program inside a place to its end; it need not succeed.
    package func run(in place: SitePlace, _ arguments: [String]) throws(LabError) -> CommandResult {
        try life.run(arguments, in: namespaceName(place))
    }

    /// Runs a program inside a place that must succeed; its standard output.
    @discardableResult
    package func mustRun(in place: SitePlace, _ arguments: [String], input: String = "") throws(LabError) -> String {
        try life.mustRun(arguments, in: namespaceName(place), input: input)
    }

    /// Starts a program inside a place and leaves it running, as `Lab.spawn` does.
    package func spawn(
        in place: SitePlace, _ arguments: [String], logPath: String? = nil
    ) throws(LabError) -> Child {
        try life.spawn(
            in: namespaceName(place), arguments, environment: [:], logPath: logPath,
            label: "\(place.rawValue)-\(Spawn.name(of: arguments))")
    }

    // MARK: what goes wrong

    /// Lets something go wrong with a box's own line, or right; the moment it took effect (`Clock.boottime`).
    @discardableResult
    package func setFault(_ node: SiteNode, _ fault: Fault) throws(LabError) -> Int64 {
        try setFault(line: node.uplink, fault)
    }

    /// The same with any line of the site.
    @discardableResult
    package func setFault(line uplink: LabUplink, _ fault: Fault) throws(LabError) -> Int64 {
        switch fault {
        case .gone:
            return try onWires { wires in
                let moment = Clock.boottime()
                try wires[uplink].unplugNear()
                return moment
            }
        case .back:
            try onWires { wires in
                try wires.reset(uplink)
                try wires.plug(uplink)
            }
            try raise(uplink)
            return Clock.boottime()
        default:
            return try onWires { wires in
                let moment = Clock.boottime()
                try Lab.apply(fault, to: try wires[uplink], gateway: uplink.gateway, at: moment)
                return moment
            }
        }
    }

    /// A box's own line as it was built, its interface included.
    package func clearFaults(_ node: SiteNode) throws(LabError) { try clearFaults(line: node.uplink) }

    package func clearFaults(line uplink: LabUplink) throws(LabError) {
        let isPlugged = try onWires { wires in
            try wires.reset(uplink)
            let isPlugged = try wires[uplink].isPlugged
            if isPlugged { try wires[uplink].setCarrier(true) }
            return isPlugged
        }
        if !isPlugged { try setFault(line: uplink, .back()) }
    }

    /// Pulls or plugs the cable between a box and the LAN's switch; the moment it was done. Returns when a plugged one carries
    /// frames.
    @discardableResult
    package func setCable(_ node: SiteNode, _ cable: SiteCable) throws(LabError) -> Int64 {
        try mustRun(in: .lanSwitch, ["ip", "-batch", "-"], input: SiteAssembly.cable(of: node, cable))
        if cable == .connected { try waitForPort(node) }
        return Clock.boottime()
    }

    /// The box loses its power: no frame leaves it any more, and its programs are dead before they can notice anything. What stood
    /// on its interfaces stays there, where nobody sees it, until `powerOn`.
    @discardableResult
    package func powerOff(_ node: SiteNode) throws(LabError) -> Int64 {
        let moment = try setCable(node, .silent)
        life.killPrograms(in: namespaceName(node.place))
        for (uplink, home) in homes where home == node { try setFault(line: uplink, .gone) }
        return moment
    }

    /// The box has power again and has booted: lines and cable as they were built, nothing of ours or of keepalived's in its
    /// kernel, and none of its programs running.
    package func powerOn(_ node: SiteNode) throws(LabError) {
        try mustRun(in: node.place, ["ip", "-batch", "-"], input: SiteAssembly.boot(of: node))
        try mustRun(in: node.place, ["nft", "flush", "ruleset"])
        _ = try run(in: node.place, ["conntrack", "-F"])
        try writeSettings(LabOptions.kernelDefaults, in: node.place)
        for (uplink, home) in homes where home == node { try clearFaults(line: uplink) }
        try setCable(node, .connected)
    }

    private func onWires<Answer: Sendable>(
        _ body: @escaping @Sendable (Wires) throws -> Answer
    ) throws(LabError) -> Answer {
        guard let wires = life.parts.wires else { throw LabError("reach the wires", "the lab is down") }
        return try wires.perform(body)
    }
}
