internal import Glibc
internal import LinuxIO
package import NetworkTypes

/// Many flows of the LAN at once, each a real socket with a 5-tuple of its own, on one thread: for load sharing, and to see which
/// flows a change moves.
///
/// A packet goes out on every flow when asked (`send`), a few dozen under way at a time, so that no queue is full but for a fault.
package final class FlowCrowd: Sendable {
    private let thread: LoopThread<Session>
    private let owners: @Sendable () -> [IPv4Address: LabUplink]

    /// Opens the flows and sends the first packet on each; for TCP, connects.
    ///
    /// - Parameters:
    ///   - count: Each needs a descriptor of this process and, for TCP, one more for the content server.
    ///   - sources: Addresses of the LAN client to come from in turn (`Lab.addClientAddresses`); by default its own.
    ///   - patience: How long one packet may stay without an answer. TCP repeats by itself.
    package static func open(
        _ count: Int, _ transport: FlowTransport = .udp, in lab: Lab, sources: [IPv4Address] = [LabAddress.client],
        patience: Duration = .seconds(1)
    ) throws(LabError) -> FlowCrowd {
        try doing("open \(count) flows") { try raiseDescriptorLimit(to: (transport == .tcp ? 2 : 1) * count + 200) }
        let namespace = lab.namespacePath(.lan)
        let thread = try LoopThread("a crowd of \(count) flows") { loop in
            try Session(on: loop, in: namespace, count: count, transport, sources: sources)
        }
        let crowd = FlowCrowd(thread, owners: { [weak lab] in lab?.sourceOwners ?? [:] })
        if transport == .tcp { _ = try crowd.round(patience) { $0.connect($1, $2) } }
        return crowd
    }

    private init(_ thread: LoopThread<Session>, owners: @escaping @Sendable () -> [IPv4Address: LabUplink]) {
        self.thread = thread
        self.owners = owners
    }

    /// Sends one packet on every flow that lives and waits for the answers, each for at most that long.
    package func send(patience: Duration = .seconds(1)) throws(LabError) -> CrowdReport {
        try round(patience) { $0.send($1, $2) }
    }

    package func close() throws(LabError) {
        try thread.perform { $0.close() }
        thread.stop()
    }

    private func round(
        _ patience: Duration, _ begin: @escaping @Sendable (Session, Int64, Reply<[FlowState]>) -> Void
    ) throws(LabError) -> CrowdReport {
        let done = try doing("send on a crowd of flows") { try Reply<[FlowState]>() }
        try thread.perform { begin($0, patience.nanoseconds, done) }
        return Self.report(done.wait(), owners())
    }

    private static func report(_ flows: [FlowState], _ owners: [IPv4Address: LabUplink]) -> CrowdReport {
        var report = CrowdReport(flows: flows.count)
        for flow in flows {
            if let breakage = flow.brokenBy {
                report.broken[breakage, default: 0] += 1
                continue
            }
            guard flow.isAnswered, let seen = flow.seenAs else { continue }
            report.answered += 1
            let uplink = owners[seen.address]
            if let uplink {
                report.byUplink[uplink, default: 0] += 1
                report.bySource[flow.host, default: [:]][uplink, default: 0] += 1
            } else {
                report.unknownSources += 1
            }
            if let before = flow.seenBefore, owners[before.address] != uplink {
                report.moved[CrowdMove(from: owners[before.address], to: uplink), default: 0] += 1
            }
        }
        return report
    }

    private static func raiseDescriptorLimit(to wanted: Int) throws {
        var limit = rlimit()
        _ = try checked("getrlimit(2)") { getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) }
        if limit.rlim_cur >= rlim_t(wanted) { return }
        limit.rlim_cur = rlim_t(wanted)
        limit.rlim_max = max(limit.rlim_max, limit.rlim_cur)
        guard setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            throw LabError(
                "", "this takes \(wanted) descriptors (\(errorText(errno))): raise the limit with `ulimit -n`")
        }
    }
}

/// What is known of one flow after a round.
private struct FlowState: Sendable {
    /// The address it comes from in the LAN.
    let host: IPv4Address
    var isAnswered = false
    /// The source the server saw when it last answered, and the time before.
    var seenAs: Endpoint?
    var seenBefore: Endpoint?
    var brokenBy: Breakage?
}

/// The crowd on its thread.
private final class Session {
    private enum Line {
        case udp(SharedDescriptor)
        case tcp(ClientStream)
    }

    private let loop: EventLoop
    private let namespace: NetworkNamespace
    private let token = UInt32.random(in: .min ... .max)
    private var flows: [FlowState]
    private var lines: [Int: Line] = [:]
    private var watches: [EventLoop.Watch] = []
    private var buffer = [UInt8](repeating: 0, count: 2048)
    // The round that is on.
    private var round: UInt32 = 0
    private var next = 0
    private var patience: Int64 = 0
    private var start: (Int) -> Bool = { _ in false }
    private var done: Reply<[FlowState]>?
    /// Number of the flow and when it is given up, in the order they were sent.
    private var underWay: [(flow: Int, deadline: Int64)] = []
    private var waiting: Set<Int> = []

