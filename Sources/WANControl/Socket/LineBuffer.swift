/// Bytes of a stream that become lines, with a bound on how long one may grow.
package struct LineBuffer: Hashable, Sendable {
    private var bytes: [UInt8] = []
    /// Where the search for a newline goes on: a byte is looked at once.
    private var searched = 0
    package let limit: Int

    package init(limit: Int) { self.limit = limit }

    package var isEmpty: Bool { bytes.isEmpty }

    package mutating func append(_ more: [UInt8]) { bytes += more }

    /// Whether the line that is being received is longer than allowed. Ask after `next()` said `nil`.
    package var isOverlong: Bool { bytes.count > limit }

    /// The next complete line without its newline (and without a carriage return before it); `nil` until there is one.
    package mutating func next() -> [UInt8]? {
        guard let end = bytes[searched...].firstIndex(of: 10) else {
            searched = bytes.count
            return nil
        }
        var line = bytes[..<end]
        if line.last == 13 { line.removeLast() }
        let result = Array(line)
        bytes.removeFirst(end + 1)
        searched = 0
        return result
    }
}
