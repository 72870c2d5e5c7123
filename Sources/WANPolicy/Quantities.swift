package import WANModel

/// Why a text is no quantity.
package enum QuantityFault: Error, Hashable, Sendable {
    case noNumber
    case noUnit
    case unknownUnit(String)
    case tooLarge
}

extension Duration {
    /// Reads a number and its unit without a space: `250ms`, `30s`, `1.5s`, `25m`, `1h`.
    package init(policyText text: String) throws(QuantityFault) {
        let units: [(String, Int64)] = [
            ("ms", 1_000_000), ("s", 1_000_000_000), ("m", 60_000_000_000), ("h", 3_600_000_000_000),
        ]
        self = .nanoseconds(try quantity(text, units: units))
    }
}

extension ByteSize {
    /// Reads a number and its unit without a space: `500kB`, `5MB`, `2GiB`, `1.5GB`.
    package init(policyText text: String) throws(QuantityFault) {
        self.init(bytes: try quantity(text, units: ByteSize.units.map { ($0.name, $0.bytes) }))
    }
}

/// A decimal number of a unit in whole units of one; what is smaller than that is cut off.
///
/// All in integers: `0.1s` is 100 ms and not a nanosecond less.
private func quantity(_ text: String, units: [(String, Int64)]) throws(QuantityFault) -> Int64 {
    let number = text.prefix { $0.isASCII && $0.isWholeNumber || $0 == "." }
    let parts = number.split(separator: ".", omittingEmptySubsequences: false)
    guard let whole = parts.first, parts.count <= 2, !parts.contains(where: \.isEmpty) else { throw .noNumber }
    let unit = text.dropFirst(number.count)
    if unit.isEmpty { throw .noUnit }
    guard let size = units.first(where: { $0.0 == unit })?.1 else { throw .unknownUnit(String(unit)) }
    let fraction = parts.count == 2 ? parts[1] : "0"
    guard let wholeNumber = Int64(whole), fraction.utf8.count <= 6, let fractionNumber = Int64(fraction) else {
        throw .tooLarge
    }
    let (scaled, overflow) = wholeNumber.multipliedReportingOverflow(by: size)
    let scale = (0..<fraction.utf8.count).reduce(1 as Int64) { scale, _ in scale * 10 }
    // Below 10⁶ × 2⁴⁰ or 10⁶ × 3.6 × 10¹² by the lengths above: no overflow.
    let (sum, carry) = scaled.addingReportingOverflow(fractionNumber * size / scale)
    guard !overflow, !carry else { throw .tooLarge }
    return sum
}
