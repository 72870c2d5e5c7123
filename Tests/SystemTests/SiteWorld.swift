import Glibc
import LinuxIO
import NetworkTypes
import TestSupport
import Testing
import WANControl
import WANLab
import WANModel

/// A site of two or three boxes, each with the real daemon and the real keepalived, and a client whose gateway is the address
/// they share. Everything goes with the object.
final class SiteWorld {
    let lab: SiteLab
    let soracom: SoracomInLab
    private(set) var daemons: [SiteNode: RouterUnderTest] = [:]
    private(set) var keepalived: [SiteNode: SiteKeepalived] = [:]
    /// The policy of a box, with other keys of `vrrp` than the world's where some are given.
    private let writer: (SiteNode, SiteLab, _ vrrp: [String]?) -> String
    private let slot: LabSlot
    /// When the reloads began and ended, one after the other (`Clock.boottime`).
    private(set) var reloadedAt: [Int64] = []

    /// Nothing runs yet.
    convenience init(_ nodes: [SiteNode] = [.main, .sub], hold: String = "2s", vrrp: [String] = []) throws {
        try self.init(nodes, extra: [:]) { node, lab, other in
            SitePolicy.text(
                for: node, in: lab, hold: hold, vrrp: other ?? vrrp, soracom: SoracomInLab.policyLines())
        }
    }

    /// With further lines on some boxes, and a policy of the test's own. Nothing runs yet.
    convenience init(
        _ nodes: [SiteNode] = [.main, .sub], extra: [LabUplink: SiteNode],
        policy: @escaping (SiteNode, SiteLab) -> String
    ) throws {
        try self.init(nodes, extra: extra) { node, lab, _ in policy(node, lab) }
    }

    private init(
        _ nodes: [SiteNode], extra: [LabUplink: SiteNode],
        writer: @escaping (SiteNode, SiteLab, [String]?) -> String
    ) throws {
        self.writer = writer
        slot = LabSlot()
        let lab = try SiteLab.build(nodes, extra: extra)
        self.lab = lab
        soracom = try SoracomInLab.start(in: lab, speedClass: "s1.fast")
    }

    /// The policy of a box, with other keys of `vrrp` than the world's where some are given.
    func policy(_ node: SiteNode, vrrp: [String]? = nil) -> String { writer(node, lab, vrrp) }

    /// The same box alone: its own uplink, and no other box.
    func plainPolicy(_ node: SiteNode) -> String {
        var isLeftOut = false
        var lines: [Substring] = []
        for line in policy(node).split(separator: "\n", omittingEmptySubsequences: false) {
            // Sections and uplinks by their keys; what is deeper goes with them.
            if line.first.map({ $0 != " " }) ?? false { isLeftOut = ["nodes:", "vrrp:"].contains(line) }
            let others = lab.nodes.filter { $0 != node }.map { "  \($0.uplink.rawValue):" }
            if line.hasPrefix("  "), !line.hasPrefix("   "), line.hasSuffix(":") {
                isLeftOut = others.contains(String(line))
            }
            if isLeftOut || line.hasPrefix("    node: ") { continue }
            lines.append(line.hasPrefix("  order:") ? "  order: [\(node.uplink.rawValue)]" : line)
        }
        return lines.joined(separator: "\n")
    }

    /// Another policy for a running daemon, in force when this returns.
    func reload(_ node: SiteNode, _ policy: String, at place: SourceLocation = #_sourceLocation) throws {
        reloadedAt.append(Clock.boottime())
        defer { reloadedAt.append(Clock.boottime()) }
        let answer = try daemon(node).reload(policy: policy)
        guard case .result = answer else {
            Issue.record("refused: \(answer)", sourceLocation: place)
            throw WorldError("the policy was refused")
        }
    }

    /// What connection tracking of a box calls the flows of the clients (`id=…` of conntrack(8)): one that was let go and came again has
    /// another.
    func clientFlows(_ node: SiteNode) throws -> Set<Substring> {
        let list = ["conntrack", "-L", "-p", "udp", "-s", "\(LabAddress.client)", "-o", "id"]
        return Set(
            try lab.mustRun(in: node.place, list).split { $0 == " " || $0 == "\n" }.filter { $0.hasPrefix("id=") })
    }

    /// What is set for an interface of a box, as `forwarding`.
    func setting(_ name: String, of interface: String = "eth0", on node: SiteNode) throws -> String {
        let path = "/proc/sys/net/ipv4/conf/\(interface)/\(name)"
        return try lab.mustRun(in: node.place, ["cat", path]).split(separator: "\n").joined()
    }

    func health(_ node: SiteNode) -> Int? { (try? Files.text(lab.healthFile(of: node))).flatMap { Int($0) } }

    /// All boxes run, the first is master, and its line carries the client's traffic.
    static func running(
        _ nodes: [SiteNode] = [.main, .sub], hold: String = "2s", vrrp: [String] = []
    ) throws -> SiteWorld {
        try SiteWorld(nodes, hold: hold, vrrp: vrrp).started()
    }

    /// The same with this world, once it has all that a test adds.
    func started() throws -> SiteWorld {
        for node in lab.nodes {
            try startDaemon(node)
            try startKeepalived(node)
        }
        try settle()
        return self
    }

