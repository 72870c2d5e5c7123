internal import LinuxIO

/// Writes a story to standard output as it happens: chapters, and below them what happened when.
///
/// Seconds count from the beginning. Colour only on a terminal, and not with NO_COLOR (no-color.org).
package final class StoryTeller: Sendable {
    package enum Tint: String, Sendable {
        case strong = "1"
        case faint = "2"
        case good = "32"
        case bad = "1;31"
    }

    package let beginning: Int64
    private let isColoured: Bool

    package init() {
        beginning = Clock.boottime()
        isColoured =
            Terminal.isTerminal(.output) && Terminal.environment("NO_COLOR") == nil
            && Terminal.environment("TERM") != "dumb"
    }

    package func paint(_ text: String, _ tint: Tint) -> String {
        isColoured ? "\u{1b}[\(tint.rawValue)m\(text)\u{1b}[0m" : text
    }

    package func line(_ text: String = "") throws(LabError) {
        try doing("write to standard output") { try Terminal.write(text + "\n") }
    }

    package func chapter(_ title: String) throws(LabError) { try line("\n" + paint(title, .strong)) }

    /// What happened now, or at another moment (`Clock.boottime`).
    package func say(_ text: String, at moment: Int64 = Clock.boottime()) throws(LabError) {
        let time = Double(moment - beginning) / 1e9
        try line(paint(Figure.right(Figure.fixed(time, 1), 6) + " s", .faint) + "  " + text)
    }

    /// More about what was said last.
    package func add(_ text: String) throws(LabError) { try line(String(repeating: " ", count: 10) + text) }
}

/// Numbers as text, in columns.
package enum Figure {
    /// With so many digits after the point.
    package static func fixed(_ value: Double, _ digits: Int) -> String {
        guard value.isFinite, abs(value) < 1e12 else { return "–" }
        var scale: Int64 = 1
        for _ in 0..<digits { scale *= 10 }
        let scaled = Int64((abs(value) * Double(scale)).rounded())
        let fraction = String(scaled % scale)
        let point = digits > 0 ? "." + String(repeating: "0", count: digits - fraction.count) + fraction : ""
        return (value < 0 && scaled > 0 ? "-" : "") + String(scaled / scale) + point
    }

    /// Milliseconds with as many digits as mean something.
    package static func milliseconds(_ value: Double) -> String { fixed(value, value < 10 ? 2 : value < 100 ? 1 : 0) }

    package static func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }

    package static func left(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}
