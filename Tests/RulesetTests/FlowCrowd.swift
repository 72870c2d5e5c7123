import Glibc
import LinuxIO
import NetworkTypes
import TestSupport

/// Many UDP flows from the LAN, each known by a number: 20 sources, one port each, and as many destinations as it takes.
final class FlowCrowd {
    private let server: OwnedDescriptor
    private var clients: [Client] = []
    private let count: Int
    private static let port: UInt16 = 7777

    init(_ count: Int, on stage: RouterStage) throws {
        self.count = count
        server = try stage.internet.inside { () throws(SystemCallError) in
            try openSocket(SOCK_DGRAM, from: SocketName(IPv4Address(bits: 0), Self.port))
        }
        var size: Int32 = 8 << 20
        setsockopt(server.raw, SOL_SOCKET, SO_RCVBUFFORCE, &size, 4)
        for host in 0..<20 {
            let source = SocketName(IPv4Address(192, 168, 0, UInt8(10 + host)), UInt16(20_000 + host))
            clients.append(
                try stage.lan.inside { () throws(SystemCallError) in
                    Client(socket: try openSocket(SOCK_DGRAM, from: source))
                })
        }
    }

    /// An array holds nothing that cannot be copied.
    private final class Client {
        let socket: OwnedDescriptor
        init(socket: consuming OwnedDescriptor) { self.socket = socket }
    }

    /// Each flow sends one datagram; by which uplink each of them came. 0: it did not.
    func send() -> [Int] {
        var uplinks = [Int](repeating: 0, count: count)
        for flow in 0..<count {
            var number = UInt32(flow)
            let target = SocketName(IPv4Address(bits: 0x0908_0000 + UInt32(flow / clients.count)), Self.port)
            let client = clients[flow % clients.count].socket.raw
            _ = withName(target) { sendto(client, &number, 4, 0, $0, nameLength) }
            if flow % 64 == 0 { collect(&uplinks) }
        }
        let deadline = Clock.boottime() + 3_000_000_000
        while uplinks.contains(0), Clock.boottime() < deadline {
            wait(20, reading: [server.raw])
            collect(&uplinks)
        }
        return uplinks
    }

    private func collect(_ uplinks: inout [Int]) {
        var number: UInt32 = 0
        let raw = server.raw
        while let source = name({ Int32(recvfrom(raw, &number, 4, 0, $0, $1)) }) {
            if Int(number) < count { uplinks[Int(number)] = Int(source.address.octets[2]) }
        }
    }
}
