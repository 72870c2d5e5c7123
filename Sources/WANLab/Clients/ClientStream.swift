internal import Glibc
internal import LinuxIO

/// One TCP connection of a client to a server that first tells the source it sees (`EchoService.Manner`).
///
/// Belongs to the thread of its loop. Whoever sets the closures must not be held by them, and drops the stream after `close`.
final class ClientStream {
    /// It stands.
    var onConnected: () -> Void = {}
    /// The server has told the source it sees: from now on octets go both ways.
    var onTold: (Endpoint) -> Void = { _ in }
    /// So many octets have come after that.
    var onReceived: (Int) -> Void = { _ in }
    /// It is over, and not by `close`; nothing comes after that.
    var onEnd: (Breakage) -> Void = { _ in }

    private(set) var seenAs: Endpoint?
    /// What ended it, in the kernel's words where those did.
    private(set) var problem: String?
    private let tells: Bool
    private let loop: EventLoop
    private let descriptor: OwnedDescriptor
    private var watch: EventLoop.Watch?
    private var isConnecting = true
    private var telling: [UInt8] = []
    private var buffer: [UInt8]

    /// Begins to connect.
    ///
    /// - Parameters:
    ///   - source: The address to come from, port 0 for any; by default the kernel's choice.
    ///   - tells: Whether the server begins with the source it sees.
    init(
        on loop: EventLoop, in namespace: borrowing NetworkNamespace, to server: Endpoint, from source: Endpoint? = nil,
        tells: Bool = true, buffer size: Int = 4096
    ) throws {
        self.loop = loop
        self.tells = tells
        buffer = [UInt8](repeating: 0, count: size)
        descriptor = try namespace.inside { try InternetSocket.tcp() }
        InternetSocket.sendAtOnce(descriptor)
        if let source { try InternetSocket.bind(descriptor, to: source) }
        try InternetSocket.connect(descriptor, to: server)
        watch = try loop.watch(descriptor.raw, for: .write) { [unowned self] _ in handle() }
    }

    deinit { close() }

    /// Sends octets nobody looks at; `false` where the connection takes none just now, or has ended.
    func send(_ count: Int) -> Bool {
        guard watch != nil, !isConnecting else { return false }
        let message = [UInt8](repeating: 0x77, count: count)
        let sent = Glibc.send(descriptor.raw, message, count, Int32(MSG_NOSIGNAL))
        if sent < 0, errno != EAGAIN, errno != EINTR { end(errno: errno) }
        return sent == count
    }

    /// Ends it without a word to the owner.
    func close() {
        if let watch { loop.remove(watch) }
        watch = nil
        shutdown(descriptor.raw, Int32(SHUT_RDWR))
    }

    private func handle() {
        guard isConnecting else { return receive() }
        let problem = InternetSocket.pendingError(descriptor)
        if problem != 0 { return end(errno: problem) }
        isConnecting = false
        do { if let watch { try loop.change(watch, to: .read) } } catch { return end(.other("\(error)")) }
        onConnected()
    }

    private func receive() {
        for _ in 0..<16 {
            let count = recv(descriptor.raw, &buffer, buffer.count, 0)
            if count == 0 { return end(.closed) }
            if count < 0 {
                if errno != EAGAIN, errno != EINTR { end(errno: errno) }
                return
            }
            var rest = count
            if tells, seenAs == nil {
                let part = min(count, EchoService.sourceLength - telling.count)
                telling += buffer[..<part]
                rest -= part
                if let source = Endpoint(networkOctets: telling) {
                    seenAs = source
                    onTold(source)
                }
            }
            if rest > 0 { onReceived(rest) }
            if watch == nil { return }  // closed by its owner in one of these
            if count < buffer.count { return }
        }
    }

    private func end(errno number: Int32) {
        problem = errorText(number)
        end(Breakage(errno: number))
    }

    private func end(_ reason: Breakage) {
        guard watch != nil else { return }
        close()
        onEnd(reason)
    }
}
