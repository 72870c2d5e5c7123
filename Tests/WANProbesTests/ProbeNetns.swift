import Glibc
import LinuxIO
import NetworkTypes
import PacketWire
import WANModel

/// A router and a peer in two namespaces without names, joined by veth pairs; all of it goes when the last descriptor closes.
///
/// Line N (1, 2, …) is `lineN` at the router, 10.N.0.1/24, and `peerN` at the peer, 10.N.0.2/24 and 10.N.0.3/24.
final class ProbeNetns {
    let router: NetworkNamespace
    let peer: NetworkNamespace

    private var nextIndex = 100

    private init() throws {
        let router = try NetworkNamespace.make()
        let peer = try NetworkNamespace.make()
        self.router = router
        self.peer = peer
    }

    convenience init(lines: ClosedRange<Int> = 1...1) throws {
        try self.init()
        try router.inside { try run("ip", "link", "set", "lo", "up") }
        try peer.inside { try run("ip", "link", "set", "lo", "up") }
        for line in lines { try addLine(line) }
        // Answers by another line than the question's must reach the socket, not die in rp_filter.
        try router.inside { try Self.sysctl("net/ipv4/conf/all/rp_filter", "0") }
    }

    func addLine(_ line: Int) throws {
        // Neighbours are known from the start: else the kernel keeps only some packets while it asks (unres_qlen, arp(7)).
        // Fresh namespaces number alike, and a veth with its peer's number gets its carrier a second later (linkwatch_urgent_event).
        nextIndex += 1
        let index = nextIndex
        func mac(_ end: Int) -> String { "02:00:00:00:0\(end):0\(line)" }
        let peerPath = "/proc/\(getpid())/fd/\(peer.descriptor.raw)"
        try router.inside {
            try run(
                "ip", "link", "add", "line\(line)", "index", "\(index)", "address", mac(1), "type", "veth", "peer",
                "name", "peer\(line)",
                "address", mac(2), "netns", peerPath)
            try run("ip", "address", "add", "10.\(line).0.1/24", "dev", "line\(line)")
            try run("ip", "link", "set", "line\(line)", "up")
            try run("ip", "neighbour", "add", "10.\(line).0.2", "lladdr", mac(2), "dev", "line\(line)")
            try run("ip", "neighbour", "add", "10.\(line).0.3", "lladdr", mac(2), "dev", "line\(line)")
            try Self.sysctl("net/ipv4/conf/line\(line)/rp_filter", "0")
        }
        try peer.inside {
            try run("ip", "address", "add", "10.\(line).0.2/24", "dev", "peer\(line)")
            try run("ip", "address", "add", "10.\(line).0.3/24", "dev", "peer\(line)")
            try run("ip", "link", "set", "peer\(line)", "up")
            try run("ip", "neighbour", "add", "10.\(line).0.1", "lladdr", mac(1), "dev", "peer\(line)")
            try Self.waitUntilRunning("peer\(line)")
        }
        try router.inside { try Self.waitUntilRunning("line\(line)") }
    }

    /// The kernel begins to send through a veth only after its link watch saw the carrier, up to a second later.
    private static func waitUntilRunning(_ name: String) throws {
        let socket = OwnedDescriptor(
            taking: try checked("socket(2)") { Glibc.socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0) })
        let deadline = Clock.boottime() + 5_000_000_000
        while Clock.boottime() < deadline {
            var request = ifreq()
            withUnsafeMutableBytes(of: &request.ifr_ifrn) { $0.copyBytes(from: name.utf8) }
            let raw = socket.raw
            _ = try checked("ioctl(2) SIOCGIFFLAGS", name) { ioctl(raw, UInt(SIOCGIFFLAGS), &request) }
            if UInt32(UInt16(bitPattern: request.ifr_ifru.ifru_flags)) & UInt32(IFF_RUNNING) != 0 { return }
            poll(nil, 0, 5)
        }
        throw CommandFailed(description: "\(name) never got a carrier")
    }

    func removeLine(_ line: Int) throws {
        try router.inside { try run("ip", "link", "delete", "line\(line)") }
    }

    /// The router's number for an interface.
    func index(of name: String) throws -> InterfaceIndex {
        try router.inside { InterfaceIndex(rawValue: Int32(bitPattern: if_nametoindex(name))) }
    }

    /// The peer's kernel stops answering by itself: the test answers.
    func silencePeer() throws {
        try peer.inside { try Self.sysctl("net/ipv4/icmp_echo_ignore_all", "1") }
    }

    func nftAtPeer(_ ruleset: String) throws { try peer.inside { try run("nft", ruleset) } }

    static func sysctl(_ name: String, _ value: String) throws { try Files.write(value, to: "/proc/sys/\(name)") }
}

