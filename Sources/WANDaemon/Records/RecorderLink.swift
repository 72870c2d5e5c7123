internal import JSONText
internal import LinuxIO
internal import WANControl

/// The daemon's end of its connection with `wanctl-recorder`: never waits for it, and goes on without.
final class RecorderLink {
    /// Of what kind it is that is not kept, and why; `nil`: it is kept again. Without a kind: the recorder itself.
    var onChange: (RecordFrame.Kind?, String?) -> Void = { _, _ in }

    private let loop: EventLoop
    private let path: String
    /// This run of the daemon.
    private let run: String
    private(set) var outbox = Outbox()
    private var connection: Connection?
    private var timer: EventLoop.Timer?
    private var knowsEarlier = false
    private var lastLoss: Int64 = -RecorderLink.patience

    /// A socket in use.
    private final class Connection {
        let socket: OwnedDescriptor
        var watch: EventLoop.Watch?
        var reader = RecordReader()
        /// Of a frame that the kernel took in part.
        var unsent: ArraySlice<UInt8> = []
        var earlier: [EventReport] = []
        var isReady = false
        /// It ends with this reading, and there is another one later.
        var isRefused = false
        /// What was kept when the silence began.
        var progress = -1

        init(_ socket: consuming OwnedDescriptor) { self.socket = socket }
    }

    private static let mostAtOnce = 32
    private static let firstRetry: Int64 = 200_000_000
    private static let retry: Int64 = 10_000_000_000
    /// Until it says that it is ready, at a start on a slow machine.
    private static let greetingPatience: Int64 = 5_000_000_000
    /// A card may take seconds for an fsync(2).
    private static let patience: Int64 = 30_000_000_000

    init(loop: EventLoop, path: String, run: String) {
        self.loop = loop
        self.path = path
        self.run = run
    }

    // MARK: what is to be kept

    func append(_ event: EventReport) { outbox.append(event) }
    func keep(_ bytes: [UInt8], as kind: RecordFrame.Kind) { outbox.keep(bytes, as: kind) }

    /// Gives the kernel what it takes; much of it in several turns of the loop.
    func send() {
        guard let connection, connection.isReady, !connection.isRefused else { return }
        do throws(SystemCallError) {
            for _ in 0..<Self.mostAtOnce {
                if connection.unsent.isEmpty {
                    guard let frame = outbox.next() else { break }
                    connection.unsent = frame.bytes[...]
                }
                guard let count = try UnixStream.send(connection.unsent, to: connection.socket) else { break }
                connection.unsent = connection.unsent.dropFirst(count)
            }
            try watch(connection)
            expectAnswer()
        } catch {
            // Before it ended it may have said why.
            read()
            if self.connection === connection { lose("it has ended: \(error)") }
        }
    }

    private func watch(_ connection: Connection) throws(SystemCallError) {
        let hasMore = !connection.unsent.isEmpty || connection.isReady && outbox.hasUnsent
        let wanted: EventLoop.Readiness = hasMore && !connection.isRefused ? [.read, .write] : .read
        if let watch = connection.watch { return try loop.change(watch, to: wanted) }
        connection.watch = try loop.watch(connection.socket.raw, for: wanted) { [weak self] readiness in
            if !readiness.isDisjoint(with: [.read, .hangUp, .error]) { self?.read() }
            if readiness.contains(.write) { self?.send() }
        }
    }

    // MARK: the connection

    /// Before the loop runs: waits so long for what earlier runs have told. What takes longer, as where systemd starts the recorder for
    /// this, is read by the loop.
    func begin(within milliseconds: Int32) {
        connect()
        let end = Clock.boottime() + Int64(milliseconds) * 1_000_000
        while let connection, !connection.isReady {
            let left = Int32(clamping: (end - Clock.boottime()) / 1_000_000)
            guard left > 0, (try? UnixStream.waitReadable(connection.socket, milliseconds: left)) == true else {
                return
            }
            read()
        }
    }

