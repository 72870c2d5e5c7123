/// An amount of data, as a policy writes it: `5MB` (10⁶ bytes), `2GiB` (2³⁰ bytes).
package struct ByteSize: Hashable, Sendable, Comparable {
    package var bytes: Int64

    package init(bytes: Int64) { self.bytes = bytes }

    package static func < (a: Self, b: Self) -> Bool { a.bytes < b.bytes }
}

extension ByteSize: CustomStringConvertible {
    /// In the largest unit that says it exactly.
    package var description: String {
        for (unit, size) in ByteSize.units.reversed() where bytes >= size && bytes % size == 0 {
            return "\(bytes / size)\(unit)"
        }
        return "\(bytes)B"
    }

    /// From the smallest to the largest; IEC 80000-13 for the binary ones.
    package static let units: [(name: String, bytes: Int64)] = [
        ("B", 1), ("kB", 1000), ("KiB", 1 << 10), ("MB", 1_000_000), ("MiB", 1 << 20), ("GB", 1_000_000_000),
        ("GiB", 1 << 30), ("TB", 1_000_000_000_000), ("TiB", 1 << 40),
    ]
}
