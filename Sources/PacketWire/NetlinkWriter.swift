package import NetworkTypes

/// Netlink messages in the making: one or several, back to back, as one datagram may carry them.
///
/// Writing nests as the message nests; lengths and padding are filled in when a part is complete.
package struct NetlinkWriter: Sendable {
    package private(set) var bytes: [UInt8] = []

    package init(capacity: Int = 256) { bytes.reserveCapacity(capacity) }

    /// One message. Its port is 0: the kernel knows whose socket it came from.
    package mutating func message(
        type: UInt16, flags: NetlinkFlags, sequence: UInt32, _ body: (inout NetlinkWriter) -> Void
    ) {
        let start = bytes.count
        append(native: 0 as UInt32)
        append(native: type)
        append(native: flags.rawValue)
        append(native: sequence)
        append(native: 0 as UInt32)
        body(&self)
        let length = UInt32(bytes.count - start)
        pad()
        patch(length, at: start)
    }

    /// One attribute; what `body` writes is its payload, which may hold attributes again.
    package mutating func attribute(_ kind: UInt16, _ body: (inout NetlinkWriter) -> Void) {
        let start = bytes.count
        append(native: 0 as UInt16)
        append(native: kind)
        body(&self)
        // Only our own mistake could make one that long: nothing variable of ours exceeds an interface's name.
        precondition(bytes.count - start <= Int(UInt16.max))
        patch(UInt16(bytes.count - start), at: start)
        pad()
    }

    /// A part that begins with its own length in two bytes and no kind (linux/rtnetlink.h `struct rtnexthop`).
    package mutating func sized(_ body: (inout NetlinkWriter) -> Void) {
        let start = bytes.count
        append(native: 0 as UInt16)
        body(&self)
        patch(UInt16(bytes.count - start), at: start)
        pad()
    }

    /// An attribute that holds attributes, marked so (NLA_F_NESTED), as nfnetlink demands.
    package mutating func nested(_ kind: UInt16, _ body: (inout NetlinkWriter) -> Void) {
        attribute(kind | 0x8000, body)
    }

    package mutating func attribute(_ kind: UInt16, native value: some FixedWidthInteger) {
        attribute(kind) { $0.append(native: value) }
    }

    package mutating func attribute(_ kind: UInt16, big value: some FixedWidthInteger) {
        attribute(kind) { $0.append(native: value.bigEndian) }
    }

    package mutating func attribute(_ kind: UInt16, address: IPAddress) {
        attribute(kind) { $0.append(address: address) }
    }

    /// A text attribute with its NUL.
    package mutating func attribute(_ kind: UInt16, name: String) {
        attribute(kind) {
            $0.bytes.append(contentsOf: name.utf8)
            $0.bytes.append(0)
        }
    }

    package mutating func append(native value: some FixedWidthInteger) {
        // littleEndian turns the number so that its lowest byte is what memory has first, on hosts of either order.
        var rest = value.littleEndian
        for _ in 0..<(rest.bitWidth / 8) {
            bytes.append(UInt8(truncatingIfNeeded: rest))
            rest >>= 8
        }
    }

    package mutating func append(octets: [UInt8]) { bytes += octets }

    package mutating func append(address: IPAddress) {
        switch address {
        case .v4(let v4): append(native: v4.bits.bigEndian)
        case .v6(let v6):
            append(native: v6.high.bigEndian)
            append(native: v6.low.bigEndian)
        }
    }

    private mutating func pad() {
        while bytes.count % 4 != 0 { bytes.append(0) }
    }

    private mutating func patch(_ value: some FixedWidthInteger, at offset: Int) {
        var rest = value.littleEndian
        for index in 0..<(rest.bitWidth / 8) {
            bytes[offset + index] = UInt8(truncatingIfNeeded: rest)
            rest >>= 8
        }
    }
}
