internal import CLinux

/// One instruction of a classic BPF program (bpf(4) of BSD; Documentation/networking/filter.rst).
///
/// A is the accumulator, X the index register; a load past the end of the packet drops it.
package struct FilterInstruction: Hashable, Sendable {
    package var code: UInt16
    package var jumpIfTrue: UInt8
    package var jumpIfFalse: UInt8
    package var operand: UInt32

    private init(_ code: UInt16, _ operand: UInt32, _ jumpIfTrue: UInt8 = 0, _ jumpIfFalse: UInt8 = 0) {
        self.code = code
        self.operand = operand
        self.jumpIfTrue = jumpIfTrue
        self.jumpIfFalse = jumpIfFalse
    }

    /// X = the length of the IPv4 header at `offset`: 4 × its low nibble (BPF_LDX|BPF_B|BPF_MSH).
    package static func loadHeaderLength(at offset: UInt32) -> Self { Self(0xb1, offset) }
    /// A = the byte at X + `offset` (BPF_LD|BPF_B|BPF_IND).
    package static func loadByte(atIndexPlus offset: UInt32) -> Self { Self(0x50, offset) }
    /// A = the 16-bit number at X + `offset` (BPF_LD|BPF_H|BPF_IND).
    package static func loadHalf(atIndexPlus offset: UInt32) -> Self { Self(0x48, offset) }
    /// A = the byte at `offset`, or the 16-bit number in network order (BPF_LD|BPF_ABS).
    package static func loadByte(at offset: UInt32) -> Self { Self(0x30, offset) }
    package static func loadHalf(at offset: UInt32) -> Self { Self(0x28, offset) }
    /// A = the source address of the IPv4 packet that a socket's datagram came in (BPF_LD|BPF_W|BPF_ABS at SKF_NET_OFF + 12).
    package static let loadIPv4Source = Self(0x20, 0xfff0_0000 + 12)
    /// A = where the netlink attribute of that kind begins among those from `offset` on, or 0 (SKF_AD_NLATTR).
    package static func findAttribute(_ kind: UInt32, from offset: UInt32) -> [Self] {
        [Self(0x01, kind), Self(0x00, offset), Self(0x20, 0xffff_f00c)]
    }
    /// X = A.
    package static let transfer = Self(0x07, 0)
    /// Goes on so many instructions further, where A is `value` and where it is not.
    package static func ifEqual(_ value: UInt32, skip: UInt8, else skipElse: UInt8) -> Self {
        Self(0x15, value, skip, skipElse)
    }
    /// Takes the packet's first `count` bytes; 0 drops it.
    package static func accept(_ count: UInt32) -> Self { Self(0x06, count) }
}

extension [FilterInstruction] {
    /// Lets the kernel sort out what a socket does not want to hear (SO_ATTACH_FILTER, socket(7)).
    package func attach(to socket: Int32) throws(SystemCallError) {
        var program = map { sock_filter(code: $0.code, jt: $0.jumpIfTrue, jf: $0.jumpIfFalse, k: $0.operand) }
        let result = program.withUnsafeMutableBufferPointer { instructions in
            var whole = sock_fprog()
            whole.len = UInt16(instructions.count)
            whole.filter = instructions.baseAddress
            return setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &whole, socklen_t(MemoryLayout<sock_fprog>.size))
        }
        guard result == 0 else { throw SystemCallError(call: "setsockopt(2) SO_ATTACH_FILTER") }
    }
}
