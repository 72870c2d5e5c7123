/// The name that was probably meant.
enum NearestName {
    /// The nearest of `known` if it is near enough to be worth asking: one slip in a short name, one in three letters at most,
    /// and never all of them.
    static func of(_ name: String, among known: some Sequence<String>) -> String? {
        let length = name.unicodeScalars.count
        guard length <= 40 else { return nil }
        var best: (name: String, distance: Int)?
        for candidate in known {
            let shorter = min(length, candidate.unicodeScalars.count)
            let limit = min(max(1, shorter / 3), shorter - 1)
            let distance = distance(from: name.lowercased(), to: candidate.lowercased())
            if distance <= limit, distance < best?.distance ?? .max { best = (candidate, distance) }
        }
        return best?.name
    }

    /// Letters to insert, remove, replace or swap with their neighbour (optimal string alignment).
    static func distance(from a: String, to b: String) -> Int {
        let (a, b) = (Array(a.unicodeScalars), Array(b.unicodeScalars))
        var before = [Int](repeating: 0, count: b.count + 1)
        var last = Array(0...b.count)
        for i in 0..<a.count {
            var row = [i + 1]
            for j in 0..<b.count {
                var cost = min(row[j] + 1, last[j + 1] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, before[j - 1] + 1) }
                row.append(cost)
            }
            (before, last) = (last, row)
        }
        return last[b.count]
    }
}
