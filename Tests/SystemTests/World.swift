import Dispatch
import Glibc
import JSONText
import LinuxIO
import TestSupport
import Testing
import WANControl
import WANLab

/// A lab, the real daemon in its router, and the operator's command: what every test of this target lives in.
///
/// Everything goes with the object. Nothing here sleeps for a while and hopes: `wait` looks until a claim is true, at the
/// latest until its deadline, and then says what the daemon logged.
final class World {
    let lab: Lab
    let directory: TemporaryDirectory
    private(set) var daemon: Child?
    private let slot: LabSlot

    var policyPath: String { "\(directory.path)/policy.yaml" }
    var socket: String { "\(directory.path)/wanctl.sock" }
    var stateDirectory: String { "\(directory.path)/state" }
    /// All runs of the daemon write to one log.
    var logPath: String { "\(directory.path)/log" }

    /// The lab alone, with a policy file; nothing runs in the router yet.
    init(policy: String, options: LabOptions = LabOptions()) throws {
        slot = LabSlot()
        directory = try TemporaryDirectory()
        lab = try Lab.build(options)
        try write(policy: policy)
    }

    /// A lab with a running daemon, all lines proven and the first one selected.
    static func running(_ policy: String = Policies.threeLines(), options: LabOptions = LabOptions()) throws -> World {
        let world = try World(policy: policy, options: options)
        try world.startDaemon()
        try world.settle()
        return world
    }

    deinit { daemon?.stop() }

    func write(policy: String) throws { _ = try directory.write(policy, to: "policy.yaml", mode: 0o644) }

    // MARK: the daemon

    /// Starts the daemon and returns when it answers.
    func startDaemon(_ more: [String] = []) throws {
        daemon = try lab.spawn(in: .router, daemonWords(more), logPath: logPath)
        try wait("the daemon answers", seconds: 10) { (try? status()) != nil }
    }

    func daemonWords(_ more: [String] = []) throws -> [String] {
        [
            try Programs.path("wanctld"), "--policy", policyPath, "--socket", socket, "--state-dir", stateDirectory,
            "--node", "router", "--verbose",
        ] + more
    }

    /// Ends the daemon by a signal, and tells how it ended.
    @discardableResult
    func endDaemon(_ signal: Int32 = SIGTERM) throws -> WANLab.ExitStatus {
        guard let running = daemon else { throw WorldError("no daemon runs") }
        running.signal(signal)
        let status = running.wait(atMost: .seconds(10))
        daemon = nil
        guard let status else { throw WorldError("the daemon does not end") }
        return status
    }

    func settle() throws {
        try wait("all lines are up and the first is selected", seconds: 10) {
            let status = try status()
            return status.uplinks.allSatisfy { $0.state == .up } && status.selected == [status.uplinks.first?.name]
        }
    }

    var log: String { get throws { try Files.text(logPath) } }

    // MARK: the operator

    func ask(_ request: ControlRequest) throws -> JSONValue {
        var client = try ControlClient(path: socket)
        switch try client.ask(request) {
        case .result(let json): return json
        case .refused(let refusal): throw refusal
        case .end: throw WorldError("the answer to \(request.verb) has no result")
        }
    }

    func status() throws -> StatusReport { try StatusReport(json: try ask(.status())) }

    func uplink(_ uplink: LabUplink) throws -> UplinkReport {
        try #require(try status().uplinks.first { $0.name == uplink.rawValue })
    }

    func history() throws -> [EventReport] { try HistoryReport(json: try ask(.history(count: 1000))).events }

    /// Switches from one line to another since the journal began; the first choice is none.
    func switches() throws -> [SwitchReport] { try history().compactMap(\.change).filter { !$0.from.isEmpty } }

    /// The real command, as an operator types it.
    @discardableResult
    func wanctl(_ words: String..., atMost limit: Duration = .seconds(20)) throws -> CommandResult {
        try lab.run(in: .router, [try Programs.path("wanctl"), "--socket", socket] + words, atMost: limit)
    }

    // MARK: waiting

    /// Looks until it is so. What the daemon said goes into the failure.
    func wait(
        _ what: String, seconds: Double = 5, at place: SourceLocation = #_sourceLocation, _ claim: () throws -> Bool
    ) throws {
        let deadline = Clock.boottime() + Int64(seconds * 1e9)
        while try !claim() {
            if Clock.boottime() > deadline {
                let said = (try? log) ?? ""
                Issue.record("not within \(seconds) s: \(what)\n\(said.suffix(4000))", sourceLocation: place)
                throw WorldError("not within \(seconds) s: \(what)")
            }
            usleep(5000)
        }
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
        let end = Clock.boottime() + Int64(seconds * 1e9)
        while Clock.boottime() < end {
            guard try claim() else {
                let said = (try? log) ?? ""
                Issue.record("it did not stay so\n\(said.suffix(4000))", sourceLocation: place)
                return
            }
            usleep(20_000)
        }
    }
}

struct WorldError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// At most so many labs at once: they measure, and a crowded machine looks like a bad line.
private final class LabSlot {
    private static let slots = DispatchSemaphore(value: 2)
    init() { Self.slots.wait() }
    deinit { Self.slots.signal() }
}

/// Why a test of this target is skipped.
enum Needs {
    static let root: Bool = getuid() == 0 && TestNamespace.isAvailable
    static let advice: Comment = "needs root and network namespaces: `sudo make test`"
}
