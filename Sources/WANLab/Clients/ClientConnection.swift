internal import CLinux
internal import Glibc
internal import LinuxIO

/// What became of one long TCP connection.
package struct ConnectionReport: Hashable, Sendable {
    package var sent = 0
    package var echoed = 0
    /// The longest time without an echo while one was awaited, in milliseconds.
    package var longestStall: Double = 0
    /// Why it ended before it was stopped; `nil` where it did not.
    package var brokenBy: String?
}

/// A client of the LAN that holds one TCP connection to the content server and has a few octets echoed each 20 ms.
package final class ClientConnection: Sendable {
    private let thread: LoopThread<Session>

    package static func start(in lab: Lab, interval: Duration = .milliseconds(20)) throws(LabError) -> ClientConnection
    {
        try start(at: lab.clientSite, interval: interval)
    }

    /// Returns when the connection stands.
    package static func start(
        at site: ProbeSite, interval: Duration = .milliseconds(20), patience: Duration = .seconds(5)
    ) throws(LabError) -> ClientConnection {
        let connected = try doing("connect") { try Reply<LabError?>() }
        let connection = ClientConnection(
            try LoopThread("the client connection", urgent: true) { loop in
                try Session(on: loop, site, interval: interval.nanoseconds, patience: patience, connected)
            })
        if let failure = connected.wait() { throw failure }
        return connection
    }

    private init(_ thread: LoopThread<Session>) { self.thread = thread }

    package func snapshot() throws(LabError) -> ConnectionReport {
        try thread.perform { $0.report(at: Clock.boottime()) }
    }

    package func stop() throws(LabError) -> ConnectionReport {
        let report = try snapshot()
        try thread.perform { $0.hangUp() }
        thread.stop()
        return report
    }
}

/// The connection on its thread.
private final class Session {
    private let loop: EventLoop
    private let descriptor: OwnedDescriptor
    private let interval: Int64
    private var watch: EventLoop.Watch?
    private var timer: EventLoop.Timer?
    private var connected: Reply<LabError?>?
    private var sent = 0
    private var echoedOctets = 0
    private var waitingSince: Int64?
    private var longestStall: Int64 = 0
    private var brokenBy: String?
    private var buffer = [UInt8](repeating: 0, count: 65536)

    private static let messageLength = 16

    init(
        on loop: EventLoop, _ site: ProbeSite, interval: Int64, patience: Duration, _ connected: Reply<LabError?>
    ) throws {
        self.loop = loop
        self.interval = interval
        self.connected = connected
        descriptor = try NetworkNamespace.open(site.namespace).inside { try InternetSocket.tcp() }
        InternetSocket.sendAtOnce(descriptor)
        try InternetSocket.connect(descriptor, to: site.server)
        watch = try loop.watch(descriptor.raw, for: .write) { [unowned self] ready in handle(ready) }
        timer = loop.schedule(at: Clock.boottime() + patience.nanoseconds) { [unowned self] in
            end("no answer within \(patience)")
        }
    }

    /// Closes the connection as a browser does that was closed itself (shutdown(2)).
    func hangUp() { shutdown(descriptor.raw, Int32(SHUT_RDWR)) }

    func report(at now: Int64) -> ConnectionReport {
        let open = brokenBy == nil ? waitingSince.map { now - $0 } ?? 0 : 0
        return ConnectionReport(
            sent: sent, echoed: echoedOctets / Self.messageLength,
            longestStall: Double(max(longestStall, open)) / 1e6, brokenBy: brokenBy)
    }

    private func handle(_ ready: EventLoop.Readiness) {
        if connected != nil {
            let problem = InternetSocket.pendingError(descriptor)
            if problem != 0 { return end(errorText(problem)) }
            do { if let watch { try loop.change(watch, to: .read) } } catch { return end("\(error)") }
            connected?.give(nil)
            connected = nil
            tick()
        } else {
            receive()
        }
    }

    private func tick() {
        if let timer { loop.cancel(timer) }
        let now = Clock.boottime()
        let message = [UInt8](repeating: 0x77, count: Self.messageLength)
        let count = send(descriptor.raw, message, message.count, Int32(MSG_NOSIGNAL))
        if count == message.count {
            sent += 1
            if waitingSince == nil { waitingSince = now }
        } else if count < 0, errno != EAGAIN {
            return end(errorText(errno))
        } else if count >= 0 {
            return end("a send buffer that takes \(count) octets of \(message.count)")
        }
        timer = loop.schedule(at: now + interval) { [unowned self] in tick() }
    }

    private func receive() {
        let count = recv(descriptor.raw, &buffer, buffer.count, 0)
        if count == 0 { return end("closed by the server") }
        if count < 0 {
            if errno != EAGAIN, errno != EINTR { end(errorText(errno)) }
            return
        }
        let now = Clock.boottime()
        echoedOctets += count
        if let since = waitingSince { longestStall = max(longestStall, now - since) }
        waitingSince = echoedOctets < sent * Self.messageLength ? now : nil
    }

    private func end(_ reason: String) {
        connected?.give(LabError("connect to the content server", reason))
        connected = nil
        brokenBy = brokenBy ?? reason
        if let timer { loop.cancel(timer) }
        if let watch { loop.remove(watch) }
        watch = nil
    }
}