    /// So many packets are on their way at a time: fewer than any queue of a lab holds.
    private static let window = 64
    private static let sweep: Int64 = 10_000_000

    init(
        on loop: EventLoop, in path: String, count: Int, _ transport: FlowTransport, sources: [IPv4Address]
    ) throws {
        self.loop = loop
        let sources = sources.isEmpty ? [LabAddress.client] : sources
        namespace = try NetworkNamespace.open(path)
        flows = (0..<count).map { FlowState(host: sources[$0 % sources.count]) }
        if transport == .tcp { return }
        for number in 0..<count {
            let socket = SharedDescriptor(try namespace.inside { try InternetSocket.udp() })
            try InternetSocket.bind(socket.owned, to: source(of: number))
            try InternetSocket.connect(socket.owned, to: ContentServer.endpoint)
            watches.append(try loop.watch(socket.raw) { [unowned self] _ in receive(from: socket.raw) })
            lines[number] = .udp(socket)
        }
    }

    private func source(of flow: Int) -> Endpoint { Endpoint(flows[flow].host, 0) }

    func close() {
        for watch in watches { loop.remove(watch) }
        watches = []
        for case .tcp(let stream) in lines.values { stream.close() }
        lines = [:]
    }

    // MARK: a round

    func connect(_ patience: Int64, _ done: Reply<[FlowState]>) {
        begin(patience, done) { [unowned self] number in
            do {
                let stream = try ClientStream(
                    on: loop, in: namespace, to: ContentServer.telling, from: source(of: number), buffer: 64)
                stream.onTold = { [unowned self] in
                    flows[number].seenAs = $0
                    answered(number)
                }
                stream.onReceived = { [unowned self] _ in answered(number) }
                stream.onEnd = { [unowned self] in broke(number, by: $0) }
                lines[number] = .tcp(stream)
                return true
            } catch {
                flows[number].brokenBy = .other("\(error)")
                return false
            }
        }
    }

    func send(_ patience: Int64, _ done: Reply<[FlowState]>) {
        begin(patience, done) { [unowned self] number in
            switch lines[number] {
            case .udp(let socket):
                var message = [token, round, UInt32(number), 0]
                // A refusal may be the report of an earlier datagram's fate (ICMP, udp(7)); that clears it.
                if Glibc.send(socket.raw, &message, 16, 0) < 0 { _ = Glibc.send(socket.raw, &message, 16, 0) }
                return true
            case .tcp(let stream): return stream.send(16)
            case nil: return false
            }
        }
    }

    private func begin(_ patience: Int64, _ done: Reply<[FlowState]>, _ start: @escaping (Int) -> Bool) {
        self.done?.give(flows)  // nobody asks for two at a time; the first one gets what there is
        round += 1
        next = 0
        self.patience = patience
        self.start = start
        self.done = done
        underWay = []
        waiting = []
        for number in flows.indices { flows[number].isAnswered = false }
        fill()
        look()
    }

    private func fill() {
        while waiting.count < Self.window, next < flows.count {
            let number = next
            next += 1
            waiting.insert(number)
            underWay.append((number, Clock.boottime() + patience))
            if !start(number) { waiting.remove(number) }
        }
    }

    /// Gives up what was under way for too long, and ends the round when nothing is left.
    private func look() {
        guard done != nil else { return }
        let now = Clock.boottime()
        let over = underWay.prefix { $0.deadline <= now }
        for entry in over { waiting.remove(entry.flow) }
        underWay.removeFirst(over.count)
        fill()
        if waiting.isEmpty, next == flows.count {
            done?.give(flows)
            done = nil
        } else {
            loop.schedule(at: now + Self.sweep) { [unowned self] in look() }
        }
    }

    private func answered(_ number: Int) {
        flows[number].isAnswered = true
        waiting.remove(number)
        fill()
    }

    private func broke(_ number: Int, by reason: Breakage) {
        flows[number].brokenBy = reason
        lines[number] = nil
        waiting.remove(number)
        fill()
    }

    private func receive(from raw: Int32) {
        for _ in 0..<16 {
            let count = recv(raw, &buffer, buffer.count, 0)
            if count < 0 { return }
            guard count == 16 + EchoService.sourceLength else { continue }
            let words = buffer.withUnsafeBytes { bytes in
                (0..<3).map { bytes.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self) }
            }
            let number = Int(words[2])
            guard words[0] == token, words[1] == round, flows.indices.contains(number), !flows[number].isAnswered
            else { continue }
            flows[number].seenBefore = flows[number].seenAs
            flows[number].seenAs = Endpoint(networkOctets: buffer[16..<count])
            answered(number)
        }
    }
}
