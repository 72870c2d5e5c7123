package import LinuxIO
package import NetworkTypes
package import WANModel

/// Echo requests sent as any program's traffic is, by the routing rules, to prove where that traffic goes after a switch.
package final class PathProbe {
    package struct Answer: Hashable, Sendable {
        package var target: IPAddress
        package var rtt: Duration
        /// The interface the answer came in by: the uplink that carries the traffic now.
        package var interface: InterfaceIndex?
        package var receivedAt: Moment
    }

    package var onAnswer: (Answer) -> Void = { _ in }

    private let loop: EventLoop
    private let tools = EchoTools(batch: 8)
    private var line: EchoLine?
    private var watch: EventLoop.Watch?
    private var sequence: UInt64 = 0
    private var former = ProbeCounters()

    package init(loop: EventLoop) { self.loop = loop }

    deinit { if let watch { loop.remove(watch) } }

    package var counters: ProbeCounters { line?.counters ?? former }

    /// Begins a proof: forgets what was asked before and takes a fresh identifier.
    ///
    /// To conntrack the identifier is what a port is to UDP: with the old one the kernel would go on translating as it did for
    /// the uplink that was left, for as long as that entry lives.
    package func begin() throws(SystemCallError) {
        let fresh = EchoLine(
            try EchoSocket.open(mark: nil, typeOfService: nil, identifier: try tools.identifier()), counters: counters)
        let watch = try loop.watch(fresh.socket.descriptor) { [weak self] _ in self?.read() }
        end()
        line = fresh
        self.watch = watch
    }

    /// Asks a target; call `begin` first.
    package func send(_ target: IPAddress) -> SendOutcome {
        guard let line else { return .failed(.notAttached) }
        var outcome = SendOutcome.sent
        sequence += 1
        line.send(CollectionOfOne(ProbeRequest(target: target, sequence: sequence)), using: tools) { _, failure in
            outcome = .failed(failure)
        }
        return outcome
    }

    /// Closes the socket; later answers find no listener.
    package func end() {
        if let watch { loop.remove(watch) }
        watch = nil
        if let line { former = line.counters }
        line = nil
    }

    private func read() {
        guard let line else { return }
        var answers: [Answer] = []
        line.receive(using: tools) { answer, interface in
            answers.append(
                Answer(target: answer.target, rtt: answer.rtt, interface: interface, receivedAt: answer.receivedAt))
        }
        for answer in answers { onAnswer(answer) }
    }
}
