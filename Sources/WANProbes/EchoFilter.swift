internal import LinuxIO

/// What an echo socket lets through: echo replies with our identifier.
///
/// A raw socket hears every ICMP packet of the host; on a busy router the answers to other people's pings alone would
/// wake us all day. The program runs on the whole IP packet (raw_rcv in net/ipv4/raw.c). User space checks everything again.
enum EchoFilter {
    /// The longest packet worth reading: an answer to us has at most 60 bytes of IPv4 header before its 24.
    static let longest: UInt32 = 576

    static func program(identifier: UInt16) -> [FilterInstruction] {
        [
            .loadHeaderLength(at: 0),
            .loadByte(atIndexPlus: 0),  // ICMP type
            .ifEqual(0, skip: 0, else: 3),  // echo reply
            .loadHalf(atIndexPlus: 4),
            .ifEqual(UInt32(identifier), skip: 0, else: 1),
            .accept(longest),
            .accept(0),
        ]
    }
}
