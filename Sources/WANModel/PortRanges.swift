/// Lists of port ranges as sets; they may come in any order and overlap.
package enum PortRanges {
    /// Zero too: a packet may carry it, though a policy cannot name it.
    package static let all: [ClosedRange<UInt16>] = [0 ... .max]

    /// The same ports as ranges in order and apart from each other.
    package static func union(_ ranges: [ClosedRange<UInt16>]) -> [ClosedRange<UInt16>] {
        var union: [ClosedRange<UInt16>] = []
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = union.last, last.upperBound == .max || range.lowerBound <= last.upperBound + 1 {
                union[union.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
            } else {
                union.append(range)
            }
        }
        return union
    }

    /// Whether every port of `inner` is in one of `outer`.
    static func union(_ outer: [ClosedRange<UInt16>], covers inner: [ClosedRange<UInt16>]) -> Bool {
        let outer = outer.count > 1 ? union(outer) : outer
        return inner.allSatisfy { range in
            outer.contains { $0.lowerBound <= range.lowerBound && range.upperBound <= $0.upperBound }
        }
    }

    static func overlap(_ a: [ClosedRange<UInt16>], _ b: [ClosedRange<UInt16>]) -> Bool {
        for mine in a {
            for theirs in b where mine.lowerBound <= theirs.upperBound && theirs.lowerBound <= mine.upperBound {
                return true
            }
        }
        return false
    }

    /// Whether a port is one of these; an empty list asks for none.
    static func allow(_ ranges: [ClosedRange<UInt16>], _ port: UInt16?) -> Bool {
        guard !ranges.isEmpty else { return true }
        guard let port else { return false }
        return ranges.contains { $0.contains(port) }
    }
}
