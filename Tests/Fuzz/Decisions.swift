/// What the fuzzer decides: its bytes as numbers, one after the other, and zeros once they are used up.
struct Decisions {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    var isOver: Bool { rest.isEmpty }

    /// `0..<count`; of more than 256 only the first can be.
    mutating func below(_ count: Int) -> Int { Int(rest.popFirst() ?? 0) % count }

    mutating func flag() -> Bool { below(2) == 1 }

    mutating func one<Value>(of values: [Value]) -> Value { values[below(values.count)] }

    mutating func bytes(_ count: Int) -> [UInt8] {
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
    }

    /// None, or from 8 µs to 9 h, all lengths as likely.
    mutating func span() -> Duration {
        let byte = below(256)
        return byte == 0 ? .zero : .nanoseconds(Int64(8 + byte & 7) << Int64(byte >> 3 + 10))
    }

    mutating func span(in bounds: ClosedRange<Duration>) -> Duration {
        min(max(span(), bounds.lowerBound), bounds.upperBound)
    }
}
