internal import CLinux
internal import Glibc
internal import LinuxIO
internal import NetworkTypes

/// The content server of the lab's internet: UDP and TCP echo (RFC 862) on port 7 of `LabAddress.content`.
///
/// A datagram comes back with the address and port it came from behind it, so that a client learns by which provider it went.
final class ContentServer: Sendable {
    static let endpoint = Endpoint(LabAddress.content, 7)
    /// Octets that the UDP echo adds: address and port in network order.
    static let trailerLength = 6
    private let thread: LoopThread<EchoService>

    init(in namespace: String) throws(LabError) {
        thread = try LoopThread("the content server", urgent: true) { loop in
            let sockets = try NetworkNamespace.open(namespace).inside {
                let udp = try InternetSocket.udp()
                let tcp = try InternetSocket.tcp()
                try InternetSocket.bind(udp, to: Self.endpoint)
                try InternetSocket.bind(tcp, to: Self.endpoint)
                _ = try checked("listen(2)") { listen(tcp.raw, 128) }
                return Sockets(udp: udp, tcp: tcp)
            }
            return try EchoService(on: loop, sockets)
        }
    }
}

private struct Sockets: ~Copyable {
    let udp: OwnedDescriptor
    let tcp: OwnedDescriptor
}

/// The echo service on its thread.
private final class EchoService {
    private let loop: EventLoop
    private let sockets: Sockets
    private var connections: [Int32: Connection] = [:]
    private var buffer = [UInt8](repeating: 0, count: 65536)

    private final class Connection {
        let descriptor: OwnedDescriptor
        var watch: EventLoop.Watch?
        var unsent: [UInt8] = []
        init(taking raw: Int32) { descriptor = OwnedDescriptor(taking: raw) }
    }

    /// A client that reads nothing is left behind at this many bytes.
    private static let patience = 1 << 20

    init(on loop: EventLoop, _ sockets: consuming Sockets) throws(SystemCallError) {
        self.loop = loop
        self.sockets = sockets
        _ = try loop.watch(self.sockets.udp.raw) { [unowned self] _ in echoDatagrams() }
        _ = try loop.watch(self.sockets.tcp.raw) { [unowned self] _ in accept() }
    }

    private func echoDatagrams() {
        let raw = sockets.udp.raw
        for _ in 0..<64 {
            var from = sockaddr_in()
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let room = buffer.count - ContentServer.trailerLength
            let count = withUnsafeMutableBytes(of: &from) { form in
                recvfrom(raw, &buffer, room, 0, form.baseAddress?.assumingMemoryBound(to: sockaddr.self), &length)
            }
            if count < 0 { return }
            withUnsafeBytes(of: &from.sin_addr) { buffer.replaceSubrange(count..<(count + 4), with: $0) }
            withUnsafeBytes(of: &from.sin_port) { buffer.replaceSubrange((count + 4)..<(count + 6), with: $0) }
            // A full queue loses the answer, as the network would.
            _ = Endpoint(from).withSocketAddress { sendto(raw, buffer, count + ContentServer.trailerLength, 0, $0, $1) }
        }
    }

    private func accept() {
        while true {
            let raw = wan_accept4(
                sockets.tcp.raw, nil, nil, Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue))
            if raw < 0 { return }
            let connection = Connection(taking: raw)
            InternetSocket.sendAtOnce(connection.descriptor)
            do {
                connection.watch = try loop.watch(raw) { [unowned self] ready in
                    echo(connection, ready)
                }
                connections[raw] = connection
            } catch {
                writeError("wanctl-lab: content server: \(error), connection refused\n")
            }
        }
    }

    private func echo(_ connection: Connection, _ ready: EventLoop.Readiness) {
        let raw = connection.descriptor.raw
        if !ready.isDisjoint(with: [.read, .hangUp, .error]) {
            let count = read(raw, &buffer, buffer.count)
            if count > 0 {
                connection.unsent += buffer[..<count]
            } else if count == 0 || (errno != EAGAIN && errno != EINTR) {
                return end(connection)
            }
        }
        let sent = send(raw, connection.unsent, connection.unsent.count, Int32(MSG_NOSIGNAL))
        if sent > 0 { connection.unsent.removeFirst(sent) }
        if connection.unsent.count > Self.patience { return end(connection) }
        guard let watch = connection.watch else { return }
        do { try loop.change(watch, to: connection.unsent.isEmpty ? .read : [.read, .write]) } catch { end(connection) }
    }

    private func end(_ connection: Connection) {
        if let watch = connection.watch { loop.remove(watch) }
        connections[connection.descriptor.raw] = nil
    }
}
