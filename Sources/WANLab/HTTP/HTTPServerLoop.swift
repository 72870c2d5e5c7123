internal import LinuxIO

/// The server's side of the thread: doors, connections and the moments at which delayed answers go out.
final class HTTPServerLoop {
    private let loop: EventLoop
    private var doors: [ObjectIdentifier: EventLoop.Watch] = [:]
    private var connections: [ObjectIdentifier: HTTPServerConnection] = [:]

    init(_ loop: EventLoop) { self.loop = loop }

    func watch(_ door: HTTPServer.Door) throws(SystemCallError) {
        guard doors[ObjectIdentifier(door)] == nil else { return }
        doors[ObjectIdentifier(door)] = try loop.watch(door.listener.descriptor.raw) { [unowned self] ready in
            // A listener that was told to refuse hangs up, and would do so without end.
            if ready.contains(.hangUp) { leave(door) } else { accept(at: door) }
        }
    }

    /// Throws out who is inside, too.
    func close(_ door: HTTPServer.Door) {
        leave(door)
        for connection in connections.values where connection.door === door { connection.close() }
    }

    private func leave(_ door: HTTPServer.Door) {
        if let watch = doors.removeValue(forKey: ObjectIdentifier(door)) { loop.remove(watch) }
    }

    private func accept(at door: HTTPServer.Door) {
        do {
            while let accepted = try door.listener.accept() {
                let connection = try HTTPServerConnection(accepted, door, loop) { [unowned self] connection in
                    connections[ObjectIdentifier(connection)] = nil
                }
                connections[ObjectIdentifier(connection)] = connection
            }
        } catch {
            // Out of descriptors or the like: the client sees a connection that ends.
            return
        }
    }
}

/// One client: reads requests, one after the other, and writes what the door answers.
final class HTTPServerConnection {
    let door: HTTPServer.Door
    private let loop: EventLoop
    private let connection: TCPConnection
    private let whenClosed: (HTTPServerConnection) -> Void
    private var watch: EventLoop.Watch?
    private var timer: EventLoop.Timer?
    private var parser = HTTPRequestParser()
    private var output: ArraySlice<UInt8> = []
    private var closesAfterOutput = false
    private var isAnswering = false

    init(
        _ connection: consuming TCPConnection, _ door: HTTPServer.Door, _ loop: EventLoop,
        whenClosed: @escaping (HTTPServerConnection) -> Void
    ) throws(SystemCallError) {
        self.connection = connection
        self.door = door
        self.loop = loop
        self.whenClosed = whenClosed
        watch = nil
        let raw = self.connection.descriptor.raw
        watch = try loop.watch(raw) { [weak self] ready in self?.becameReady(ready) }
    }

    func close() {
        if let watch { loop.remove(watch) }
        if let timer { loop.cancel(timer) }
        watch = nil
        timer = nil
        whenClosed(self)
    }

    private func becameReady(_ ready: EventLoop.Readiness) {
        if ready.contains(.write), !output.isEmpty { flush() }
        guard watch != nil, ready.contains(.read) || ready.contains(.hangUp) || ready.contains(.error) else { return }
        switch connection.receive() {
        case .bytes(let bytes):
            parser.add(bytes)
            answerNext()
        case .nothingYet: break
        case .ended: close()
        }
    }

    private func answerNext() {
        guard !isAnswering else { return }
        switch parser.next() {
        case .incomplete: return
        case .broken(let what):
            var reply = HTTPServerReply(status: 400, type: "text/plain", what)
            reply.headers.append(.init("Connection", "close"))
            closesAfterOutput = true
            send(reply.bytes)
        case .request(var request):
            request.source = connection.peerAddress
            isAnswering = true
            let reply = door.answer(request)
            if reply.delay == .zero { return perform(reply) }
            let (seconds, attoseconds) = reply.delay.components
            let moment = Clock.boottime() + seconds * 1_000_000_000 + attoseconds / 1_000_000_000
            timer = loop.schedule(at: moment) { [weak self] in
                self?.timer = nil
                self?.perform(reply)
            }
        }
    }

    private func perform(_ reply: HTTPServerReply) {
        let bytes = reply.bytes
        switch reply.manner {
        case .whole:
            isAnswering = false
            send(bytes)
        case .never: return
        case .half:
            closesAfterOutput = true
            send(Array(bytes[..<(bytes.count - reply.body.count + reply.body.count / 2)]))
        case .reset:
            connection.resetOnClose()
            close()
        }
    }

    private func send(_ bytes: [UInt8]) {
        output += bytes
        flush()
    }

    private func flush() {
        guard let watch else { return }
        guard let sent = connection.send(output) else { return close() }
        output = output.dropFirst(sent)
        if output.isEmpty && closesAfterOutput { return close() }
        do {
            try loop.change(watch, to: output.isEmpty ? .read : [.read, .write])
        } catch {
            return close()
        }
        if output.isEmpty { answerNext() }
    }
}
