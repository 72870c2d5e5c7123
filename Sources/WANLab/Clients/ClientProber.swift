internal import Glibc
internal import LinuxIO
package import NetworkTypes
internal import Synchronization

/// Where a measurement runs: what a prober needs to know of a lab that may live in another process.
package struct ProbeSite: Hashable, Sendable {
    /// The client's namespace, `/run/netns/…`.
    package var namespace: String
    package var server: Endpoint
    package var owners: [IPv4Address: LabUplink]

    package init(namespace: String, server: Endpoint, owners: [IPv4Address: LabUplink]) {
        self.namespace = namespace
        self.server = server
        self.owners = owners
    }
}

extension Lab {
    /// The LAN client that asks the content server, with the addresses known by now.
    package var clientSite: ProbeSite {
        ProbeSite(namespace: namespacePath(.lan), server: ContentServer.endpoint, owners: sourceOwners)
    }
}

/// A client of the LAN that asks the content server again and again and notes what comes back, and by which provider.
///
/// One numbered datagram each `interval`, sent on a thread of its own.
package final class ClientProber: Sendable {
    package enum Flow: Hashable, Sendable {
        /// One socket, one 5-tuple, as a call or a game has.
        case established
        /// A new source port so often, so a new flow for connection tracking: no port comes twice while its old flow may last.
        case fresh(every: Duration = .milliseconds(20))
        /// From this port of the client to that one of the server, the same for ever: a program started anew has its flow back.
        case fixed(from: UInt16, to: UInt16)

        /// A tunnel between two peers that both listen on 51820; with an interval of 25 s, its keepalive alone.
        package static let wireGuard = Flow.fixed(from: 51820, to: 51820)
        /// A telephone and its registrar.
        package static let sip = Flow.fixed(from: 5060, to: 5060)
    }

    private let thread: LoopThread<Session>
    private let owners: @Sendable () -> [IPv4Address: LabUplink]
    private let wrongSources: (@Sendable () throws(LabError) -> [LabUplink: Int])?
    private let before: [LabUplink: Int]

    /// Measures in a lab of this process.
    package static func start(
        in lab: Lab, flow: Flow = .established, interval: Duration = .milliseconds(2)
    ) throws(LabError) -> ClientProber {
        try ClientProber(
            lab.clientSite, flow, interval, owners: { [weak lab] in lab?.sourceOwners ?? [:] },
            wrongSources: { [weak lab] () throws(LabError) in try lab?.wrongSources() ?? [:] })
    }

    /// Measures in any lab; without its counters.
    package static func start(
        at site: ProbeSite, flow: Flow = .established, interval: Duration = .milliseconds(2)
    ) throws(LabError) -> ClientProber {
        try ClientProber(site, flow, interval, owners: { site.owners }, wrongSources: nil)
    }

    private init(
        _ site: ProbeSite, _ flow: Flow, _ interval: Duration,
        owners: @escaping @Sendable () -> [IPv4Address: LabUplink],
        wrongSources: (@Sendable () throws(LabError) -> [LabUplink: Int])?
    ) throws(LabError) {
        self.owners = owners
        self.wrongSources = wrongSources
        before = try wrongSources?() ?? [:]
        thread = try LoopThread("the client prober", urgent: true) { loop in
            try Session(on: loop, site, flow, interval: interval.nanoseconds)
        }
    }

    /// What is known so far; of datagrams sent lately the unanswered ones are left out, for they may yet be answered.
    package func snapshot(undecided: Duration = .seconds(1)) throws(LabError) -> ProbeReport {
        let record = try thread.perform { $0.record }
        return record.report(owners: owners(), horizon: Clock.boottime() - undecided.nanoseconds)
    }

    /// Sends one datagram now, out of turn: for those that are seldom sent.
    package func sendNow() throws(LabError) {
        try thread.perform { $0.send(at: Clock.boottime()) }
    }

    /// Whether the newest answer is younger than this.
    package func isAnswered(within age: Duration) throws(LabError) -> Bool {
        try thread.perform { session in
            session.newestAnswer.map { Clock.boottime() - $0 <= age.nanoseconds } ?? false
        }
    }

    /// Sends no more, waits for what is still on its way, at most that long, and reports.
    package func stop(grace: Duration = .seconds(1)) throws(LabError) -> ProbeReport {
        let done = try doing("stop the client prober") { try Reply<ProbeRecord>() }
        try thread.perform { $0.finish(by: Clock.boottime() + grace.nanoseconds, done) }
        var report = done.wait().report(owners: owners())
        thread.stop()
        let after = try wrongSources?() ?? [:]
        report.wrongSources = after.merging(before) { $0 - $1 }.filter { $0.value > 0 }
        return report
    }
}

/// Source ports below those the kernel gives (ip_local_port_range), one after the other for all probers of this process.
///
/// The kernel gives a port at random, one in some hundred for the second time: that datagram belongs to the flow of the first, and
/// goes where that one goes.
private enum FreshPorts {
    private static let issued = Atomic<UInt32>(0)

