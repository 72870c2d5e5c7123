internal import JSONText
package import LinuxIO
internal import NetworkTypes

/// Lets other processes change a lab, over its Unix socket; root alone may.
///
/// Belongs to the thread of its event loop. A command is `["fault","ftth","loss","30%"]`, its answer `{"answer": …}` or
/// `{"error": "…"}`, then the connection ends. Commands are done one at a time, in the order they came.
package final class LabControlServer {
    private let lab: Lab
    private let loop: EventLoop
    private let listener: OwnedDescriptor
    private let onDown: () -> Void
    private var connections: [Int32: Connection] = [:]

    private final class Connection {
        let descriptor: OwnedDescriptor
        var watch: EventLoop.Watch?
        var line: [UInt8] = []
        init(_ descriptor: consuming OwnedDescriptor) { self.descriptor = descriptor }
    }

    /// A line longer than this is nobody we know.
    static let longestLine = 1 << 20

    /// More at a time are refused.
    private static let mostConnections = 64

    /// `onDown` is called when somebody asks the lab to end.
    package init(_ lab: Lab, on loop: EventLoop, onDown: @escaping () -> Void) throws(LabError) {
        self.lab = lab
        self.loop = loop
        self.onDown = onDown
        listener = try doing("open the lab's control socket") {
            try UnixStream.listen(at: Self.path(of: lab.id), backlog: 16)
        }
        try doing("watch the lab's control socket") {
            _ = try loop.watch(listener.raw) { [unowned self] _ in accept() }
        }
    }

    /// `/run/wanctl-lab/ID/control`: one JSON text a line each way.
    static func path(of id: String) -> String { "\(LabDirectory.root)/\(id)/control" }

    private func accept() {
        do {
            while let socket = try UnixStream.accept(from: listener) {
                let connection = Connection(socket)
                guard connections.count < Self.mostConnections else { continue }
                let raw = connection.descriptor.raw
                connection.watch = try loop.watch(raw) { [unowned self] _ in receive(connection) }
                connections[raw] = connection
            }
        } catch {
            writeError("wanctl-lab: control: \(error), connection refused\n")
        }
    }

    private func receive(_ connection: Connection) {
        do {
            guard let chunk = try UnixStream.receive(from: connection.descriptor, limit: 4096) else { return }
            connection.line += chunk
            if !chunk.isEmpty, connection.line.count <= Self.longestLine {
                guard let newline = connection.line.firstIndex(of: 10) else { return }
                let answer = Array((answer(to: Array(connection.line[..<newline])).text + "\n").utf8)
                // It fits the socket's buffer or the client gets a part and says so: nobody waits for a slow reader here.
                _ = try UnixStream.send(answer[...], to: connection.descriptor)
            }
        } catch {
            // Whoever asked has gone.
        }
        end(connection)
    }

    private func end(_ connection: Connection) {
        if let watch = connection.watch { loop.remove(watch) }
        connections[connection.descriptor.raw] = nil
    }

    private func answer(to line: [UInt8]) -> JSONValue {
        do {
            let request = try JSONValue(parsing: line)
            guard let words = request.array?.compactMap(\.string), words.count == request.array?.count else {
                throw LabError("read a command", "it is no list of words")
            }
            return ["answer": try perform(words)]
        } catch let error as LabError {
            return ["error": .string(error.problem)]
        } catch {
            return ["error": .string("\(error)")]
        }
    }

    private func perform(_ words: [String]) throws -> JSONValue {
        switch words.first {
        case "status": return try lab.status()
        case "down":
            onDown()
            return .null
        case "fault":
            guard words.count > 1, let uplink = LabUplink(rawValue: words[1]) else {
                throw LabError("", "there is no such uplink; there are ftth, jcom and soracom")
            }
            switch try FaultCommand(words: Array(words.dropFirst(2))) {
            case .set(let fault): try lab.setFault(uplink, fault)
            case .clear: try lab.clearFaults(uplink)
            }
            return .null
        case "clear":
            try lab.clearFaults()
            return .null
        case "target":
            guard words.count > 2, let address = IPv4Address(words[1]) else {
                throw LabError("", "a target is an IPv4 address")
            }
            let over = words.firstIndex(of: "over")
            let uplink = over.flatMap { words.indices.contains($0 + 1) ? LabUplink(rawValue: words[$0 + 1]) : nil }
            if over != nil, uplink == nil { throw LabError("", "after \"over\" comes ftth, jcom or soracom") }
            try lab.setTarget(address, try TargetHealth(words: Array(words[2..<(over ?? words.count)])), over: uplink)
            return .null
        default: throw LabError("", "\"\(words.joined(separator: " "))\" is no command of a lab")
        }
    }
}
