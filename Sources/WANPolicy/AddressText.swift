internal import NetworkTypes
internal import WANModel

/// Addresses as a rule names them: `192.168.0.10`, `192.168.0.0/24` or `192.168.0.10-192.168.0.20`.
enum AddressText {
    enum Read: Hashable, Sendable {
        case v4(ClosedRange<UInt32>)
        /// In order, but not obeyed yet.
        case v6
        case faulty(problem: String, advice: String)
    }

    /// What a text says; the problem begins with the text, and the caller says where it stands.
    static func read(_ text: String) -> Read {
        let bytes = Array(text.utf8)
        if let range = AddressBytes.range(bytes, from: 0, to: bytes.count) { return .v4(range) }
        if let dash = text.firstIndex(of: "-") { return range(text, dash) }
        guard let prefix = IPPrefix(text) else {
            return .faulty(problem: "\(text.quoted) is no network", advice: "write it like 192.168.0.0/24")
        }
        if let network = prefix.network, network != prefix {
            return .faulty(problem: "\(text) has bits beyond its prefix", advice: "did you mean \(network)?")
        }
        return .v6  // every IPv4 prefix was read above
    }

    private static func range(_ text: String, _ dash: String.Index) -> Read {
        let first = IPAddress(text[..<dash])
        let last = IPAddress(text[text.index(after: dash)...])
        guard let first, let last, first.family == last.family else {
            return .faulty(
                problem: "\(text.quoted) is no range of addresses", advice: "write it like 192.168.0.10-192.168.0.20")
        }
        if last < first {
            return .faulty(problem: "\(text) begins behind its end", advice: "did you mean \(last)-\(first)?")
        }
        return .v6
    }
}

/// The same from bytes, and only what is in order: a list of 65,536 lines is read in milliseconds.
enum AddressBytes {
    /// IPv4 addresses in `bytes[index..<end]`, without spaces around them; `nil` for everything else.
    static func range(_ bytes: [UInt8], from index: Int, to end: Int) -> ClosedRange<UInt32>? {
        var index = index
        guard let first = quad(bytes, &index, end) else { return nil }
        if index == end { return first...first }
        let sign = bytes[index]
        index += 1
        if sign == 0x2d {  // -
            guard let last = quad(bytes, &index, end), index == end, first <= last else { return nil }
            return first...last
        }
        guard sign == 0x2f, let length = number(bytes, &index, end, most: 32), index == end else { return nil }
        let rest: UInt32 = length == 0 ? .max : (1 << (32 - length)) - 1
        return first & rest == 0 ? first...(first | rest) : nil
    }

    /// As `IPv4Address` reads it.
    private static func quad(_ bytes: [UInt8], _ index: inout Int, _ end: Int) -> UInt32? {
        var bits: UInt32 = 0
        var part = 0
        while part < 4 {
            if part > 0 {
                guard index < end, bytes[index] == 0x2e else { return nil }
                index += 1
            }
            guard let value = number(bytes, &index, end, most: 255) else { return nil }
            bits = bits << 8 | value
            part += 1
        }
        return bits
    }

    /// Decimal digits without a leading zero.
    private static func number(_ bytes: [UInt8], _ index: inout Int, _ end: Int, most: UInt32) -> UInt32? {
        let start = index
        var value: UInt32 = 0
        while index < end, index - start < 3 {
            let byte = bytes[index]
            guard byte >= 0x30, byte <= 0x39 else { break }
            value = value * 10 + UInt32(byte - 0x30)
            index += 1
        }
        let digits = index - start
        return digits > 0 && value <= most && (digits == 1 || bytes[start] != 0x30) ? value : nil
    }
}
