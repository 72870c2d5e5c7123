import WANControl

/// A stream of lines, cut anywhere: the first bytes say where, and how long a line may be. As the control socket and `wanctl` read it.
func readLines(_ bytes: [UInt8]) {
    guard bytes.count > 5 else { return }
    let limit = Int(bytes[0])
    let (cuts, stream) = (Array(bytes[1...4]), Array(bytes[5...]))
    var buffer = LineBuffer(limit: limit)
    var lines: [[UInt8]] = []
    var (start, turn) = (0, 0)
    while start < stream.count, !buffer.isOverlong {
        let end = min(stream.count, start + Int(cuts[turn % 4]) + 1)
        buffer.append(Array(stream[start..<end]))
        (start, turn) = (end, turn + 1)
        while let line = buffer.next() { lines.append(line) }
    }
    let seen = stream[..<start]
    let parts = seen.split(separator: 10, omittingEmptySubsequences: false)
    let whole = parts.dropLast().map { Array($0.last == 13 ? $0.dropLast() : $0) }
    let rest = parts.last ?? []
    precondition(lines == Array(whole), "other lines, as it is cut")
    precondition(buffer.isEmpty == rest.isEmpty, "a rest that nobody sent, or none")
    precondition(buffer.isOverlong == (rest.count > limit), "an unbounded line, or a bound that is none")
    precondition(start == stream.count || rest.count > limit, "it stopped in the middle")
}
