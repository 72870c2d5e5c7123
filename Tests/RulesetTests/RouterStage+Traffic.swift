import Glibc
import LinuxIO
import NetworkTypes
import TestSupport

/// What became of the first packet of a flow.
enum Fate: Hashable, CustomStringConvertible {
    /// It came to the internet by this uplink.
    case uplink(Int)
    /// It came to somebody with this source.
    case arrived(from: SocketName)
    /// Its sender was told: ECONNREFUSED, EHOSTUNREACH …
    case refused(Int32)
    /// It was dropped, as one of our counters says.
    case dropped
    /// Nothing at all within two seconds.
    case lost

    var description: String {
        switch self {
        case .uplink(let number): "uplink \(number)"
        case .arrived(let source): "from \(source)"
        case .refused(let error): "refused: \(String(cString: strerror(error)))"
        case .dropped: "dropped"
        case .lost: "lost"
        }
    }
}

extension RouterStage {
    /// Sends one datagram from a socket of `namespace` (the LAN's, if none is named) and says where it came out. The receiver
    /// is in the internet, if none is named, and hears on every address.
    func udp(
        from source: String = "192.168.0.10", sourcePort: UInt16 = 0, to destination: String, _ port: UInt16,
        at receivingPort: UInt16? = nil, tos: Int32 = 0, sender: TestNamespace? = nil, receiver: TestNamespace? = nil
    ) throws -> Fate {
        let any = IPv4Address(bits: 0)
        let server = try (receiver ?? internet).inside { () throws(SystemCallError) in
            try openSocket(SOCK_DGRAM, from: SocketName(any, receivingPort ?? port))
        }
        let client = try (sender ?? lan).inside { () throws(SystemCallError) in
            try openSocket(SOCK_DGRAM, from: SocketName(IPv4Address(source) ?? any, sourcePort))
        }
        let discarded = try drops()
        let raw = client.raw
        var tos = tos
        setsockopt(raw, Int32(IPPROTO_IP), IP_TOS, &tos, 4)
        let target = SocketName(IPv4Address(destination) ?? any, port)
        guard withName(target, { Glibc.connect(raw, $0, nameLength) }) == 0, send(raw, "x", 1, 0) == 1 else {
            return .refused(errno)
        }
        return try fate(discarded) {
            wait(50, reading: [server.raw, raw])
            var byte: UInt8 = 0
            let heard = server.raw
            if let sender = name({ Int32(recvfrom(heard, &byte, 1, 0, $0, $1)) }) { return Self.came(sender) }
            let error = pendingError(raw)
            return error == 0 ? nil : .refused(error)
        }
    }

    /// Opens a connection and says where it came out.
    func tcp(
        from source: String = "192.168.0.10", to destination: String, _ port: UInt16, at receivingPort: UInt16? = nil,
        sender: TestNamespace? = nil, receiver: TestNamespace? = nil
    ) throws -> Fate {
        let connection = try connect(
            from: source, to: destination, port, at: receivingPort, sender: sender, receiver: receiver)
        return connection.fate
    }

    /// Both ends of a connection, if it came about. `source` empty: the kernel's choice.
    func connect(
        from source: String, to destination: String, _ port: UInt16, at receivingPort: UInt16? = nil,
        sender: TestNamespace? = nil, receiver: TestNamespace? = nil
    ) throws -> Connection {
        let any = IPv4Address(bits: 0)
        let listener = try (receiver ?? internet).inside { () throws(SystemCallError) in
            let socket = try openSocket(SOCK_STREAM, from: SocketName(any, receivingPort ?? port))
            listen(socket.raw, 8)
            return socket
        }
        let client = try (sender ?? lan).inside { () throws(SystemCallError) in
            try openSocket(SOCK_STREAM, from: IPv4Address(source).map { SocketName($0, 0) })
        }
        let discarded = try drops()
        let raw = client.raw
        _ = withName(SocketName(IPv4Address(destination) ?? any, port)) { Glibc.connect(raw, $0, nameLength) }
        var accepted: Int32 = -1
        var fate = try fate(discarded) {
            wait(50, reading: [listener.raw], writing: [raw])
            let error = pendingError(raw)
            if error != 0 { return .refused(error) }
            let heard = listener.raw
            guard
                let peer = name({
                    accepted = accept(heard, $0, $1); return accepted
                })
            else { return nil }
            return Self.came(peer)
        }
        // The server has it; so must the client.
        if accepted >= 0 {
            wait(2000, reading: [], writing: [raw])
            if name({ getpeername(raw, $0, $1) }) == nil { fate = .refused(pendingError(raw)) }
        }
        return Connection(
            fate: fate, client: client, server: accepted)
    }

    /// What our table has dropped without a word.
    private func drops() throws -> Int { try packets("discarded") + packets("guarded") }

    private func fate(_ discarded: Int, _ look: () throws -> Fate?) throws -> Fate {
        let deadline = Clock.boottime() + 2_000_000_000
        while Clock.boottime() < deadline {
            if let fate = try look() { return fate }
            if try drops() > discarded { return .dropped }
        }
        return .lost
    }

    private static func came(_ source: SocketName) -> Fate {
        let octets = source.address.octets
        return octets[0] == 198 && octets[1] == 51 && octets[3] == 1 ? .uplink(Int(octets[2])) : .arrived(from: source)
    }
}

/// A TCP connection through the router; its ends close with it.
final class Connection {
    let fate: Fate
    let client: OwnedDescriptor
    /// -1 where it never came about.
    private let server: Int32

    fileprivate init(fate: Fate, client: consuming OwnedDescriptor, server: Int32) {
        self.fate = fate
        self.client = client
        self.server = server
    }

    deinit { if server >= 0 { close(server) } }

    /// Whom the client believes to talk to.
    var peer: SocketName? {
        let raw = client.raw
        return name { getpeername(raw, $0, $1) }
    }

    /// Where the client talks from.
    var local: SocketName? {
        let raw = client.raw
        return name { getsockname(raw, $0, $1) }
    }

    /// One octet from the client to the server and one back; the error of the client where that fails.
    func echo() -> Int32 {
        guard server >= 0 else { return ENOTCONN }
        guard send(client.raw, "x", 1, Int32(MSG_NOSIGNAL)) == 1 else { return errno }
        if let error = receive(server) { return error }
        guard send(server, "y", 1, Int32(MSG_NOSIGNAL)) == 1 else { return errno }
        return receive(client.raw) ?? 0
    }

    private func receive(_ raw: Int32) -> Int32? {
        let deadline = Clock.boottime() + 2_000_000_000
        while Clock.boottime() < deadline {
            wait(50, reading: [raw, client.raw])
            var byte: UInt8 = 0
            let count = recv(raw, &byte, 1, Int32(MSG_DONTWAIT))
            if count == 1 { return nil }
            if count == 0 { return EPIPE }
            if errno != EAGAIN { return errno }
            let error = pendingError(client.raw)
            if error != 0 { return error }
        }
        return ETIMEDOUT
    }
}
