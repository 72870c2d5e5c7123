internal import LinuxIO
package import NetworkTypes

/// A client of the LAN that always wants a TCP connection, as a mail program or a message broker's client does: it has a few octets
/// echoed each 20 ms, and when the connection breaks it connects anew at once.
package typealias ClientReconnector = LabClient<ReconnectorSession>

extension ClientReconnector {
    /// Returns at once; `snapshot().isConnected` says whether it has found its server.
    ///
    /// - Parameter patience: An echo that is awaited for longer ends the connection from our side (`Breakage.silence`), as a
    ///   program's own keepalive would.
    package static func start(
        in lab: Lab, interval: Duration = .milliseconds(20), patience: Duration = .seconds(10)
    ) throws(LabError) -> ClientReconnector {
        let namespace = lab.namespacePath(.lan)
        return try ClientReconnector("the reconnecting client", of: lab) { loop in
            try ReconnectorSession(
                on: loop, in: namespace, interval: interval.nanoseconds, patience: patience.nanoseconds)
        }
    }
}

/// The client on its thread.
package final class ReconnectorSession: ClientSession {
    private let loop: EventLoop
    private let namespace: NetworkNamespace
    private let interval: Int64
    private let patience: Int64
    private var stream: ClientStream?
    private var dialledAt: Int64 = 0
    private var lastEcho: Int64?
    private var sentOctets = 0
    private var echoedOctets = 0
    private var sent = 0
    private var echoed = 0
    private var stall = Stall()
    private var breaks: [(event: ConnectionBreak, from: Endpoint?, to: Endpoint?)] = []
    private var isClosed = false

    private static let messageLength = 16
    /// A connection that was refused is tried again after this long, as no program does it oftener.
    private static let pauseBetweenAttempts: Int64 = 20_000_000
    /// The kernel asks again after a second, and after another; a program that wants in begins anew then.
    private static let dialPatience: Int64 = 2_500_000_000

    init(on loop: EventLoop, in path: String, interval: Int64, patience: Int64) throws {
        self.loop = loop
        self.interval = interval
        self.patience = patience
        namespace = try NetworkNamespace.open(path)
        try dial()
        loop.schedule(at: Clock.boottime() + interval) { [unowned self] in tick() }
    }

    package func close() {
        isClosed = true
        stream?.close()
        stream = nil
    }

    package func report(at now: Int64, _ owners: [IPv4Address: LabUplink]) -> ReconnectingReport {
        var report = ReconnectingReport(sent: sent, echoed: echoed, seenAs: stream?.seenAs)
        report.longestStall = stall.milliseconds(at: now)
        report.uplink = report.seenAs.flatMap { owners[$0.address] }
        report.breaks = breaks.map { entry in
            var event = entry.event
            event.from = entry.from.flatMap { owners[$0.address] }
            event.to = entry.to.flatMap { owners[$0.address] }
            return event
        }
        return report
    }

    private func dial() throws {
        lastEcho = nil
        sentOctets = 0
        echoedOctets = 0
        dialledAt = Clock.boottime()
        if !breaks.isEmpty, breaks[breaks.count - 1].event.recoveredAt == nil {
            breaks[breaks.count - 1].event.attempts += 1
        }
        let fresh = try ClientStream(on: loop, in: namespace, to: ContentServer.telling)
        fresh.onTold = { [unowned self] _ in
            lastEcho = Clock.boottime()
            send()
        }
        fresh.onReceived = { [unowned self] in receive($0) }
        fresh.onEnd = { [unowned self] in end($0) }
        stream = fresh
    }

    private func tick() {
        if isClosed { return }
        let now = Clock.boottime()
        if let stream {
            if stream.seenAs == nil {
                if now - dialledAt > Self.dialPatience { end(.silence) }
            } else if stall.span(at: now) > patience {
                end(.silence)
            } else {
                send()
            }
        } else if now - dialledAt >= Self.pauseBetweenAttempts {
            redial()
        }
        loop.schedule(at: now + interval) { [unowned self] in tick() }
    }

    private func send() {
        guard let stream, stream.send(Self.messageLength) else { return }
        sent += 1
        sentOctets += Self.messageLength
        stall.begin(at: Clock.boottime())
    }

    private func receive(_ count: Int) {
        let now = Clock.boottime()
        let before = echoedOctets / Self.messageLength
        echoedOctets += count
        echoed += echoedOctets / Self.messageLength - before
        lastEcho = now
        stall.answer(at: now, more: echoedOctets < sentOctets)
        if !breaks.isEmpty, breaks[breaks.count - 1].event.recoveredAt == nil {
            breaks[breaks.count - 1].event.recoveredAt = now
            breaks[breaks.count - 1].to = stream?.seenAs
        }
    }

    /// A connection that had stood is a break; an attempt that failed is one attempt more.
    private func end(_ reason: Breakage) {
        let now = Clock.boottime()
        let hadStood = stream?.seenAs != nil
        let recovered = breaks.last.map { $0.event.recoveredAt != nil } ?? true
        if hadStood, recovered {
            stall.end(at: now)
            let event = ConnectionBreak(at: now, by: reason, lastEcho: lastEcho ?? dialledAt)
            breaks.append((event, stream?.seenAs, nil))
        }
        stream?.close()
        stream = nil
        stall.forget()
        if hadStood { redial() }
    }

    private func redial() {
        // No descriptor, no route in the client: the next tick tries again.
        do { try dial() } catch {
            dialledAt = Clock.boottime()
            stream = nil
        }
    }
}
