internal import CLinux
internal import Glibc
internal import LinuxIO

/// A network interface whose cable is a descriptor (Documentation/networking/tuntap.rst); it vanishes with its owner.
final class TunDevice {
    enum Kind {
        /// Bare IP packets, point to point, no ARP: what a PPP interface looks like to routing.
        case pointToPoint
        /// Ethernet frames.
        case ethernet

        /// Where the IP header of an IPv4 packet starts.
        var headerLength: Int { self == .ethernet ? 14 : 0 }
    }

    let name: String
    let kind: Kind
    let descriptor: OwnedDescriptor

    // ip tuntap add NAME mode tun|tap
    init(_ name: String, _ kind: Kind, in namespace: String) throws(LabError) {
        self.name = name
        self.kind = kind
        descriptor = try doing("make \(name) in \(namespace)") {
            try NetworkNamespace.open(namespace).inside {
                let raw = try checked("open(2)", "/dev/net/tun") {
                    open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK)
                }
                let descriptor = OwnedDescriptor(taking: raw)
                var request = ifreq()
                withUnsafeMutableBytes(of: &request) { bytes in
                    for (place, byte) in name.utf8.prefix(Int(IFNAMSIZ) - 1).enumerated() { bytes[place] = byte }
                    let mode = kind == .ethernet ? IFF_TAP : IFF_TUN
                    bytes.storeBytes(
                        of: Int16(truncatingIfNeeded: mode | IFF_NO_PI), toByteOffset: Int(IFNAMSIZ), as: Int16.self)
                }
                // A program that is being started elsewhere in this process has our descriptors until its exec: the device
                // of that name that we just closed may so live a few milliseconds longer.
                var tries = 0
                while wan_ioctl(raw, UInt(WAN_TUNSETIFF), &request) != 0 {
                    guard errno == EBUSY, tries < 100 else {
                        throw SystemCallError(call: "ioctl(2) TUNSETIFF", subject: name)
                    }
                    tries += 1
                    poll(nil, 0, 5)
                }
                return descriptor
            }
        }
    }

    func setCarrier(_ present: Bool) throws(SystemCallError) {
        var value: Int32 = present ? 1 : 0
        _ = try checked("ioctl(2) TUNSETCARRIER", name) { wan_ioctl(descriptor.raw, UInt(WAN_TUNSETCARRIER), &value) }
    }

    /// Source and destination where the bytes are an IPv4 packet (RFC 791 section 3.1).
    func endpoints(of packet: UnsafeRawBufferPointer) -> WireDirection.Endpoints? {
        let start = kind.headerLength
        guard packet.count >= start + 20, packet[start] >> 4 == 4 else { return nil }
        if kind == .ethernet, packet[12] != 8 || packet[13] != 0 { return nil }
        return WireDirection.Endpoints(
            source: UInt32(bigEndian: packet.loadUnaligned(fromByteOffset: start + 12, as: UInt32.self)),
            destination: UInt32(bigEndian: packet.loadUnaligned(fromByteOffset: start + 16, as: UInt32.self)))
    }
}
