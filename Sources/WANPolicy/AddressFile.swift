internal import NetworkTypes
internal import WANModel

/// A file with one address, prefix or range on each line, and comments behind `#`.
struct AddressFile {
    static let mostBytes = 4_000_000
    static let mostLines = 65_536
    /// Faults of one file that are told; nobody reads on.
    static let mostFaults = 100

    private(set) var ranges: [ClosedRange<UInt32>] = []
    private(set) var lines = 0
    private(set) var faults: [(position: SourcePosition, problem: String, advice: String?)] = []
    /// The first line with an IPv6 address.
    private(set) var ipv6: SourcePosition?

    init(reading bytes: [UInt8]) {
        var start = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? 3 : 0  // a byte order mark, as some editors write it
        while start < bytes.count, faults.count < Self.mostFaults {
            var end = start
            while end < bytes.count, bytes[end] != 10 { end += 1 }
            lines += 1
            guard lines <= Self.mostLines else {
                faults.append(
                    (.init(line: lines, column: 1), "there are more lines than \(Self.mostLines)", Self.advice))
                return
            }
            line(bytes, from: start, to: end)
            start = end + 1
        }
    }

    static let advice = "write networks in place of their addresses"

    private mutating func line(_ bytes: [UInt8], from start: Int, to end: Int) {
        var first = start
        while first < end, Self.isSpace(bytes[first]) { first += 1 }
        var last = first
        while last < end, bytes[last] != 0x23 { last += 1 }  // #
        while last > first, Self.isSpace(bytes[last - 1]) { last -= 1 }
        if first == last { return }
        if let range = AddressBytes.range(bytes, from: first, to: last) {
            ranges.append(range)
            return
        }
        let position = SourcePosition(line: lines, column: first - start + 1)
        switch AddressText.read(String(decoding: bytes[first..<last], as: UTF8.self)) {
        case .v4(let range): ranges.append(range)
        case .v6: ipv6 = ipv6 ?? position
        case .faulty(let problem, let advice): faults.append((position, problem, advice))
        }
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 9 || byte == 13 }
}
