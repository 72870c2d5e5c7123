import Dispatch
import Glibc
import JSONText
import LinuxIO
import NetworkTypes
import TestSupport
import Testing
import WANControl
import WANLab
import WANModel

/// A lab, the real daemon in its router, and the operator's command: what every test of this target lives in.
///
/// Everything goes with the object. Nothing here sleeps for a while and hopes: `wait` looks until a claim is true, at the
/// latest until its deadline, and then says what the daemon logged.
final class World {
    let lab: Lab
    /// What the daemon is started with.
    var policy: String
    private(set) var router: RouterUnderTest?
    private let slot: LabSlot

    var policyPath: String { "\(lab.directory)/policy.yaml" }
    var socketPath: String { "\(lab.directory)/wanctl.sock" }
    var stateDirectory: String { "\(lab.directory)/state" }

    /// The lab alone; nothing runs in the router yet.
    init(policy: String = Policies.threeLines(), options: LabOptions = LabOptions()) throws {
        slot = LabSlot()
        self.policy = policy
        lab = try Lab.build(options)
    }

    /// A lab with a running daemon, all lines proven and the first one selected.
    static func running(_ policy: String = Policies.threeLines(), options: LabOptions = LabOptions()) throws -> World {
        let world = try World(policy: policy, options: options)
        try world.startDaemon()
        try world.settle()
        return world
    }

    // MARK: the daemon

    private static let options = ["--node", "router", "--verbose"]

    /// Starts the daemon, for the first time or again, and returns when it answers.
    func startDaemon() throws {
        if let router {
            try router.restart { _ in true }
        } else {
            router = try RouterUnderTest.start(in: lab, policy: policy, arguments: Self.options) { _ in true }
        }
    }

    /// The same command line, for a second daemon or another action.
    func daemonWords(_ more: String...) throws -> [String] {
        [
            try Programs.path("wanctld"), "--policy", policyPath, "--socket", socketPath, "--state-dir", stateDirectory,
        ] + Self.options + more
    }

    var daemon: RouterUnderTest {
        get throws {
            guard let router else { throw WorldError("no daemon was started") }
            return router
        }
    }

    func settle() throws {
        try wait("all lines are up and the first is selected", seconds: 10) {
            let status = try status()
            return status.uplinks.allSatisfy { $0.state == .up } && status.selected == [status.uplinks.first?.name]
        }
    }

    var log: String { get throws { try daemon.log() } }

    /// Another policy file; the daemon is told nothing.
    func write(policy: String) throws { try Files.replace(policyPath, with: Array(policy.utf8)) }

    // MARK: the operator

    func status() throws -> StatusReport { try daemon.status() }

    func uplink(_ uplink: LabUplink) throws -> UplinkReport {
        guard let report = try status()[uplink] else { throw WorldError("the status has no \(uplink)") }
        return report
    }

    func rules() throws -> RulesReport {
        let json = try JSONValue(parsing: Array(try wanctl("status", "--rules", "--json").output.utf8))
        return try RulesReport(json: json)
    }

    func history() throws -> [EventReport] { try daemon.history() }

    /// Switches from one line to another since the journal began; the first choice is none.
    func switches() throws -> [SwitchReport] { try history().compactMap(\.change).filter { !$0.from.isEmpty } }

    /// The real command, as an operator types it.
    @discardableResult
    func wanctl(_ words: String..., atMost limit: Duration = .seconds(20)) throws -> CommandResult {
        try lab.run(in: .router, [try Programs.path("wanctl"), "--socket", socketPath] + words, atMost: limit)
    }

    // MARK: waiting

    /// Looks until it is so. What the daemon said goes into the failure.
    func wait(
        _ what: String, seconds: Double = 5, at place: SourceLocation = #_sourceLocation, _ claim: () throws -> Bool
    ) throws {
        if try comes(within: seconds, claim) { return }
        let said = (try? log) ?? ""
        Issue.record("not within \(seconds) s: \(what)\n\(said.suffix(4000))", sourceLocation: place)
        throw WorldError("not within \(seconds) s: \(what)")
    }

    func waitSelected(_ uplink: LabUplink, seconds: Double = 5, at place: SourceLocation = #_sourceLocation) throws {
        try wait("\(uplink) is selected", seconds: seconds, at: place) { try status().selected == [uplink.rawValue] }
    }

    func waitState(
        _ uplink: LabUplink, _ state: UplinkReport.State, seconds: Double = 5,
        at place: SourceLocation = #_sourceLocation
    ) throws {
        try wait("\(uplink) is \(state)", seconds: seconds, at: place) { try self.uplink(uplink).state == state }
    }

    /// Waits until the client's datagrams come out of this uplink.
    func waitTraffic(
        of client: ClientProber, on uplink: LabUplink, seconds: Double = 5,
        at place: SourceLocation = #_sourceLocation
    ) throws {
        try wait("the client's traffic is on \(uplink)", seconds: seconds, at: place) {
            try client.snapshot().timeline.last?.uplink == uplink && client.isAnswered(within: .milliseconds(50))
        }
    }

    /// Lets the world go on for a while, in which something must *not* happen, and looks at it all the time.
    func watch(
        seconds: Double, at place: SourceLocation = #_sourceLocation, _ claim: () throws -> Bool
    ) throws {
        if try stays(for: seconds, claim) { return }
        let said = (try? log) ?? ""
        Issue.record("it did not stay so\n\(said.suffix(4000))", sourceLocation: place)
    }
}

struct WorldError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// At most so many labs at once: they measure, and a crowded machine looks like a bad line.
final class LabSlot {
    private static let slots = DispatchSemaphore(value: 2)
    private let began: Int64

    init() {
        Self.slots.wait()
        began = Clock.boottime()
    }

    /// Says how long the lab stood: what the runner says of a test counts the wait for its turn (`Tests/Tools/progress` reads this).
    deinit {
        Self.slots.signal()
        guard let test = Test.current else { return }
        let tenths = (Clock.boottime() - began) / 100_000_000
        let name = test.displayName.map { "\"\($0)\"" } ?? test.name
        let line = Array("⧗ \(tenths) \(name)\n".utf8)
        _ = write(2, line, line.count)
    }
}

/// Why a test of this target is skipped.
enum Needs {
    static let root: Bool = getuid() == 0 && TestNamespace.isAvailable
    static let advice: Comment = "needs root and network namespaces: `sudo make test`"
}
