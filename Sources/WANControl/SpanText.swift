internal import WANModel

extension Duration {
    private static let units: [(name: String, nanoseconds: Int64)] = [
        ("ms", 1_000_000), ("s", 1_000_000_000), ("m", 60_000_000_000), ("h", 3_600_000_000_000),
        ("d", 86_400_000_000_000),
    ]

    /// Reads a time as a person types it: `90s`, `2h`, `1h30m`, `250ms`, `1d`; units from large to small, once each.
    package init?(spanText text: some StringProtocol) {
        var total: Int64 = 0
        var smallest = Int64.max
        var rest = text.utf8[...]
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            let digits = rest.prefix { (48...57).contains($0) }
            rest = rest[digits.endIndex...]
            let name = String(decoding: rest.prefix { !(48...57).contains($0) }, as: UTF8.self)
            rest = rest.dropFirst(name.utf8.count)
            guard let count = Int64(String(decoding: digits, as: UTF8.self)),
                let unit = Self.units.first(where: { $0.name == name }), unit.nanoseconds < smallest
            else { return nil }
            let (part, overflow) = count.multipliedReportingOverflow(by: unit.nanoseconds)
            let (sum, carry) = total.addingReportingOverflow(part)
            if overflow || carry { return nil }
            total = sum
            smallest = unit.nanoseconds
        }
        self = .nanoseconds(total)
    }

    /// A span as a person says it, in at most two units: `3h 12m`, `4d 1h`, `12s`, `0s`.
    package var spokenText: String {
        let seconds = max(0, nanoseconds / 1_000_000_000)
        let parts: [(Int64, String)] = [
            (seconds / 86400, "d"), (seconds / 3600 % 24, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s"),
        ]
        guard let first = parts.firstIndex(where: { $0.0 > 0 }) else { return "0s" }
        let shown = parts[first...].prefix(2).filter { $0.0 > 0 }
        return shown.map { "\($0.0)\($0.1)" }.joined(separator: " ")
    }
}
