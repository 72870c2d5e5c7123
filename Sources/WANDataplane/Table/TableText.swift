internal import NetworkTypes
internal import WANModel

/// The text of an nft table (nft(8)) as it grows.
///
/// Statements and elements are one a line, and what ends a block stands on a line of its own: nft 1.0.6 refuses `… }` behind a
/// statement or an element list.
struct TableText {
    private(set) var lines: [String] = []

    var text: String { lines.map { "    \($0)\n" }.joined() }

    mutating func chain(_ name: String, _ statements: [String]) {
        lines.append("chain \(name) {")
        lines += statements.map { "    \($0)" }
        lines.append("}")
    }

    /// A base chain: `hook` is `TYPE hook HOOK priority PRIORITY`.
    mutating func chain(_ name: String, hook: String, _ statements: [String]) {
        chain(name, ["type \(hook); policy accept;"] + statements)
    }

    mutating func counter(_ name: String) { lines += ["counter \(name) {", "}"] }

    /// A set or map; `kind` says which. No elements is no syntax, and so is left out.
    mutating func collection(_ kind: Collection, _ name: String, _ properties: [String], _ elements: [String]) {
        lines.append("\(kind.rawValue) \(name) {")
        lines += properties.map { "    \($0)" }
        if !elements.isEmpty {
            lines.append("    elements = {")
            lines += elements.dropLast().map { "        \($0)," } + elements.suffix(1).map { "        \($0)" }
            lines.append("    }")
        }
        lines.append("}")
    }

    enum Collection: String { case set, map }
}

// Values as nft(8) writes them.

extension String {
    /// Eight digits: `0x00ff0000`.
    static func hex(_ value: UInt32) -> String {
        let digits = String(value, radix: 16)
        return "0x" + String(repeating: "0", count: 8 - digits.count) + digits
    }

    /// Interface names come from a checked policy, without quotes or newlines.
    static func quoted(_ name: String) -> String { "\"\(name)\"" }

    /// `{ a, b }`: an anonymous set or map.
    static func list(_ elements: some Sequence<String>) -> String { "{ " + elements.joined(separator: ", ") + " }" }

    static func addresses(_ range: ClosedRange<UInt32>) -> String {
        let first = IPv4Address(bits: range.lowerBound)
        return range.count == 1 ? "\(first)" : "\(first)-\(IPv4Address(bits: range.upperBound))"
    }

    static func ports(_ range: ClosedRange<UInt16>) -> String {
        range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound)-\(range.upperBound)"
    }

    /// `600s`, or `1s500ms` where it is no whole seconds.
    static func time(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        let milliseconds = attoseconds / 1_000_000_000_000_000
        return milliseconds == 0 ? "\(seconds)s" : "\(seconds)s\(milliseconds)ms"
    }
}

/// Statements about the bits of a mark that are ours; other programs' bits survive them.
struct MarkText {
    let layout: MarkLayout

    var mask: String { .hex(layout.mask) }

    /// `meta mark and MASK == 0`
    func isUnset(_ what: String) -> String { "\(what) mark and \(mask) == 0" }

    /// Kernels before 6.14 cannot combine two registers in one bitwise expression, hence constants.
    func set(_ what: String, to value: UInt32) -> String {
        "\(what) mark set \(what) mark and \(String.hex(~layout.mask)) or \(String.hex(value))"
    }
}
