internal import LinuxIO
package import NetworkTypes

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
package typealias ClientConnection = LabClient<ConnectionSession>

extension ClientConnection {
    package static func start(in lab: Lab, interval: Duration = .milliseconds(20)) throws(LabError) -> ClientConnection
    {
        try start(at: lab.clientSite, interval: interval)
    }

    /// Returns when the connection stands.
    package static func start(
        at site: ProbeSite, interval: Duration = .milliseconds(20), patience: Duration = .seconds(5)
    ) throws(LabError) -> ClientConnection {
        let connected = try doing("connect") { try Reply<LabError?>() }
        let connection = try ClientConnection("the client connection") { loop in
            try ConnectionSession(on: loop, site, interval: interval.nanoseconds, patience: patience, connected)
        }
        if let failure = connected.wait() { throw failure }
        return connection
    }
}

/// The connection on its thread.
package final class ConnectionSession: ClientSession {
    private let loop: EventLoop
    private let stream: ClientStream
    private let interval: Int64
    private var timer: EventLoop.Timer?
    private var connected: Reply<LabError?>?
    private var sent = 0
    private var echoedOctets = 0
    private var stall = Stall()
    private var brokenBy: String?

    private static let messageLength = 16

    init(
        on loop: EventLoop, _ site: ProbeSite, interval: Int64, patience: Duration, _ connected: Reply<LabError?>
    ) throws {
        self.loop = loop
        self.interval = interval
        self.connected = connected
        stream = try ClientStream(
            on: loop, in: try NetworkNamespace.open(site.namespace), to: site.server, tells: false, buffer: 65536)
        stream.onConnected = { [unowned self] in
            start(nil)
            tick()
        }
        stream.onReceived = { [unowned self] in receive($0) }
        stream.onEnd = { [unowned self] in end(stream.problem ?? "\($0)") }
        timer = loop.schedule(at: Clock.boottime() + patience.nanoseconds) { [unowned self] in
            stream.close()
            end("no answer within \(patience)")
        }
    }

    package func report(at now: Int64, _ owners: [IPv4Address: LabUplink]) -> ConnectionReport {
        ConnectionReport(
            sent: sent, echoed: echoedOctets / Self.messageLength, longestStall: stall.milliseconds(at: now),
            brokenBy: brokenBy)
    }

    package func close() { stream.close() }

    private func tick() {
        if let timer { loop.cancel(timer) }
        let now = Clock.boottime()
        if stream.send(Self.messageLength) {
            sent += 1
            stall.begin(at: now)
        }
        guard brokenBy == nil else { return }
        timer = loop.schedule(at: now + interval) { [unowned self] in tick() }
    }

    private func receive(_ count: Int) {
        echoedOctets += count
        stall.answer(at: Clock.boottime(), more: echoedOctets < sent * Self.messageLength)
    }

    private func end(_ reason: String) {
        start(LabError("connect to the content server", reason))
        brokenBy = brokenBy ?? reason
        stall.forget()
        if let timer { loop.cancel(timer) }
    }

    private func start(_ failure: LabError?) {
        connected?.give(failure)
        connected = nil
    }
}
