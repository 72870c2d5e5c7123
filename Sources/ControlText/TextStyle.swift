internal import LinuxIO
package import WANControl

/// How reports are written for a person: colours, columns, and what time it is.
package struct TextStyle: Sendable {
    package enum Tint: Sendable {
        case plain, good, doubtful, bad, faint, strong

        /// Select Graphic Rendition (ECMA-48 section 8.3.117).
        fileprivate var code: String {
            switch self {
            case .plain: ""
            case .good: "32"
            case .doubtful: "33"
            case .bad: "1;31"
            case .faint: "2"
            case .strong: "1"
            }
        }
    }

    package var colour: Bool
    /// Columns; `nil` for as many as the text needs.
    package var width: Int?
    package var now: Timestamp
    /// Wall-clock time as the reader's clock shows it.
    package var clock: @Sendable (Timestamp) -> String

    package init(
        colour: Bool = false, width: Int? = nil, now: Timestamp,
        clock: @escaping @Sendable (Timestamp) -> String = { localTime($0.unixNanoseconds) }
    ) {
        self.colour = colour
        self.width = width
        self.now = now
        self.clock = clock
    }

    /// For standard output as it is: colour on a terminal unless NO_COLOR is set (no-color.org) or the terminal is dumb.
    package static func ofOutput() -> TextStyle {
        let isTerminal = Terminal.isTerminal(.output)
        return TextStyle(
            colour: isTerminal && Terminal.environment("NO_COLOR") == nil && Terminal.environment("TERM") != "dumb",
            width: isTerminal ? Terminal.width(of: .output) : nil, now: .now())
    }

    func paint(_ text: String, _ tint: Tint) -> String {
        colour && tint != .plain && !text.isEmpty ? "\u{1b}[\(tint.code)m\(text)\u{1b}[0m" : text
    }

    /// Words over as many lines as the width asks for; further lines are indented.
    package func wrap(_ text: String, indent: Int = 0, firstIndent: Int? = nil) -> [String] {
        let first = String(repeating: " ", count: firstIndent ?? indent)
        let further = String(repeating: " ", count: indent)
        guard let width else { return [first + text] }
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ") {
            let start = lines.isEmpty ? first : further
            if !line.isEmpty, columns(of: start) + columns(of: line) + 1 + columns(of: word) > width {
                lines.append(start + line)
                line = String(word)
            } else {
                line += line.isEmpty ? String(word) : " " + word
            }
        }
        lines.append((lines.isEmpty ? first : further) + line)
        return lines
    }
}

/// Columns that a text takes on a terminal: two for East Asian wide characters, none for combining marks (wcwidth(3)).
func columns(of text: some StringProtocol) -> Int {
    text.unicodeScalars.reduce(0) { sum, scalar in
        switch scalar.value {
        case 0x1100...0x115f, 0x2e80...0xa4cf, 0xac00...0xd7a3, 0xf900...0xfaff, 0xfe30...0xfe6f, 0xff00...0xff60,
            0xffe0...0xffe6, 0x1f300...0x1faff, 0x20000...0x3fffd:
            sum + 2
        default:
            switch scalar.properties.generalCategory {
            case .nonspacingMark, .enclosingMark: sum
            default: sum + 1
            }
        }
    }
}

/// The text, or its beginning and an ellipsis, in at most so many columns.
func shortened(_ text: String, to limit: Int) -> String {
    guard columns(of: text) > limit else { return text }
    var kept = ""
    for character in text {
        if columns(of: kept) + columns(of: String(character)) > limit - 1 { break }
        kept.append(character)
    }
    return kept + "…"
}

/// Milliseconds as a person reads them: `5.1 ms`, `14 ms`, `2.4 s`.
func spoken(milliseconds: Double) -> String {
    guard milliseconds.isFinite, milliseconds >= 0 else { return "–" }
    if milliseconds < 9.95 { return "\(tenths(milliseconds)) ms" }
    if milliseconds < 9999.5 { return "\(Int64(milliseconds.rounded())) ms" }
    return "\(tenths(min(milliseconds, 1e15) / 1000)) s"
}

/// A share 0…1 as a percentage: `0%`, `<1%`, `12%`.
func spoken(share: Double) -> String {
    guard share.isFinite else { return "–" }
    if share > 0, share < 0.01 { return "<1%" }
    return "\(Int64((min(max(share, 0), 1) * 100).rounded()))%"
}

/// Octets as people say them: `730 B`, `1.4 kB`, `52 MB`.
func spoken(bytes: UInt64) -> String {
    let units = ["kB", "MB", "GB", "TB"]
    guard bytes >= 1000 else { return "\(bytes) B" }
    var value = Double(bytes) / 1000
    var unit = 0
    while value >= 999.5, unit < units.count - 1 {
        value /= 1000
        unit += 1
    }
    let rounded = value < 9.95 ? Double(Int(value * 10 + 0.5)) / 10 : Double(Int(value + 0.5))
    return value < 9.95 ? "\(rounded) \(units[unit])" : "\(Int(rounded)) \(units[unit])"
}

private func tenths(_ value: Double) -> String {
    let scaled = Int64((value * 10).rounded())
    return "\(scaled / 10).\(abs(scaled % 10))"
}
