internal import Glibc
internal import LinuxIO
package import NetworkTypes

/// What somebody noticed who called in.
package struct InboundReport: Hashable, Sendable {
    package var sent = 0
    package var answered = 0
    /// What the server saw as the source, the newest last, each once.
    package var seenAs: [Endpoint] = []
    /// Answers that came from another address or port than was asked: replies that left by another way, or untranslated.
    package var strangers: [Endpoint] = []
    /// The longest time without an answer while one was awaited, in milliseconds.
    package var longestStall: Double = 0
    /// TCP: what ended the connection before it was stopped.
    package var brokenBy: Breakage?
}

/// A host that asks a port and gets its octets echoed, by TCP or UDP: from the internet to a forward, from the LAN to the public
/// address of its own router (hairpin), from one LAN to the other. One flow, an octet or some each 20 ms.
///
/// The server is to be a `LabServer`, or the content server's telling port.
package typealias InboundClient = LabClient<InboundSession>

extension InboundClient {
    /// Returns at once.
    ///
    /// - Parameters:
    ///   - place: Whose host calls.
    ///   - source: Of that host; by default the kernel's choice, and in the internet `LabAddress.caller`.
    package static func start(
        in lab: Lab, at place: LabPlace = .inet, from source: Endpoint? = nil, to server: Endpoint,
        _ transport: FlowTransport, interval: Duration = .milliseconds(20)
    ) throws(LabError) -> InboundClient {
        let namespace = lab.namespacePath(place)
        let source = source ?? (place == .inet ? Endpoint(LabAddress.caller, 0) : nil)
        return try InboundClient("the inbound client") { loop in
            try InboundSession(
                on: loop, in: namespace, from: source, to: server, transport, interval: interval.nanoseconds)
        }
    }
}

/// The caller on its thread.
package final class InboundSession: ClientSession {
    private enum Line {
        case tcp(ClientStream)
        case udp(SharedDescriptor, EventLoop.Watch)
    }

    private let loop: EventLoop
    private let server: Endpoint
    private let interval: Int64
    private let token = UInt64.random(in: .min ... .max)
    private var line: Line?
    private var record = InboundReport()
    private var stall = Stall()
    private var echoedOctets = 0
    private var buffer = [UInt8](repeating: 0, count: 2048)

    private static let messageLength = 16
    /// Sources and strangers told; a port that changes with each packet is seen well before that.
    private static let mostTold = 100

    init(
        on loop: EventLoop, in path: String, from source: Endpoint?, to server: Endpoint,
        _ transport: FlowTransport, interval: Int64
    ) throws {
        self.loop = loop
        self.server = server
        self.interval = interval
        let namespace = try NetworkNamespace.open(path)
        switch transport {
        case .tcp:
            let stream = try ClientStream(on: loop, in: namespace, to: server, from: source)
            stream.onTold = { [unowned self] in note($0) }
            stream.onReceived = { [unowned self] in receive(octets: $0) }
            stream.onEnd = { [unowned self] in
                record.brokenBy = $0
                stall.forget()
            }
            line = .tcp(stream)
        case .udp:
            // Not connected: an answer from the wrong address is to be seen, not hidden by the kernel.
            let socket = SharedDescriptor(try namespace.inside { try InternetSocket.udp() })
            if let source { try InternetSocket.bind(socket.owned, to: source) }
            let watch = try loop.watch(socket.raw) { [unowned self] _ in receiveDatagrams(from: socket.raw) }
            line = .udp(socket, watch)
        }
        tick()
    }

    package func close() {
        switch line {
        case .tcp(let stream): stream.close()
        case .udp(_, let watch): loop.remove(watch)
        case nil: break
        }
        line = nil
    }

    package func report(at now: Int64, _ owners: [IPv4Address: LabUplink]) -> InboundReport {
        var report = record
        report.longestStall = stall.milliseconds(at: now)
        return report
    }

    private func tick() {
        guard let line, record.brokenBy == nil else { return }
        let now = Clock.boottime()
        switch line {
        case .tcp(let stream):
            if stream.seenAs != nil, stream.send(Self.messageLength) { sent(at: now) }
        case .udp(let socket, _):
            var message = [token, UInt64(record.sent)]
            // A refusal may be the report of an earlier datagram's fate (ICMP, udp(7)): this one counts as sent and lost.
            _ = server.withSocketAddress { sendto(socket.raw, &message, Self.messageLength, 0, $0, $1) }
            sent(at: now)
        }
        loop.schedule(at: now + interval) { [unowned self] in tick() }
    }

    private func sent(at now: Int64) {
        record.sent += 1
        stall.begin(at: now)
    }

    private func receive(octets: Int) {
        echoedOctets += octets
        answered(echoedOctets / Self.messageLength - record.answered)
    }

    private func receiveDatagrams(from raw: Int32) {
        for _ in 0..<64 {
            guard let (count, answerer) = InternetSocket.receive(raw, into: &buffer, atMost: buffer.count) else {
                return
            }
            guard count == Self.messageLength + EchoService.sourceLength,
                buffer.withUnsafeBytes({ $0.loadUnaligned(as: UInt64.self) }) == token
            else { continue }
            if answerer != server {
                if record.strangers.count < Self.mostTold { record.strangers.append(answerer) }
                continue
            }
            if let source = Endpoint(networkOctets: buffer[Self.messageLength..<count]) { note(source) }
            answered(1)
        }
    }

    private func answered(_ count: Int) {
        let now = Clock.boottime()
        record.answered += count
        stall.answer(at: now, more: record.answered < record.sent)
    }

    private func note(_ source: Endpoint) {
        if record.seenAs.count < Self.mostTold, !record.seenAs.contains(source) { record.seenAs.append(source) }
    }
}
