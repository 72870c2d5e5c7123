internal import Glibc
internal import JSONText
internal import LinuxIO
internal import Synchronization
package import WANControl
internal import WANModel

/// `wanctld` itself, in the router of a lab or on a box of a site's, with a policy, socket, state and log of its own below the lab's
/// directory; and beside it `wanctl-courier`, which listens by itself and runs its errands as nobody.
///
/// Asked in this process over its control socket, as `wanctl` would. It ends with the lab at the latest.
package final class RouterUnderTest: Sendable {
    package let policyPath: String
    package let socketPath: String
    package let stateDirectory: String
    package let logPath: String
    private let host: Host
    private let arguments: [String]
    private let child: Mutex<Child>
    private let recorder: Mutex<Child>
    private let courier: Mutex<Child>

    /// The machine it runs on: where its files are, and how it is started there.
    private struct Host: Sendable {
        var directory: String
        var run: String
        var state: String
        var logPath: String
        var spawn: @Sendable (_ arguments: [String], _ logPath: String) throws(LabError) -> Child

        var courierSocket: String { "\(directory)/courier/courier.sock" }

        /// Returns when it listens.
        func startCourier() throws(LabError) -> Child {
            Files.remove(courierSocket)
            let words = [
                siblingProgram("wanctl-courier"), "--listen", courierSocket, "--token-cache",
                "\(directory)/courier/token.json", "--credential", "\(directory)/soracom",
            ]
            let courier = try spawn(words, "\(logPath)-courier")
            try courier.wait("the courier listen", atMost: .seconds(10)) { Files.exists(courierSocket) }
            return courier
        }
    }

    /// Starts it and waits until its status is as wanted: without a claim, until it answers and has chosen an uplink that is up.
    ///
    /// - Parameters:
    ///   - run: The directory of its socket and what it keeps beside that, as below /run; the policy's where none is given.
    ///   - state: That of what outlives it, as below /var/lib.
    package static func start(
        in lab: Lab, policy: String = SamplePolicy.text, arguments: [String] = [],
        run: String? = nil, state: String? = nil, atMost limit: Duration = .seconds(15),
        until claim: (StatusReport) -> Bool = RouterUnderTest.isWorking
    ) throws(LabError) -> RouterUnderTest {
        let directory = lab.directory
        let host = Host(
            directory: directory, run: run ?? directory, state: state ?? "\(directory)/state",
            logPath: "\(directory)/log/wanctld"
        ) { [lab] (arguments, logPath) throws(LabError) in
            try lab.spawn(in: .router, arguments, logPath: logPath)
        }
        return try start(host, policy, arguments, limit, claim)
    }

    /// The daemon of one box of a site, by its name there; without a policy, with the lab's own (`SitePolicy`).
    ///
    /// Without a claim, returns when it answers and its own line is up.
    package static func start(
        on node: SiteNode, in lab: SiteLab, policy: String? = nil, arguments: [String] = [],
        run: String? = nil, state: String? = nil, atMost limit: Duration = .seconds(15),
        until claim: @escaping (StatusReport) -> Bool = { $0.uplinks.contains { $0.state == .up } }
    ) throws(LabError) -> RouterUnderTest {
        let directory = lab.directory(of: node)
        let host = Host(
            directory: directory, run: run ?? directory, state: state ?? "\(directory)/state",
            logPath: "\(lab.directory)/log/wanctld-\(node.rawValue)"
        ) { [lab] (arguments, logPath) throws(LabError) in
            try lab.spawn(in: node.place, arguments, logPath: logPath)
        }
        return try start(
            host, policy ?? SitePolicy.text(for: node, in: lab), ["--node", node.rawValue] + arguments, limit, claim)
    }

    private static func start(
        _ host: Host, _ policy: String, _ arguments: [String], _ limit: Duration, _ claim: (StatusReport) -> Bool
    ) throws(LabError) -> RouterUnderTest {
        let path = "\(host.directory)/policy.yaml"
        try doing("write \(path)") { try Files.replace(path, with: Array(policy.utf8)) }
        let router = try RouterUnderTest(host, arguments)
        try router.waitUntil("a working daemon", atMost: limit, claim)
        return router
    }

    private init(_ host: Host, _ more: [String]) throws(LabError) {
        self.host = host
        policyPath = "\(host.directory)/policy.yaml"
        socketPath = "\(host.run)/wanctl.sock"
        stateDirectory = host.state
        logPath = host.logPath
        arguments =
            [
                siblingProgram("wanctld"), "--policy", policyPath, "--socket", socketPath, "--state-dir",
                stateDirectory, "--courier-socket", host.courierSocket,
            ] + more
        let recorder = try Self.startRecorder(host, socketPath, stateDirectory)
        let courier = try host.startCourier()
        self.recorder = Mutex(recorder)
        child = Mutex(try host.spawn(arguments, logPath))
        self.courier = Mutex(courier)
    }

    /// `wanctl-recorder` beside it, which keeps what it remembers, and stays when it ends.
    private static func startRecorder(
        _ host: Host, _ socketPath: String, _ stateDirectory: String
    ) throws(LabError) -> Child {
        let path = recorderSocketPath(beside: socketPath)
        let words = [siblingProgram("wanctl-recorder"), "--listen", path, "--directory", stateDirectory]
        let recorder = try host.spawn(words, "\(host.logPath)-recorder")
        let deadline = Clock.boottime() + 5_000_000_000
        while true {
            if (try? UnixStream.isServed(path)) == true { return recorder }
            guard recorder.isRunning, Clock.boottime() < deadline else {
                let said = (try? Files.text("\(host.logPath)-recorder")) ?? ""
                throw LabError("start wanctl-recorder", "nobody serves \(path); it has said: \(said)")
            }
            pause(milliseconds: 2)
        }
    }

    /// The selected uplink is up.
    package static func isWorking(_ status: StatusReport) -> Bool {
        status.uplinks.contains { $0.traffic == .selected && $0.state == .up }
    }

    /// Where the courier listens.
    package var courierSocket: String { host.courierSocket }
    /// The courier that listens; those that run errands are its children.
    package var courierPID: Int32 { courier.withLock { $0.pid } }
    package var pid: Int32 { child.withLock { $0.pid } }
    package var isRunning: Bool { child.withLock { $0.isRunning } }

    /// Everything it has logged so far, earlier runs included.
    package func log() throws(LabError) -> String {
        try doing("read the daemon's log") { String(decoding: try Files.read(logPath, limit: 64 << 20), as: UTF8.self) }
    }

    // MARK: asking

    /// Its answer to one request; a refusal is an answer.
    package func ask(_ request: ControlRequest, atMost limit: Duration = .seconds(10)) throws(LabError) -> ControlAnswer
    {
        try doing("ask the daemon to \(request.verb.rawValue)") {
            var client = try ControlClient(path: socketPath)
            return try client.ask(request, milliseconds: limit.pollMilliseconds)
        }
    }

    /// A request that acts and must be done.
    @discardableResult
    package func act(_ request: ControlRequest) throws(LabError) -> ActionReport {
        try doing("have the daemon \(request.verb.rawValue)") { try ActionReport(json: try result(request)) }
    }

    package func status() throws(LabError) -> StatusReport {
        try doing("read the daemon's status") { try StatusReport(json: try result(.status())) }
    }

    /// Its journal, oldest first.
    package func history(_ count: Int = 1000) throws(LabError) -> [EventReport] {
        try doing("read the daemon's history") { try HistoryReport(json: try result(.history(count: count))).events }
    }

    private func result(_ request: ControlRequest) throws -> JSONValue {
        switch try ask(request) {
        case .result(let value): return value
        case .end: throw LabError("", "it answered nothing")
        case .refused(let refusal): throw refusal
        }
    }

    /// Another policy for the running daemon; its answer to `reload`.
    package func reload(policy: String) throws(LabError) -> ControlAnswer {
        try doing("write \(policyPath)") { try Files.replace(policyPath, with: Array(policy.utf8)) }
        return try ask(.reload)
    }

    // MARK: waiting

    /// The first status of which the claim is true.
    ///
    /// Follows the daemon's own stream, and looks anew a few times a second for what changes without an event.
    @discardableResult
    package func waitUntil(
        _ what: String, atMost limit: Duration = .seconds(10), _ claim: (StatusReport) -> Bool
    ) throws(LabError) -> StatusReport {
        let deadline = Clock.boottime() + limit.nanoseconds
        var last: StatusReport?
        while true {
            do {
                var client = try ControlClient(path: socketPath)
                try client.send(.status(watch: true))
                let lookAnew = min(deadline, Clock.boottime() + 250_000_000)
                while let answer = try client.next(
                    within: Duration.nanoseconds(lookAnew - Clock.boottime()).pollMilliseconds)
                {
                    guard case .result(let json) = answer else { break }
                    let status = try StatusReport(json: json)
                    if claim(status) { return status }
                    last = status
                }
            } catch let refusal as ControlRefusal where refusal.code == .unavailable || refusal.code == .tryAgain {
                pause(milliseconds: 5)  // not there yet, or just gone
            } catch {
                throw LabError("wait for \(what)", error)
            }
            let isRunning = isRunning
            if Clock.boottime() >= deadline || !isRunning {
                let ending = isRunning ? "not within \(limit)" : "the daemon has ended"
                let state = last.map { "; last seen: \(Self.summary($0))" } ?? ""
                let log = try log().split(separator: "\n").suffix(20).joined(separator: "\n")
                throw LabError("see \(what)", "\(ending)\(state); its log ends with:\n\(log)")
            }
        }
    }

    private static func summary(_ status: StatusReport) -> String {
        status.uplinks.map { "\($0.name) \($0.state.rawValue) \($0.traffic.rawValue)" }.joined(separator: ", ")
    }

    // MARK: its life

    /// Sends a signal and goes on: SIGHUP, SIGSTOP.
    package func signal(_ number: Int32) { child.withLock { $0 }.signal(number) }

    /// Kills it; returns when nothing of it is left. The courier goes on.
    package func kill() {
        let child = child.withLock { $0 }
        child.signal(SIGKILL)
        _ = child.wait(atMost: .seconds(5))
    }

    /// SIGTERM, as systemd ends it; how it ended, or `nil` where it had to be killed.
    @discardableResult
    package func terminate(atMost limit: Duration = .seconds(5)) -> ExitStatus? {
        child.withLock { $0 }.stop(grace: limit)
    }

    /// Starts it again, with the same arguments and what it remembers; ends the running one first, where there is one.
    package func restart(
        atMost limit: Duration = .seconds(15), until claim: (StatusReport) -> Bool = RouterUnderTest.isWorking
    ) throws(LabError) {
        if isRunning { terminate() }
        try startHelpers()
        let fresh = try host.spawn(arguments, logPath)
        child.withLock { $0 = fresh }
        try waitUntil("the daemon back", atMost: limit, claim)
    }

    /// Starts another one beside the running one, which is silent: it is the other one's part to end it.
    package func succeed(atMost limit: Duration = .seconds(15)) throws(LabError) {
        let silent = child.withLock { $0 }
        let fresh = try host.spawn(arguments, logPath)
        child.withLock { $0 = fresh }
        try waitUntil("the daemon's successor", atMost: limit) { _ in true }
        guard silent.wait(atMost: .seconds(1)) != nil else {
            throw LabError("see process \(silent.pid) ended by its successor", "it is still there")
        }
    }

    // MARK: beside it

    /// Starts the recorder and the courier where they do not run, as after the box was without power.
    package func startHelpers() throws(LabError) {
        if !recorder.withLock({ $0.isRunning }) { try restartRecorder() }
        if !courier.withLock({ $0.isRunning }) { try restartCourier() }
    }

    /// Sends the recorder a signal and goes on: SIGSTOP, SIGKILL.
    package func signalRecorder(_ number: Int32) { recorder.withLock { $0 }.signal(number) }

    /// Ends the recorder that runs, if one does, and starts another one.
    ///
    /// - Parameter isForgetting: All that it has kept is removed in between; for a daemon that does not run.
    package func restartRecorder(isForgetting: Bool = false) throws(LabError) {
        _ = recorder.withLock { $0 }.stop(grace: .seconds(5))
        if isForgetting {
            removeTree(stateDirectory)
            Files.remove(pathBeside(socketPath, "state.json"))
        }
        let fresh = try Self.startRecorder(host, socketPath, stateDirectory)
        recorder.withLock { $0 = fresh }
    }

    /// Kills the courier with its errands; nobody listens any more.
    package func killCourier() { courier.withLock { $0 }.kill() }

    /// Starts the courier again after it was killed, or the box was without power.
    package func restartCourier() throws(LabError) {
        let fresh = try host.startCourier()
        courier.withLock { $0 = fresh }
    }

    /// Everything the courier has logged so far.
    package func courierLog() throws(LabError) -> String {
        try doing("read the courier's log") { try Files.text("\(logPath)-courier") }
    }
}

extension Duration {
    /// For poll(2): rounded up, and within its range.
    var pollMilliseconds: Int32 { Int32(max(0, min((nanoseconds + 999_999) / 1_000_000, 600_000))) }
}

extension StatusReport {
    package subscript(_ uplink: LabUplink) -> UplinkReport? { uplinks.first { $0.name == uplink.rawValue } }

    /// New traffic takes this uplink.
    package func isOn(_ uplink: LabUplink) -> Bool { selected == [uplink.rawValue] }
}
