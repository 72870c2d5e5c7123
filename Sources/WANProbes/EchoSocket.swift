internal import Glibc
internal import LinuxIO
internal import NetworkTypes

/// A raw ICMP socket that hears only the echo replies to its own identifier.
struct EchoSocket: ~Copyable {
    let socket: RawICMPSocket
    let identifier: UInt16
    /// The one interface it sends and hears through; `nil`: by the routing rules, as any program's traffic.
    let interface: InterfaceIndex?

    /// Several hundred answers wait here while the daemon applies a large ruleset.
    private static let receiveBuffer: Int32 = 1 << 20

    /// Opens a socket for an uplink.
    ///
    /// - Parameter ifindex: what the caller believes `interface` to be. Where the name belongs to another interface by now,
    ///   ENODEV is thrown: the caller's picture is stale and answers would be credited to the wrong line.
    static func open(
        interface: String, ifindex: InterfaceIndex, mark: UInt32?, typeOfService: UInt8?, identifier: UInt16
    ) throws(SystemCallError) -> EchoSocket {
        let socket = try RawICMPSocket()
        let bound = InterfaceIndex(rawValue: try socket.bind(toInterface: interface))
        guard bound == ifindex else {
            throw SystemCallError(call: "setsockopt(2) SO_BINDTODEVICE", errno: ENODEV, subject: interface)
        }
        try prepare(socket, mark: mark, typeOfService: typeOfService, identifier: identifier)
        return EchoSocket(socket: socket, identifier: identifier, interface: bound)
    }

    /// Opens a socket that follows the routing rules.
    static func open(
        mark: UInt32?, typeOfService: UInt8?, identifier: UInt16
    ) throws(SystemCallError) -> EchoSocket {
        let socket = try RawICMPSocket()
        try prepare(socket, mark: mark, typeOfService: typeOfService, identifier: identifier)
        return EchoSocket(socket: socket, identifier: identifier, interface: nil)
    }

    private static func prepare(
        _ socket: borrowing RawICMPSocket, mark: UInt32?, typeOfService: UInt8?, identifier: UInt16
    ) throws(SystemCallError) {
        try socket.hear(types: [0])
        try EchoFilter.program(identifier: identifier).attach(to: socket.descriptor.raw)
        if let mark { try socket.setMark(mark) }
        if let typeOfService { try socket.setTypeOfService(typeOfService) }
        try socket.enableReceiveStamps()
        try socket.enablePacketInfo()
        try socket.setReceiveBuffer(receiveBuffer)
    }

    var descriptor: Int32 { socket.descriptor.raw }
}
