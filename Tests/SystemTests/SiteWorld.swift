import Glibc
import LinuxIO
import NetworkTypes
import TestSupport
import Testing
import WANControl
import WANLab

/// A site of two or three boxes, each with the real daemon and the real keepalived, and a client whose gateway is the address
/// they share. Everything goes with the object.
final class SiteWorld {
    let lab: SiteLab
    let soracom: SoracomInLab
    private(set) var daemons: [SiteNode: RouterUnderTest] = [:]
    private(set) var keepalived: [SiteNode: SiteKeepalived] = [:]
    private let policies: [SiteNode: String]
    private let slot: LabSlot

    /// Nothing runs yet.
    convenience init(_ nodes: [SiteNode] = [.main, .sub], hold: String = "2s", vrrp: [String] = []) throws {
        try self.init(nodes, extra: [:]) { node, lab in
            SitePolicy.text(for: node, in: lab, hold: hold, vrrp: vrrp, soracom: SoracomInLab.policyLines())
        }
    }

    /// With further lines on some boxes, and a policy of the test's own. Nothing runs yet.
    init(
        _ nodes: [SiteNode] = [.main, .sub], extra: [LabUplink: SiteNode],
        policy: (SiteNode, SiteLab) -> String
    ) throws {
        slot = LabSlot()
        let lab = try SiteLab.build(nodes, extra: extra)
        self.lab = lab
        soracom = try SoracomInLab.start(in: lab, speedClass: "s1.fast")
        policies = Dictionary(uniqueKeysWithValues: nodes.map { ($0, policy($0, lab)) })
    }

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
        guard let policy = policies[node] else { return }
        daemons[node] = try RouterUnderTest.start(on: node, in: lab, policy: policy, arguments: ["--verbose"]) { _ in
            true
        }
    }

    func startKeepalived(_ node: SiteNode) throws {
        keepalived[node] = try SiteKeepalived.start(on: node, in: lab, policy: policies[node])
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

    func role(_ node: SiteNode) throws -> StatusReport.Role { try status(node).role }

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
        let deadline = Clock.boottime() + Int64(seconds * 1e9)
        while try !claim() {
            if Clock.boottime() > deadline {
                let said = try daemons.map { "\($0.key):\n\(try $0.value.log().suffix(2500))" }.joined(separator: "\n")
                Issue.record("not within \(seconds) s: \(what)\n\(said)", sourceLocation: place)
                throw WorldError("not within \(seconds) s: \(what)")
            }
            usleep(5000)
        }
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
        let end = Clock.boottime() + Int64(seconds * 1e9)
        while Clock.boottime() < end {
            guard try claim() else {
                let said = try daemons.map { "\($0.key):\n\(try $0.value.log().suffix(2500))" }.joined(separator: "\n")
                Issue.record("it did not stay so\n\(said)", sourceLocation: place)
                return
            }
            usleep(20_000)
        }
    }
}