    private func connect() {
        guard connection == nil else { return }
        do throws(SystemCallError) {
            let connection = Connection(try UnixStream.connect(to: path, isBlocking: false))
            self.connection = connection
            let wanted = knowsEarlier ? 0 : UInt64(Outbox.mostEvents)
            let greeting = RecordFrame(.begin, number: wanted, body: Array(run.utf8)).bytes
            // The first bytes of a connection: the kernel takes so few at once.
            guard try UnixStream.send(greeting[...], to: connection.socket) == greeting.count else {
                return lose("it takes nothing")
            }
            try watch(connection)
            expectAnswer()
        } catch {
            lose(error.isNobodyThere ? "nobody serves \(path)" : "\(error)")
        }
    }

    private func read() {
        guard let connection else { return }
        do {
            while let bytes = try UnixStream.receive(from: connection.socket, limit: 64 << 10) {
                if bytes.isEmpty { return connection.isRefused ? leave() : lose("it has ended") }
                for frame in try connection.reader.take(bytes) { take(frame, of: connection) }
                guard self.connection === connection else { return }
            }
        } catch {
            return connection.isRefused ? leave() : lose("\(error)")
        }
        if connection.isReady { expectAnswer() }
    }

    private func take(_ frame: RecordFrame, of connection: Connection) {
        switch frame.kind {
        case .earlier:
            if connection.earlier.count < Outbox.mostEvents, let json = try? JSONValue(parsing: frame.body),
                let event = try? EventReport(json: json)
            {
                connection.earlier.append(event)
            }
        case .ready:
            // With a number it could not read them: what is known stays, and it is asked again another time.
            if frame.number == 0 {
                if !knowsEarlier { outbox.earlier = connection.earlier }
                knowsEarlier = true
            }
            connection.earlier = []
            connection.isReady = true
            later(nil)  // it has answered in time
            outbox.sendAgain()
            onChange(nil, nil)
            send()
        case .stored:
            guard let kind = frame.subject?.kind else { return }
            outbox.stored(kind, upTo: frame.number)
            onChange(kind, nil)
        case .refused:
            guard let subject = frame.subject else { return }
            onChange(subject.kind, subject.text)
            connection.isRefused = true
            try? watch(connection)
        case .begin, .event, .state, .policy: break
        }
    }

    /// It is to answer in time what it was sent.
    private func expectAnswer() {
        guard let connection else { return }
        if connection.isReady, !outbox.isWaiting { return later(nil) }
        let progress = outbox.progress
        if timer != nil, progress == connection.progress { return }
        connection.progress = progress
        later(connection.isReady ? Self.patience : Self.greetingPatience)
    }

    private func later(_ span: Int64?) {
        if let timer { loop.cancel(timer) }
        timer = span.map { span in
            loop.schedule(at: Clock.boottime() + span) { [weak self] in
                guard let self else { return }
                timer = nil
                if connection != nil {
                    lose("it has not answered for \(span / 1_000_000_000) s")
                } else {
                    connect()
                }
            }
        }
    }

    /// One that has worked and ends, as for another version of it, is looked for at once, and nothing is said unless it stays away.
    private func lose(_ reason: String) {
        let now = Clock.boottime()
        let isFirst = connection?.isReady == true && now - lastLoss > Self.patience
        if isFirst { lastLoss = now }
        close()
        if !isFirst { onChange(nil, reason) }
        later(isFirst ? Self.firstRetry : Self.retry)
    }

    /// What was refused is told again later.
    private func leave() {
        close()
        later(Self.retry)
    }

    private func close() {
        if let watch = connection?.watch { loop.remove(watch) }
        connection = nil
    }

    /// The daemon ends, its loop does not run any more: what the recorder takes soon is sent.
    func end(within milliseconds: Int32) {
        let end = Clock.boottime() + Int64(milliseconds) * 1_000_000
        send()
        while let connection, connection.isReady, !connection.isRefused,
            !connection.unsent.isEmpty || outbox.hasUnsent
        {
            let left = Int32(clamping: (end - Clock.boottime()) / 1_000_000)
            guard left > 0, (try? UnixStream.waitWritable(connection.socket, milliseconds: left)) == true else { break }
            send()
        }
        later(nil)
        close()
    }
}