struct CommandFailed: Error, CustomStringConvertible {
    var description: String
}

/// Runs a program in the calling thread's namespace, and throws where it does not end with 0.
func run(_ program: String, _ arguments: String...) throws {
    var words: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) }
    defer { for word in words { free(word) } }
    words.append(nil)
    var pid: pid_t = 0
    let result = posix_spawnp(&pid, program, nil, nil, words, environ)
    guard result == 0 else { throw CommandFailed(description: "\(program): \(errorText(result))") }
    var status: Int32 = 0
    while waitpid(pid, &status, 0) < 0, errno == EINTR {}
    guard status == 0 else {
        throw CommandFailed(description: "\(program) \(arguments.joined(separator: " ")): status \(status)")
    }
}

/// The peer's end on raw sockets: hears echo requests and answers them as the test likes.
final class Responder {
    struct Request {
        var source: IPv4Address
        var destination: IPv4Address
        var echo: ICMPEcho
        /// The whole IP packet.
        var packet: [UInt8]
    }

    private let socket: RawICMPSocket
    private let sender: OwnedDescriptor
    private let batch = ReceiveBatch(capacity: 16)

    init(in netns: ProbeNetns) throws {
        socket = try netns.peer.inside { () throws(SystemCallError) in try RawICMPSocket() }
        sender = try netns.peer.inside { () throws(SystemCallError) in
            OwnedDescriptor(
                taking: try checked("socket(2)") {
                    Glibc.socket(AF_INET, Int32(SOCK_RAW.rawValue), Int32(IPPROTO_RAW))
                })
        }
    }

    /// Echo requests that came in since the last call; waits until there are `count`, at most 2 s.
    func requests(_ count: Int) throws -> [Request] {
        var requests: [Request] = []
        let deadline = Clock.boottime() + 2_000_000_000
        while requests.count < count, Clock.boottime() < deadline {
            var waiting = pollfd(fd: socket.descriptor.raw, events: Int16(POLLIN), revents: 0)
            poll(&waiting, 1, 50)
            let received = try batch.receive(from: socket.descriptor)
            batch.forEach(received) { _, bytes in
                guard let header = try? IPv4Header(bytes),
                    let message = try? ICMPMessage(v4: bytes.extracting(header.payloadRange(in: bytes.byteCount))),
                    case .echo(let echo) = message, echo.direction == .request
                else { return }
                requests.append(
                    Request(
                        source: header.source, destination: header.destination, echo: echo,
                        packet: bytes.withUnsafeBytes(Array.init)))
            }
        }
        return requests
    }

    /// Sends an echo reply to the request, changed by the test, from any address.
    func reply(
        to request: Request, from source: IPv4Address? = nil, damage: Bool = false,
        _ change: (inout ICMPEcho) -> Void = { _ in }
    ) throws {
        var echo = request.echo
        echo.direction = .reply
        change(&echo)
        var message = [UInt8](repeating: 0, count: ICMPEcho.size)
        var span = message.mutableSpan
        var bytes = span.mutableBytes
        let count = echo.write(v4: &bytes)
        if damage { message[ICMPEcho.size - 1] ^= 1 }
        try send(Array(message.prefix(count)), from: source ?? request.destination, to: request.source)
    }

    /// Sends an ICMP error, host unreachable, that quotes the whole request.
    func refuse(_ request: Request) throws {
        var message = [3, 1, 0, 0, 0, 0, 0, 0] + request.packet
        let sum = InternetChecksum.of(message.span.bytes)
        message[2] = UInt8(sum >> 8)
        message[3] = UInt8(sum & 0xff)
        try send(message, from: request.destination, to: request.source)
    }

    /// With a header of our own (raw(7), IPPROTO_RAW); the kernel fills in length, identification and checksum.
    private func send(_ message: [UInt8], from source: IPv4Address, to destination: IPv4Address) throws {
        let packet =
            [0x45, 0, 0, 0, 0, 0, 0, 0, 64, 1, 0, 0] + source.octets + destination.octets + message
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_addr.s_addr = destination.bits.bigEndian
        let raw = sender.raw
        _ = try checked("sendto(2)", "\(destination)") {
            withUnsafePointer(to: name) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    sendto(raw, packet, packet.count, 0, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
        }
    }
}
