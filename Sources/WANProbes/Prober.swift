package import LinuxIO
package import NetworkTypes
package import WANModel

/// Sends echo requests over uplinks and tells which were answered; one raw socket per uplink, all on one event loop.
///
/// It judges nothing: a probe without an answer is simply never mentioned again, and when it counts as lost is the asker's
/// business. Call `drain` before deciding so, because an answer may already wait in a socket.
package final class Prober {
    /// Answers in the order they were read. May call anything of the prober.
    package var onAnswers: ([(uplink: UplinkNumber, answer: ProbeAnswer)]) -> Void = { _ in }

    private let loop: EventLoop
    private let tools = EchoTools()
    private var lines: [Line?] = Array(repeating: nil, count: Int(UplinkNumber.range.upperBound) + 1)
    private var formerCounters: [UplinkNumber: ProbeCounters] = [:]
    private var answers: [(uplink: UplinkNumber, answer: ProbeAnswer)] = []
    private var pollTimer: EventLoop.Timer?

    /// An attached uplink, and how its answers are noticed.
    private final class Line {
        let uplink: UplinkNumber
        let echo: EchoLine
        /// `nil` while so many answers come in that they are collected by the clock.
        var watch: EventLoop.Watch?
        var windowStart: Int64 = 0
        var eventsInWindow = 0

        init(_ uplink: UplinkNumber, _ echo: EchoLine) {
            self.uplink = uplink
            self.echo = echo
        }
    }

    /// More wake-ups than this within a window, and a socket is read by the clock instead, as NAPI does with a busy card;
    /// fewer answers than `calm`, and it wakes us again. RTTs do not suffer: the kernel stamps.
    private static let window: Int64 = 100_000_000
    private static let busy = 50
    private static let calm = 20
    private static let pollInterval: Int64 = 15_000_000

    package init(loop: EventLoop) { self.loop = loop }

    deinit {
        for line in lines { if let watch = line?.watch { loop.remove(watch) } }
        if let pollTimer { loop.cancel(pollTimer) }
    }

    /// Opens the uplink's socket; one that was open before is replaced, and what it had asked is forgotten.
    ///
    /// So call this again when the interface was made anew or its address changed: answers to the former one then find no
    /// listener. When it throws, what was attached stays.
    package func attach(
        uplink: UplinkNumber, interface: String, ifindex: InterfaceIndex, mark: UInt32?, typeOfService: UInt8? = nil
    ) throws(SystemCallError) {
        precondition(UplinkNumber.range.contains(uplink.rawValue), "uplink number out of range")
        let others = lines.compactMap { $0?.echo.socket.identifier }
        let socket = try EchoSocket.open(
            interface: interface, ifindex: ifindex, mark: mark, typeOfService: typeOfService,
            identifier: try tools.identifier(besides: others))
        let line = Line(uplink, EchoLine(socket, counters: counters(of: uplink)))
        line.watch = try watch(line)
        detach(uplink: uplink)
        lines[Int(uplink.rawValue)] = line
    }

    package func detach(uplink: UplinkNumber) {
        guard let line = line(of: uplink) else { return }
        if let watch = line.watch { loop.remove(watch) }
        formerCounters[uplink] = line.echo.counters
        lines[Int(uplink.rawValue)] = nil
    }

    package func isAttached(_ uplink: UplinkNumber) -> Bool { line(of: uplink) != nil }

    /// Since the uplink was first attached.
    package func counters(of uplink: UplinkNumber) -> ProbeCounters {
        line(of: uplink)?.echo.counters ?? formerCounters[uplink] ?? ProbeCounters()
    }

    /// Sends one probe.
    package func send(
        uplink: UplinkNumber, target: IPAddress, sequence: UInt64, lossInterval: Duration = .seconds(1)
    ) -> SendOutcome {
        guard let line = line(of: uplink) else { return .failed(.notAttached) }
        var outcome = SendOutcome.sent
        let request = ProbeRequest(target: target, sequence: sequence, lossInterval: lossInterval)
        line.echo.send(CollectionOfOne(request), using: tools) { _, failure in outcome = .failed(failure) }
        return outcome
    }

    /// Sends many probes with few system calls; those that could not be sent are told to `failed` by their index.
    package func send(
        uplink: UplinkNumber, _ requests: [ProbeRequest], failed: (Int, ProbeSendFailure) -> Void
    ) {
        guard let line = line(of: uplink) else {
            for index in requests.indices { failed(index, .notAttached) }
            return
        }
        line.echo.send(requests, using: tools, failed: failed)
    }

    /// Reads every answer that has arrived by now.
    package func drain() {
        for line in lines { if let line { read(line) } }
        deliver()
    }

    private func line(of uplink: UplinkNumber) -> Line? {
        lines.indices.contains(Int(uplink.rawValue)) ? lines[Int(uplink.rawValue)] : nil
    }

    private func watch(_ line: Line) throws(SystemCallError) -> EventLoop.Watch {
        let uplink = line.uplink
        return try loop.watch(line.echo.socket.descriptor) { [weak self] _ in self?.wake(uplink) }
    }

    private func wake(_ uplink: UplinkNumber) {
        guard let line = line(of: uplink) else { return }
        let now = Clock.boottime()
        if now - line.windowStart > Self.window {
            line.windowStart = now
            line.eventsInWindow = 0
        }
        line.eventsInWindow += 1
        if line.eventsInWindow > Self.busy, let watch = line.watch {
            loop.remove(watch)
            line.watch = nil
            line.windowStart = now
            line.eventsInWindow = 0
            schedulePoll(at: now + Self.pollInterval)
        }
        read(line)
        deliver()
    }

    private func schedulePoll(at deadline: Int64) {
        guard pollTimer == nil else { return }
        pollTimer = loop.schedule(at: deadline) { [weak self] in self?.poll() }
    }

    private func poll() {
        pollTimer = nil
        let now = Clock.boottime()
        var polled = false
        for line in lines {
            guard let line, line.watch == nil else { continue }
            line.eventsInWindow += read(line)
            if now - line.windowStart > Self.window {
                // Where epoll_ctl(2) has no memory for the watch, the clock goes on collecting.
                if line.eventsInWindow < Self.calm { line.watch = try? watch(line) }
                line.windowStart = now
                line.eventsInWindow = 0
            }
            polled = polled || line.watch == nil
        }
        if polled { schedulePoll(at: now + Self.pollInterval) }
        deliver()
    }

    @discardableResult
    private func read(_ line: Line) -> Int {
        line.echo.receive(using: tools) { answer, _ in
            answers.append((line.uplink, answer))
        }
    }

    /// Hands over what was read, when no buffer is in use any more: the handlers may send, drain or detach.
    private func deliver() {
        guard !answers.isEmpty else { return }
        var batch: [(uplink: UplinkNumber, answer: ProbeAnswer)] = []
        swap(&batch, &answers)
        onAnswers(batch)
        if answers.isEmpty {
            batch.removeAll(keepingCapacity: true)
            swap(&batch, &answers)
        }
    }
}
