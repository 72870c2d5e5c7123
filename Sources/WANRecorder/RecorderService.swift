internal import JSONText
package import LinuxIO
internal import SQLite
internal import WANControl

/// `wanctl-recorder`: keeps on the disk what the daemon tells it, and waits for the disk in its place.
package final class RecorderService {
    private let loop: EventLoop
    private let directory: String
    private let files: RecordFiles
    private let say: (String) -> Void
    /// `nil` until it is needed, and again after a failure.
    private var history: History?
    private var clients: [ObjectIdentifier: Client] = [:]
    private var pending: [Pending] = []
    private var timer: EventLoop.Timer?
    /// How long what is not urgent waits for others, so that a card is written to less often.
    private let delay: Int64

    /// A connection, which is one run of the daemon.
    private final class Client {
        let socket: OwnedDescriptor
        var watch: EventLoop.Watch?
        var reader = RecordReader()
        var run = ""
        var lastNumber: UInt64?
        init(_ socket: consuming OwnedDescriptor) { self.socket = socket }
    }

    private struct Pending {
        var client: Client
        var entry: History.Entry
    }

    /// A daemon, its successor, and others that come and go: more than that is none of ours.
    private static let mostClients = 16
    private static let urgent: Set<EventKind> = [
        .absent, .proving, .up, .degraded, .down, .disabled, .switch, .rule, .auto, .operator, .started, .reload, .role,
    ]

    package init(
        loop: EventLoop, directory: String, delay: Int64 = 10_000_000_000, say: @escaping (String) -> Void
    ) {
        self.loop = loop
        self.directory = directory
        self.delay = delay
        self.say = say
        files = RecordFiles(directory: directory)
    }

    /// Takes a connection over.
    package func serve(_ socket: consuming OwnedDescriptor) throws(SystemCallError) {
        let client = Client(socket)
        guard clients.count < Self.mostClients else { return }
        client.watch = try loop.watch(client.socket.raw) { [weak self, unowned client] _ in self?.read(client) }
        clients[ObjectIdentifier(client)] = client
    }

    private func end(_ client: Client) {
        guard clients.removeValue(forKey: ObjectIdentifier(client)) != nil else { return }
        if let watch = client.watch { loop.remove(watch) }
    }

    /// All that has come, to its end: what a daemon has sent is kept, though it was killed since.
    private func read(_ client: Client) {
        do {
            while let bytes = try UnixStream.receive(from: client.socket, limit: 256 << 10) {
                if bytes.isEmpty {
                    end(client)
                    break
                }
                for frame in try client.reader.take(bytes) { try take(frame, from: client) }
            }
        } catch {
            say("a connection is closed: \(error)")
            end(client)
        }
        if pending.contains(where: { Self.isUrgent($0.entry.event) }) { write() } else { writeLater() }
    }

    private static func isUrgent(_ event: EventReport) -> Bool {
        EventKind(rawValue: event.kind).map { urgent.contains($0) } ?? true
    }

    private func take(_ frame: RecordFrame, from client: Client) throws {
        switch frame.kind {
        case .begin: try begin(client, frame)
        case .event:
            let event = try EventReport(json: try JSONValue(parsing: frame.body))
            note(gapBefore: frame.number, in: client, at: event.at)
            pending.append(Pending(client: client, entry: .init(run: client.run, number: frame.number, event: event)))
        case .state, .policy:
            do throws(SystemCallError) {
                try files.keep(frame.body, as: frame.kind)
                answer(client, .stored(frame.kind, upTo: frame.number))
            } catch {
                refuse(client, frame.kind, "\(error)")
            }
        case .earlier, .ready, .stored, .refused: break
        }
    }

    /// Before it is answered, all that others have sent is in its place: its run reads the files next.
    private func begin(_ client: Client, _ frame: RecordFrame) throws {
        client.run = String(decoding: frame.body.prefix(64), as: UTF8.self)
        for other in clients.values where other !== client { read(other) }
        write()
        var (earlier, isRead) = ([UInt8](), true)
        do throws(DatabaseError) {
            let history = try openHistory()
            client.lastNumber = try history.lastNumber(of: client.run)
            if frame.number > 0 {
                let events = try history.last(Int(min(frame.number, 10_000)), butOf: client.run)
                earlier = events.flatMap { RecordFrame(.earlier, body: Array($0.utf8)).bytes }
            }
        } catch {
            isRead = false
        }
        try send(earlier, to: client)
        // With a number it asks for the earlier ones again another time.
        answer(client, RecordFrame(.ready, number: isRead ? 0 : 1))
    }

    /// Numbers that never came: the recorder was stuck for longer than the daemon remembers.
    private func note(gapBefore number: UInt64, in client: Client, at time: Timestamp) {
        defer { client.lastNumber = number }
        guard let last = client.lastNumber, number > last + 1 else { return }
        let missing = number - last - 1
        let event = EventReport(
            at: time, kind: "gap",
            text: "\(missing) event\(missing == 1 ? " is" : "s are") missing here, the recorder was behind")
        pending.append(Pending(client: client, entry: .init(run: client.run, number: number - 1, event: event)))
    }

    // MARK: the disk

    private func openHistory() throws(DatabaseError) -> History {
        if let history { return history }
        let opened = try History(directory: directory, say: say)
        history = opened
        return opened
    }

    private func writeLater() {
        guard !pending.isEmpty, timer == nil else { return }
        timer = loop.schedule(at: Clock.boottime() + delay) { [weak self] in self?.write() }
    }

    /// Everything that waits, in one transaction.
    private func write() {
        if let timer { loop.cancel(timer) }
        timer = nil
        guard !pending.isEmpty else { return }
        let batch = pending
        pending = []
        do throws(DatabaseError) {
            try openHistory().append(batch.map(\.entry), isUrgent: batch.contains { Self.isUrgent($0.entry.event) })
            for last in Dictionary(batch.map { (ObjectIdentifier($0.client), $0) }, uniquingKeysWith: { $1 }).values {
                answer(last.client, .stored(.event, upTo: last.entry.number))
            }
        } catch {
            // Opened anew the next time: a disk may be mended, a file removed.
            history = nil
            // Its own check does not see all damage.
            if error.isDamaged { History.putAside(in: directory, because: error, say) }
            for client in batch.map(\.client) { refuse(client, .event, "\(error)") }
        }
    }

    // MARK: answers

    private func refuse(_ client: Client, _ kind: RecordFrame.Kind, _ reason: String) {
        answer(client, .refused(kind, reason))
        // In the next turn: it may have sent more that is refused.
        loop.schedule(at: Clock.boottime()) { [weak self] in self?.end(client) }
    }

    /// Some bytes: the kernel has room for them. Who has ended or does not read hears nothing.
    private func answer(_ client: Client, _ frame: RecordFrame) {
        do throws(SystemCallError) {
            guard try UnixStream.send(frame.bytes[...], to: client.socket) == frame.bytes.count else {
                return end(client)
            }
        } catch {
            // Its end is read later, behind all that it has sent.
        }
    }

    /// Many bytes, to one that reads them now.
    private func send(_ bytes: [UInt8], to client: Client) throws(SystemCallError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            if let count = try UnixStream.send(rest, to: client.socket) {
                rest = rest.dropFirst(count)
            } else if try !UnixStream.waitWritable(client.socket, milliseconds: 2000) {
                throw SystemCallError(call: "send(2)", errno: 110, subject: "to a daemon that does not read")
            }
        }
    }

    /// What has come and waits is written.
    package func end() {
        for client in clients.values { read(client) }
        write()
        for client in clients.values { end(client) }
    }
}
