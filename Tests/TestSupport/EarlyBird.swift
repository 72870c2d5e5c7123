/// The way of a client through the lines of three boxes, without the moments in which the worst box was quicker than the better one.
///
/// Where the best box dies, the next two are a few hundredths of a second apart (skew time, RFC 9568 section 6.1). On a busy machine
/// both may become master before they hear each other, in either order; then the better one's gratuitous ARP is the last word.
///
/// - Parameter visits: When the client's first datagram went over each line, in nanoseconds.
/// - Returns: The lines, none twice in a row. A visit of the worst one counts if it lasted 0.3 s, or if it is the last.
package func withoutEarlyBird<Line: Equatable>(_ visits: [(at: Int64, line: Line)], worst: Line) -> [Line] {
    var way: [Line] = []
    for (index, visit) in visits.enumerated() {
        let isBrief = index + 1 < visits.count && visits[index + 1].at - visit.at < 300_000_000
        if visit.line == worst, isBrief { continue }
        if way.last != visit.line { way.append(visit.line) }
    }
    return way
}