    /// A port comes again after 20,000 others, which is later than the two minutes for which the kernel remembers a flow (udp_timeout_stream).
    static func next() -> UInt16 {
        UInt16(12_000 + issued.wrappingAdd(1, ordering: .relaxed).oldValue % 20_000)
    }
}

/// The prober on its thread.
private final class Session {
    private(set) var record = ProbeRecord()
    private(set) var newestAnswer: Int64?
    private let loop: EventLoop
    private let namespace: NetworkNamespace
    private let server: Endpoint
    private let interval: Int64
    private let rotation: Int64?
    private let port: UInt16?
    private let token: UInt64
    private var sockets: [Socket] = []
    private var nextSend: Int64
    private var nextRotation: Int64 = .max
    private var sending: EventLoop.Timer?
    private var buffer = [UInt8](repeating: 0, count: 2048)

    private struct Socket {
        let descriptor: SharedDescriptor
        let watch: EventLoop.Watch
    }

    /// As many old flows stay open for late answers.
    private static let openFlows = 100

    init(on loop: EventLoop, _ site: ProbeSite, _ flow: ClientProber.Flow, interval: Int64) throws {
        self.loop = loop
        namespace = try NetworkNamespace.open(site.namespace)
        self.interval = interval
        switch flow {
        case .established: (rotation, port, server) = (nil, nil, site.server)
        case .fresh(let every): (rotation, port, server) = (every.nanoseconds, nil, site.server)
        case .fixed(let from, let to): (rotation, port, server) = (nil, from, Endpoint(site.server.address, to))
        }
        token = UInt64.random(in: .min ... .max)
        nextSend = Clock.boottime()
        try openFlow()
        if let rotation { nextRotation = nextSend + rotation }
        sending = loop.schedule(at: nextSend) { [unowned self] in tick() }
    }

    private func openFlow() throws {
        let descriptor = SharedDescriptor(try namespace.inside { try InternetSocket.udp() })
        if let port = rotation == nil ? port : FreshPorts.next() {
            try InternetSocket.bind(descriptor.owned, to: Endpoint(IPv4Address(bits: 0), port))
        }
        try InternetSocket.connect(descriptor.owned, to: server)
        let watch = try loop.watch(descriptor.owned.raw) { [unowned self] _ in receive(descriptor.owned.raw) }
        sockets.append(Socket(descriptor: descriptor, watch: watch))
        if sockets.count > Self.openFlows { loop.remove(sockets.removeFirst().watch) }
    }

    private func tick() {
        let now = Clock.boottime()
        if now >= nextRotation, let rotation {
            nextRotation = now + rotation
            // No route in the client, no descriptor left: the old flow serves on.
            do { try openFlow() } catch { writeError("wanctl-lab: client prober: \(error), keeping the old flow\n") }
        }
        send(at: now)
        nextSend += interval
        // Held up for long (a busy machine): go on from here instead of catching up in a burst.
        if nextSend < now - 10 * interval { nextSend = now + interval }
        sending = loop.schedule(at: nextSend) { [unowned self] in tick() }
    }

    /// Token and number in this machine's order; nobody else reads them.
    func send(at now: Int64) {
        guard let socket = sockets.last?.descriptor.owned.raw else { return }
        let number = record.send(at: now)
        withUnsafeTemporaryAllocation(byteCount: 32, alignment: 8) { datagram in
            datagram.initializeMemory(as: UInt8.self, repeating: 0)
            datagram.storeBytes(of: token, as: UInt64.self)
            datagram.storeBytes(of: number, toByteOffset: 8, as: UInt64.self)
            // A first failure may be the report of an earlier datagram's fate (ICMP unreachable, udp(7)): that clears it.
            if Glibc.send(socket, datagram.baseAddress, datagram.count, 0) < 0 {
                _ = Glibc.send(socket, datagram.baseAddress, datagram.count, 0)
            }
        }
    }

    private func receive(_ socket: Int32) {
        for _ in 0..<64 {
            let count = recv(socket, &buffer, buffer.count, 0)
            if count < 0 { return }
            let now = Clock.boottime()
            guard count == 32 + ContentServer.trailerLength else { continue }
            buffer.withUnsafeBytes { bytes in
                guard bytes.loadUnaligned(as: UInt64.self) == token else { return }
                let number = bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
                let source = UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 32, as: UInt32.self))
                record.answer(number, from: IPv4Address(bits: source), at: now)
                newestAnswer = now
            }
        }
    }

    func finish(by deadline: Int64, _ done: Reply<ProbeRecord>) {
        if let sending { loop.cancel(sending) }
        let now = Clock.boottime()
        if record.answered == record.sent || now >= deadline { return done.give(record) }
        loop.schedule(at: now + 2_000_000) { [unowned self] in finish(by: deadline, done) }
    }
}
