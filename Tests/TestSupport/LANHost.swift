internal import Glibc
package import LinuxIO
package import NetworkTypes

/// A host of the LAN that speaks in whose name it wants (raw(7), IP_HDRINCL). It belongs to the network namespace of the thread that
/// made it.
package struct Forger: ~Copyable {
    package typealias Place = (address: IPv4Address, port: UInt16)
    private let descriptor: OwnedDescriptor

    package init() throws(SystemCallError) {
        let kind = Int32(SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue)
        let raw = try checked("socket(2)", "SOCK_RAW RAW") { socket(AF_INET, kind, Int32(IPPROTO_RAW)) }
        descriptor = OwnedDescriptor(taking: raw)
    }

    /// Sends a UDP datagram; the kernel fills in what is missing of its header, and UDP's checksum may be 0 (RFC 768).
    package func send(_ bytes: [UInt8], from source: Place, to target: Place) throws(SystemCallError) {
        func pair(_ number: UInt16) -> [UInt8] { [UInt8(number >> 8), UInt8(number & 255)] }
        func four(_ address: IPv4Address) -> [UInt8] {
            pair(UInt16(address.bits >> 16)) + pair(UInt16(address.bits & 0xffff))
        }
        let head: [UInt8] = [0x45, 0, 0, 0, 0, 0, 0, 0, 1, 17, 0, 0]
        let ports = pair(source.port) + pair(target.port) + pair(UInt16(bytes.count + 8)) + [0, 0]
        let packet = head + four(source.address) + four(target.address) + ports + bytes
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_addr.s_addr = target.address.bits.bigEndian
        let raw = descriptor.raw
        _ = try checked("sendto(2)", "\(target.address)") {
            withUnsafePointer(to: &name) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    sendto(raw, packet, packet.count, 0, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
        }
    }
}

/// Hears what passes by in a network namespace (packet(7)): that of the thread that made it.
package struct Eavesdropper: ~Copyable {
    package struct Datagram: Hashable, Sendable {
        package var source: IPv4Address
        package var destination: IPv4Address
        package var bytes: [UInt8]
    }

    private let descriptor: OwnedDescriptor

    package init() throws(SystemCallError) {
        // Without the link's header (SOCK_DGRAM), of every protocol (ETH_P_ALL, 3, in network order): others miss what is sent, and what
        // a bridge passes on.
        let kind = Int32(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let raw = try checked("socket(2)", "AF_PACKET") { socket(AF_PACKET, kind, Int32(UInt16(3).bigEndian)) }
        descriptor = OwnedDescriptor(taking: raw)
    }

    /// The UDP datagrams to this port that came since it was last asked, each once, in order.
    package func datagrams(to port: UInt16) throws(SystemCallError) -> [Datagram] {
        var found: [Datagram] = []
        var packet = [UInt8](repeating: 0, count: 2048)
        while true {
            let raw = descriptor.raw
            let count: Int
            do throws(SystemCallError) {
                count = try checked("recv(2)") { recv(raw, &packet, packet.count, 0) }
            } catch  where error.isTryAgain {
                return found
            }
            // IPv4 without options, and UDP.
            guard count >= 28, packet[0] == 0x45, packet[9] == 17, packet[22] == UInt8(port >> 8),
                packet[23] == UInt8(port & 255)
            else { continue }
            let datagram = Datagram(
                source: IPv4Address(packet[12], packet[13], packet[14], packet[15]),
                destination: IPv4Address(packet[16], packet[17], packet[18], packet[19]),
                bytes: Array(packet[28..<count]))
            if !found.contains(datagram) { found.append(datagram) }
        }
    }
}
