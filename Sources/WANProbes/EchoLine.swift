internal import LinuxIO
internal import NetworkTypes
internal import PacketWire
internal import WANModel

/// One echo socket with what it has asked: sends requests, and tells answers from everything else.
final class EchoLine {
    let socket: EchoSocket
    private(set) var counters: ProbeCounters
    private var outstanding: OutstandingProbes

    /// Up to so many are sent one by one, each with its own clock reading; more go by sendmmsg(2).
    private static let fewRequests = 4
    /// One receive handles at most so many batches, so that a flood on one line cannot starve the others.
    private static let batchesPerReceive = 32
    /// IPv4 header without options and our message.
    private static let packetSize = UInt64(20 + ICMPEcho.size)

    init(_ socket: consuming EchoSocket, counters: ProbeCounters) {
        outstanding = OutstandingProbes()
        self.counters = counters
        self.socket = socket
    }

    /// Sends each request; those that could not be sent are told to `failed` by their index, and the others still go.
    func send(
        _ requests: some RandomAccessCollection<ProbeRequest>, using tools: EchoTools,
        failed: (Int, ProbeSendFailure) -> Void
    ) {
        let chunk = requests.count <= Self.fewRequests ? 1 : tools.sending.capacity
        var index = 0
        var before = ClockReading.now()
        var first: UInt16?
        func flush() {
            guard let wire = first else { return }
            transmit(from: wire, before: before, using: tools, failed: failed)
            first = nil
        }
        for request in requests {
            if case .v4(let address) = request.target {
                if first == nil { before = ClockReading.now() }
                do throws(SystemCallError) {
                    let wire = try enqueue(request, to: address, at: before, using: tools)
                    tools.requestIndices.append(index)
                    if first == nil { first = wire }
                    if tools.sending.count == chunk { flush() }
                } catch {
                    counters.sendFailures += 1
                    failed(index, .other(error.errno))
                }
            } else {
                counters.sendFailures += 1
                failed(index, .unsupportedFamily)
            }
            index += 1
        }
        flush()
    }

    private func enqueue(
        _ request: ProbeRequest, to address: IPv4Address, at reading: ClockReading, using tools: EchoTools
    ) throws(SystemCallError) -> UInt16 {
        let payload = EchoPayload(nonce: try tools.nonce(), sequence: request.sequence)
        let wire = outstanding.add(
            OutstandingProbes.Entry(
                target: request.target, sequence: request.sequence, nonce: payload.nonce, sent: reading,
                lossInterval: request.lossInterval.nanoseconds, fate: .outstanding))
        let echo = ICMPEcho(.request, identifier: socket.identifier, sequence: wire, payload: payload)
        tools.sending.add(to: address.bits) { echo.write(v4: &$0) }
        return wire
    }

    /// Sends what is in the batch, whose wire sequences start with `wire`, and stamps it.
    ///
    /// A batch of 64 takes about 100 µs to send. One stamp for all would add that to the last one's RTT, so the time is spread
    /// over the batch, unless the process was interrupted in it: then the early stamp stays, which can only lengthen an RTT.
    private func transmit(
        from wire: UInt16, before: ClockReading, using tools: EchoTools, failed: (Int, ProbeSendFailure) -> Void
    ) {
        let count = tools.sending.count
        var refused = 0
        tools.sending.send(through: socket.socket.descriptor) { index, errno in
            refused += 1
            outstanding.setUnsent(wire &+ UInt16(index))
            failed(tools.requestIndices[index], ProbeSendFailure(errno: errno))
        }
        if count > 1 {
            let span = Clock.boottime() - before.boottime
            if span < Int64(count) * 20_000 {
                for index in 1..<count {
                    let later = span * Int64(index) / Int64(count)
                    let reading = ClockReading(
                        boottime: before.boottime + later, realtime: before.realtime + later)
                    outstanding.setSent(wire &+ UInt16(index), at: reading)
                }
            }
        }
        tools.sending.removeAll()
        tools.requestIndices.removeAll(keepingCapacity: true)
        counters.sendFailures += UInt64(refused)
        counters.sent += UInt64(count - refused)
        counters.sentBytes += UInt64(count - refused) * Self.packetSize
        counters.forgotten = outstanding.forgotten
    }

    /// Reads all that has arrived, and returns how many datagrams that were.
    @discardableResult
    func receive(using tools: EchoTools, answered: (ProbeAnswer, InterfaceIndex?) -> Void) -> Int {
        var total = 0
        for _ in 0..<Self.batchesPerReceive {
            do throws(SystemCallError) {
                let count = try tools.receiving.receive(from: socket.socket.descriptor)
                if count > 0 {
                    let now = ClockReading.now()
                    tools.receiving.forEach(count) { envelope, packet in
                        judge(packet, envelope, at: now, answered: answered)
                    }
                }
                total += count
                if count < tools.receiving.capacity { return total }
            } catch {
                // A pending error of the socket is cleared by being read, so this cannot repeat for ever.
                counters.receiveErrors += 1
                return total
            }
        }
        return total
    }

    private func judge(
        _ packet: RawSpan, _ envelope: ReceiveBatch.Envelope, at now: ClockReading,
        answered: (ProbeAnswer, InterfaceIndex?) -> Void
    ) {
        counters.receivedBytes += UInt64(packet.byteCount)
        let interface = envelope.interface.map(InterfaceIndex.init(rawValue:))
        if let bound = socket.interface, interface != bound {
            counters.foreign += 1
            return
        }
        do throws(WireError) {
            let header = try IPv4Header(packet)
            let message = try ICMPMessage(v4: packet.extracting(header.payloadRange(in: packet.byteCount)))
            switch message {
            case .echo(let echo) where echo.direction == .reply && echo.identifier == socket.identifier:
                let source = IPAddress.v4(header.source)
                switch outstanding.match(echo.sequence, from: source, payload: echo.payload, at: now.boottime) {
                case .answer(let entry): answered(answer(to: entry, envelope, at: now), interface)
                case .duplicate: counters.duplicates += 1
                case .forged: counters.forged += 1
                }
            case .echo, .other: counters.forged += 1  // the filter lets none through
            }
        } catch {
            counters.malformed += 1
        }
    }

    private func answer(
        to entry: OutstandingProbes.Entry, _ envelope: ReceiveBatch.Envelope, at now: ClockReading
    ) -> ProbeAnswer {
        let trip = RoundTrip(sent: entry.sent, stamp: envelope.stamp, read: now)
        let late = trip.rtt.nanoseconds > entry.lossInterval
        counters.answers += 1
        if late { counters.late += 1 }
        return ProbeAnswer(
            target: entry.target, sequence: entry.sequence, rtt: trip.rtt, receivedAt: trip.receivedAt, late: late)
    }
}
