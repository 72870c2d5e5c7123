internal import JSONText
internal import LinuxIO

/// One client of the control socket: its bytes in, its requests one after the other, its answers out, and its limits.
///
/// It never waits: what the kernel does not take is queued up to a bound, and a client that lets the bound be reached, or
/// keeps a slot without asking anything, is dropped.
final class ControlConnection {
    private let socket: OwnedDescriptor
    private let loop: EventLoop
    private let limits: ControlServer.Limits
    private let peer: Peer
    private let answer: (ControlRequest, Peer, ControlReply) -> Void
    private let closed: (ControlConnection) -> Void

    private var watch: EventLoop.Watch?
    private var interest: EventLoop.Readiness = []
    private var idle: EventLoop.Timer?
    private var input: LineBuffer
    private var output: [UInt8] = []
    /// How much of `output` the kernel has taken already.
    private var sent = 0
    private var inputEnded = false
    /// The request being answered. The one who answers owns the reply; its identity outlives it.
    private var pending: ObjectIdentifier?
    private weak var reply: ControlReply?
    /// No further request is read; the connection ends when the output is out.
    private var isEnding = false
    private var isClosed = false
    private var continues = false

    init(
        _ socket: consuming OwnedDescriptor, peer: Peer, loop: EventLoop, limits: ControlServer.Limits,
        answer: @escaping (ControlRequest, Peer, ControlReply) -> Void, closed: @escaping (ControlConnection) -> Void
    ) {
        self.socket = socket
        self.peer = peer
        self.loop = loop
        self.limits = limits
        self.answer = answer
        self.closed = closed
        input = LineBuffer(limit: limits.line)
    }

    func start() throws(SystemCallError) {
        interest = .read
        watch = try loop.watch(socket.raw, for: .read) { [weak self] readiness in self?.ready(readiness) }
        restartIdle()
    }

    private func ready(_ readiness: EventLoop.Readiness) {
        if readiness.contains(.write) { flush() }
        if readiness.contains(.read), interest.contains(.read) { takeIn() }
        // The other end is closed both ways: nobody reads what we might still say.
        if !readiness.isDisjoint(with: [.hangUp, .error]), !interest.contains(.read) || inputEnded { close() }
        settle()
    }

    private func takeIn() {
        do throws(SystemCallError) {
            guard let bytes = try UnixStream.receive(from: socket, limit: 16384) else { return }
            if bytes.isEmpty { inputEnded = true } else { input.append(bytes) }
        } catch {
            close()
            return
        }
        handleNext()
    }

    /// Takes the next request when the last one is answered and read; more of them wait for the loop's next turn, so that
    /// one client's thousand requests stand behind the probes' answers.
    private func handleNext() {
        guard !isClosed, !isEnding, pending == nil, output.isEmpty else { return }
        guard let line = input.next() else {
            if input.isOverlong {
                end(with: ControlRefusal(.usage, "a request is one line of at most \(limits.line) bytes"))
            } else if inputEnded {
                if input.isEmpty {
                    isEnding = true
                } else {
                    end(with: ControlRefusal(.usage, "the request ended in the middle of its line"))
                }
            }
            return
        }
        guard line.count <= limits.line else {
            end(with: ControlRefusal(.usage, "a request is one line of at most \(limits.line) bytes"))
            return
        }
        handle(line)
        if pending == nil { continueLater() }
    }

    private func handle(_ line: [UInt8]) {
        let request: ControlRequest
        do throws(ControlRefusal) {
            request = try ControlRequest(line: line)
        } catch {
            end(with: error)
            return
        }
        stopIdle()
        let reply = ControlReply(on: self, for: request)
        pending = ObjectIdentifier(reply)
        self.reply = reply
        answer(request, peer, reply)
    }

    private func continueLater() {
        guard !continues, !isClosed, !isEnding else { return }
        continues = true
        loop.schedule(at: Clock.boottime()) { [weak self] in
            guard let self else { return }
            continues = false
            handleNext()
            settle()
        }
    }

    /// Says why, and hangs up: after garbage nobody knows where the next request begins.
    private func end(with refusal: ControlRefusal) {
        isEnding = true
        write(.refused(refusal))
    }

    func write(_ answer: ControlAnswer) {
        guard !isClosed else { return }
        let line = answer.line
        // One answer may be larger than the bound; what a client left unread may not.
        if output.count - sent > 0, output.count - sent + line.count > limits.output {
            close()
            return
        }
        output += line
        flush()
        settle()
    }

    func end(of request: ObjectIdentifier, with answer: ControlAnswer?) {
        guard pending == request else { return }
        pending = nil
        reply = nil
        guard !isClosed else { return }
        if let answer { write(answer) }
        restartIdle()
        continueLater()
    }

    private func flush() {
        while !isClosed, sent < output.count {
            do throws(SystemCallError) {
                guard let count = try UnixStream.send(output[sent...], to: socket) else { break }
                sent += count
            } catch {
                close()
                return
            }
        }
        if sent == output.count {
            let hadOutput = !output.isEmpty
            output.removeAll(keepingCapacity: output.capacity <= 16384)
            sent = 0
            if hadOutput, pending == nil { continueLater() }
        } else if sent > 65536 {
            output.removeFirst(sent)
            sent = 0
        }
    }

    /// Brings the watch in line with what is wanted now, and closes what has nothing left to do.
    private func settle() {
        guard !isClosed else { return }
        if isEnding, output.isEmpty {
            close()
            return
        }
        var wanted: EventLoop.Readiness = []
        if !output.isEmpty { wanted.insert(.write) }
        // Not while a line may wait: who asks faster than is answered would fill the memory.
        if !isEnding, !inputEnded, pending == nil, output.isEmpty, !continues { wanted.insert(.read) }
        guard wanted != interest, let watch else { return }
        do throws(SystemCallError) {
            try loop.change(watch, to: wanted)
            interest = wanted
        } catch {
            close()
        }
    }

    private func restartIdle() {
        stopIdle()
        guard !isClosed else { return }
        idle = loop.schedule(at: Clock.boottime() + limits.idleNanoseconds) { [weak self] in
            guard let self else { return }
            idle = nil
            if input.isEmpty || isEnding {
                close()
            } else {
                end(with: ControlRefusal(.usage, "the request was not complete in time"))
                close()
            }
        }
    }

    private func stopIdle() {
        if let idle { loop.cancel(idle) }
        idle = nil
    }

    func close() {
        guard !isClosed else { return }
        isClosed = true
        stopIdle()
        if let watch { loop.remove(watch) }
        watch = nil
        pending = nil
        let waiting = reply
        reply = nil
        closed(self)
        waiting?.abandon()
    }
}
