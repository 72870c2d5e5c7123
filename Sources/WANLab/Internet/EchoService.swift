internal import CLinux
internal import Glibc
internal import LinuxIO

/// A server of the lab on its thread: datagrams come back with their source behind them, connections are dealt with as their port
/// says.
final class EchoService {
    /// What becomes of a TCP connection.
    enum Manner: Hashable, Sendable {
        /// What was sent comes back (RFC 862).
        case echo
        /// First come the source address and port that the server sees, in network order; from then on it is an echo.
        case tellAndEcho
        /// First the source, then octets without end (RFC 864), at most so many octets a second.
        case tellAndStream(octetsPerSecond: UInt32)
    }

    /// Where a server listens.
    struct Ports: Hashable, Sendable {
        var datagrams: [Endpoint]
        var connections: [Endpoint: Manner]
    }

    /// Octets that the UDP echo adds, and that a telling TCP server begins with: address and port in network order.
    static let sourceLength = 6

    /// Everybody who sent a datagram or connected, by what the server saw; bounded, for a crowd is large.
    private(set) var sources: Set<Endpoint> = []
    private let loop: EventLoop
    private var sockets: [SharedDescriptor] = []
    private var connections: [Int32: Connection] = [:]
    private var buffer = [UInt8](repeating: 0, count: 65536)

    private final class Connection {
        let descriptor: OwnedDescriptor
        let manner: Manner
        var watch: EventLoop.Watch?
        var awaited: EventLoop.Readiness = .read
        var unsent: [UInt8] = []
        init(taking raw: Int32, _ manner: Manner) {
            descriptor = OwnedDescriptor(taking: raw)
            self.manner = manner
        }
    }

    /// A client that reads nothing is left behind at this many bytes.
    private static let patience = 1 << 20
    private static let mostSources = 65536
    private static let filler = [UInt8](repeating: 0x63, count: 16384)

    init(on loop: EventLoop, in namespace: String, _ ports: Ports) throws {
        self.loop = loop
        let place = try NetworkNamespace.open(namespace)
        for endpoint in ports.datagrams {
            let socket = SharedDescriptor(try place.inside { try InternetSocket.udp() })
            try InternetSocket.bind(socket.owned, to: endpoint)
            // A crowd of clients comes at once (socket(7); root may go beyond net.core.rmem_max).
            InternetSocket.set(socket.owned, SOL_SOCKET, SO_RCVBUFFORCE, 4 << 20)
            sockets.append(socket)
            _ = try loop.watch(socket.raw) { [unowned self] _ in echoDatagrams(of: socket.raw) }
        }
        for (endpoint, manner) in ports.connections {
            let socket = SharedDescriptor(try place.inside { try InternetSocket.tcp() })
            try InternetSocket.bind(socket.owned, to: endpoint)
            _ = try checked("listen(2)") { listen(socket.raw, 4096) }
            sockets.append(socket)
            _ = try loop.watch(socket.raw) { [unowned self] _ in accept(from: socket.raw, manner) }
        }
    }

    private func echoDatagrams(of raw: Int32) {
        for _ in 0..<64 {
            let room = buffer.count - Self.sourceLength
            guard let (count, source) = InternetSocket.receive(raw, into: &buffer, atMost: room) else { return }
            note(source)
            buffer.replaceSubrange(count..<(count + Self.sourceLength), with: source.networkOctets)
            // A full queue loses the answer, as the network would.
            _ = source.withSocketAddress { sendto(raw, buffer, count + Self.sourceLength, 0, $0, $1) }
        }
    }

    private func accept(from listener: Int32, _ manner: Manner) {
        while true {
            var from = sockaddr_in()
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let raw = withUnsafeMutableBytes(of: &from) { form in
                wan_accept4(
                    listener, form.baseAddress?.assumingMemoryBound(to: sockaddr.self), &length,
                    Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue))
            }
            if raw < 0 { return }
            let connection = Connection(taking: raw, manner)
            let source = Endpoint(from)
            note(source)
            InternetSocket.sendAtOnce(connection.descriptor)
            switch manner {
            case .echo: break
            case .tellAndEcho: connection.unsent = source.networkOctets
            case .tellAndStream(let rate):
                connection.unsent = source.networkOctets
                // tcp paces by itself (socket(7) SO_MAX_PACING_RATE); a small buffer keeps its stream from piling up here.
                InternetSocket.set(connection.descriptor, SOL_SOCKET, SO_MAX_PACING_RATE, Int32(clamping: rate))
                InternetSocket.set(connection.descriptor, SOL_SOCKET, SO_SNDBUF, 64 << 10)
            }
            do {
                connection.watch = try loop.watch(raw) { [unowned self] ready in serve(connection, ready) }
                connections[raw] = connection
                if manner != .echo { push(connection) }
            } catch {
                writeError("wanctl-lab: server: \(error), connection refused\n")
            }
        }
    }

    private func serve(_ connection: Connection, _ ready: EventLoop.Readiness) {
        if !ready.isDisjoint(with: [.read, .hangUp, .error]) {
            let count = read(connection.descriptor.raw, &buffer, buffer.count)
            if count > 0 {
                if case .tellAndStream = connection.manner {} else { connection.unsent += buffer[..<count] }
            } else if count == 0 || (errno != EAGAIN && errno != EINTR) {
                return end(connection)
            }
        }
        push(connection)
    }

    /// Sends what waits, and of a stream one piece more.
    private func push(_ connection: Connection) {
        let raw = connection.descriptor.raw
        if !connection.unsent.isEmpty {
            let sent = send(raw, connection.unsent, connection.unsent.count, Int32(MSG_NOSIGNAL))
            if sent > 0 { connection.unsent.removeFirst(sent) }
            if connection.unsent.count > Self.patience { return end(connection) }
        }
        var isEndless = false
        if case .tellAndStream = connection.manner {
            isEndless = true
            if connection.unsent.isEmpty {
                let sent = send(raw, Self.filler, Self.filler.count, Int32(MSG_NOSIGNAL))
                if sent < 0, errno != EAGAIN, errno != EINTR { return end(connection) }
            }
        }
        let awaited: EventLoop.Readiness = isEndless || !connection.unsent.isEmpty ? [.read, .write] : .read
        guard awaited != connection.awaited, let watch = connection.watch else { return }
        connection.awaited = awaited
        do { try loop.change(watch, to: awaited) } catch { end(connection) }
    }

    private func end(_ connection: Connection) {
        if let watch = connection.watch { loop.remove(watch) }
        connection.watch = nil
        connections[connection.descriptor.raw] = nil
    }

    private func note(_ source: Endpoint) {
        if sources.count < Self.mostSources { sources.insert(source) }
    }
}