    func startDaemon(_ node: SiteNode) throws {
        daemons[node] = try RouterUnderTest.start(
            on: node, in: lab, policy: policy(node), arguments: ["--verbose"]
        ) { _ in true }
    }

    func startKeepalived(_ node: SiteNode, policy text: String? = nil) throws {
        keepalived[node] = try SiteKeepalived.start(on: node, in: lab, policy: text ?? policy(node))
    }

    func startKeepalived(_ node: SiteNode, configuration: String) throws {
        keepalived[node] = try SiteKeepalived.start(on: node, in: lab, configuration: configuration)
    }

    /// `wanctld --cleanup` on a box without a daemon.
    func cleanUp(_ node: SiteNode) throws -> CommandResult {
        let words = [try Programs.path("wanctld"), "--cleanup", "--socket", try daemon(node).socketPath]
        return try lab.run(in: node.place, words)
    }

    /// What the unit's timer runs some seconds after each end.
    func handOver(_ node: SiteNode) throws -> CommandResult {
        let words = [try Programs.path("wanctld"), "--hand-over", "--socket", try daemon(node).socketPath]
        return try lab.run(in: node.place, words)
    }

    /// What the unit runs after each end of the daemon, with what systemd says of it.
    func ended(_ node: SiteNode, result: String, status: String) throws -> CommandResult {
        let said = ["env", "SERVICE_RESULT=\(result)", "EXIT_STATUS=\(status)"]
        let words = [try Programs.path("wanctld"), "--ended", "--socket", try daemon(node).socketPath]
        return try lab.run(in: node.place, said + words)
    }

    /// The box loses its power and has it again: nothing runs, and of kernel and /run there is nothing left; the disk is.
    func powerCycle(_ node: SiteNode) throws {
        keepalived[node]?.kill()
        try daemon(node).kill()
        guard try cleanUp(node).succeeded else { throw WorldError("\(node) could not be cleaned up") }
        let address = ["\(LabAddress.virtual)/24", "dev", "eth0"]
        _ = try lab.run(in: node.place, ["ip", "addr", "del"] + address)
        try lab.writeSettings(["net/ipv4/ip_forward": "0"], in: node.place)
        let folder = lab.directory(of: node)
        for name in ["health", "vrrp.fifo", "leavings.json", "wanctl.sock"] { Files.remove("\(folder)/\(name)") }
    }

    func settle() throws {
        try wait("the first box is master, the others are ready", seconds: 20) {
            try lab.nodes.allSatisfy { node in
                let status = try status(node)
                return status.role == (node == .main ? .master : .backup)
                    && status.uplinks.allSatisfy { $0.state == .up }
            }
        }
    }

    func daemon(_ node: SiteNode) throws -> RouterUnderTest {
        guard let daemon = daemons[node] else { throw WorldError("no daemon runs on \(node)") }
        return daemon
    }

    func status(_ node: SiteNode) throws -> StatusReport { try daemon(node).status() }

    func role(_ node: SiteNode) throws -> BoxRole { try status(node).role }

    @discardableResult
    func wanctl(_ node: SiteNode, _ words: String...) throws -> CommandResult {
        try lab.run(in: node.place, [try Programs.path("wanctl"), "--socket", try daemon(node).socketPath] + words)
    }

    func client(_ flow: ClientProber.Flow = .fresh()) throws -> ClientProber {
        try ClientProber.start(at: lab.clientSite, flow: flow)
    }

    /// Looks until it is so; what the daemons said goes into the failure.
    func wait(
        _ what: String, seconds: Double = 8, at place: SourceLocation = #_sourceLocation, _ claim: () throws -> Bool
    ) throws {
        if try comes(within: seconds, claim) { return }
        Issue.record("not within \(seconds) s: \(what)\n\(try said())", sourceLocation: place)
        throw WorldError("not within \(seconds) s: \(what)")
    }

    func waitTraffic(
        of client: ClientProber, on node: SiteNode, seconds: Double = 8, at place: SourceLocation = #_sourceLocation
    ) throws {
        try waitTraffic(of: client, by: node.uplink, seconds: seconds, at: place)
    }

    func waitTraffic(
        of client: ClientProber, by uplink: LabUplink, seconds: Double = 8,
        at place: SourceLocation = #_sourceLocation
    ) throws {
        try wait("the client's traffic leaves by \(uplink)", seconds: seconds, at: place) {
            try client.snapshot().timeline.last?.uplink == uplink && client.isAnswered(within: .milliseconds(50))
        }
    }

    func waitClass(_ name: String, at place: SourceLocation = #_sourceLocation) throws {
        try wait("the SIM's class is \(name)", seconds: 12, at: place) { soracom.speedClass == name }
    }

    /// For a while something must not happen.
    func watch(
        seconds: Double, at place: SourceLocation = #_sourceLocation, _ claim: () throws -> Bool
    ) throws {
        if try stays(for: seconds, claim) { return }
        Issue.record("it did not stay so\n\(try said())", sourceLocation: place)
    }

    /// What the boxes logged last.
    func said() throws -> String {
        try daemons.map { "\($0.key):\n\(try $0.value.log().suffix(2500))" }.joined(separator: "\n")
    }
}
