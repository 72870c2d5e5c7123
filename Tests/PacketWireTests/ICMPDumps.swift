import PacketWire

/// Packets of this kernel (6.18), caught with `tcpdump -i v0 -w` between two namespaces joined by veth, and without their
/// Ethernet headers. 192.0.2.1 asked, with iputils ping; 192.0.2.2 forwards, has `ip route add unreachable 198.51.100.0/24`
/// and an interface to 203.0.113.0/24.
enum ICMPDumps {
    /// `ping -c1 -s16 192.0.2.2`
    static let request = hex(
        "4500002c3dc5400040017908c0000201c000020208005e08261800012518016b00000000405b0d0000000000")
    static let reply = hex(
        "4500002cba82000040013c4bc0000202c000020100006608261800012518016b00000000405b0d0000000000")
    /// `ping -c1 -R -s16 192.0.2.2`: 40 bytes of options.
    static let replyWithRoute = hex(
        "4f000054ba840000400113b4c0000202c0000201072710c0000201c0000202c000020200000000000000000000000000"
            + "0000000000000000000000000000fae8261900012518016b00000000ab790d0000000000")
    /// `ping -c1 -s16 198.51.100.1`
    static let unreachable = hex(
        "45c00048ba85000040013b6cc0000202c00002010301fcfe000000004500002c1030400040013e6bc0000201c6336401"
            + "080051d1261b00012518016b000000004c8f0d0000000000")
    /// `ping -c1 -t1 -s16 203.0.113.1`
    static let timeExceeded = hex(
        "45c00048ba87000040013b6ac0000202c00002010b00f4ff000000004500002cc21440000101b9b9c0000201cb007101"
            + "08007aa1261c00012518016b0000000023be0d0000000000")
    static let v4 = [request, reply, replyWithRoute, unreachable, timeExceeded]

    /// What a raw IPv4 socket's owner does with a packet.
    static func parse(_ packet: [UInt8]) throws(WireError) -> ICMPMessage {
        let bytes = packet.span.bytes
        let header = try IPv4Header(bytes)
        return try ICMPMessage(v4: bytes.extracting(header.payloadRange(in: bytes.byteCount)))
    }

    static func header(of packet: [UInt8]) throws(WireError) -> IPv4Header { try IPv4Header(packet.span.bytes) }

    private static func hex(_ text: String) -> [UInt8] {
        let digits = Array(text)
        return stride(from: 0, to: digits.count, by: 2).compactMap { UInt8(String(digits[$0...($0 + 1)]), radix: 16) }
    }
}
