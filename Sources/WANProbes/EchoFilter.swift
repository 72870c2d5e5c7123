internal import LinuxIO

/// What an echo socket lets through: echo replies with our identifier, and ICMP errors about our echo requests.
///
/// A raw socket hears every ICMP packet of the host; on a busy router the errors about other people's packets alone would
/// wake us all day. The program runs on the whole IP packet (raw_rcv in net/ipv4/raw.c). User space checks everything again.
enum EchoFilter {
    /// The longest packet worth reading: no ICMP error should be longer (RFC 1812 section 4.3.2.3).
    static let longest: UInt32 = 576

    /// Echo reply, destination unreachable, time exceeded, parameter problem.
    static let types: [UInt8] = [0, 3, 11, 12]

    static func program(identifier: UInt16) -> [FilterInstruction] {
        let ours = UInt32(identifier)
        return [
            .loadHeaderLength(at: 0),
            .loadByte(atIndexPlus: 0),  // ICMP type
            .ifEqual(0, skip: 0, else: 2),  // echo reply
            .loadHalf(atIndexPlus: 4),
            .ifEqual(ours, skip: 14, else: 15),
            .ifEqual(3, skip: 2, else: 0),  // destination unreachable
            .ifEqual(11, skip: 1, else: 0),  // time exceeded
            .ifEqual(12, skip: 0, else: 12),  // parameter problem
            .loadByte(atIndexPlus: 8 + 9),  // the quoted packet's protocol
            .ifEqual(1, skip: 0, else: 10),
            .loadByte(atIndexPlus: 8),  // its header length, to add to ours
            .and(0x0f),
            .shiftLeft(2),
            .addIndex,
            .moveToIndex,
            .loadByte(atIndexPlus: 8),
            .ifEqual(8, skip: 0, else: 3),  // echo request
            .loadHalf(atIndexPlus: 8 + 4),
            .ifEqual(ours, skip: 0, else: 1),
            .accept(longest),
            .accept(0),
        ]
    }
}
