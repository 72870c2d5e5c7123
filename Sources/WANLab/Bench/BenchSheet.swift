internal import Glibc
internal import LinuxIO

/// Measured values of one kind, and where among them what lies.
package struct Distribution: Hashable, Sendable {
    /// In order of size.
    package let values: [Double]

    package init(_ values: [Double]) { self.values = values.sorted() }

    package var count: Int { values.count }
    package var least: Double { values.first ?? .nan }
    package var most: Double { values.last ?? .nan }
    package var sum: Double { values.reduce(0, +) }

    package var median: Double {
        guard !values.isEmpty else { return .nan }
        return (values[(values.count - 1) / 2] + values[values.count / 2]) / 2
    }

    /// The smallest value that at least this share of all do not exceed (nearest rank).
    package func percentile(_ share: Double) -> Double {
        guard !values.isEmpty else { return .nan }
        let rank = Int((share * Double(values.count)).rounded(.up))
        return values[min(max(rank, 1), values.count) - 1]
    }
}

/// What is asked of a figure.
struct Bar: Sendable {
    /// As in "median ≤ 400, max ≤ 600".
    let text: String
    let isMet: @Sendable (Distribution) -> Bool

    static func most(_ limit: Double) -> Bar { Bar(text: "max ≤ \(trim(limit))") { $0.most <= limit } }
    static func median(_ limit: Double) -> Bar { Bar(text: "median ≤ \(trim(limit))") { $0.median <= limit } }
    static func percentile99(_ limit: Double) -> Bar {
        Bar(text: "p99 ≤ \(trim(limit))") { $0.percentile(0.99) <= limit }
    }
    static func medianAndMost(_ median: Double, _ most: Double) -> Bar {
        Bar(text: "median ≤ \(trim(median)), max ≤ \(trim(most))") { $0.median <= median && $0.most <= most }
    }

    private static func trim(_ value: Double) -> String {
        value == value.rounded() ? Figure.fixed(value, 0) : Figure.fixed(value, 1)
    }
}

/// The sheet a bench writes its figures on: one line each, as soon as it is known.
final class BenchSheet {
    private let teller = StoryTeller()
    private(set) var missed: [String] = []

    func heading(_ text: String) throws(LabError) { try teller.chapter(text) }

    func note(_ text: String) throws(LabError) { try teller.line(teller.paint("  \(text)", .faint)) }

    /// Measures the parts in order; true where every bar was met.
    func run<Part: RawRepresentable<String>>(
        _ parts: [Part], on stage: LabStage, _ measure: (Part) throws -> Void
    ) throws -> Bool {
        for part in parts {
            do {
                try measure(part)
            } catch {
                try stage.check()  // who interrupts needs no explanation
                throw LabError("measure \(part.rawValue)", error)
            }
            stage.leave()
        }
        try heading(missed.isEmpty ? "Every bar is met." : "Missed: \(missed.joined(separator: "; "))")
        return missed.isEmpty
    }

    /// What is measured, and on what machine.
    func title(_ name: String, _ notes: String...) throws {
        let kernel = try Files.text("/proc/sys/kernel/osrelease")
        try heading("\(name), \(sysconf(Int32(_SC_NPROCESSORS_ONLN))) cores, Linux \(kernel)")
        for text in notes { try note(text) }
    }

    /// A distribution with its bar, if there is one.
    func row(_ name: String, _ values: [Double], unit: String, bar: Bar? = nil) throws(LabError) {
        let spread = Distribution(values)
        let columns: [(String, Double)] = [
            ("min", spread.least), ("median", spread.median), ("p90", spread.percentile(0.9)), ("max", spread.most),
        ]
        var text = "  \(Figure.left(name, 40)) \(Figure.right("n \(spread.count)", 6))"
        for (label, value) in columns { text += "  \(label) \(Figure.right(number(value), 6))" }
        if spread.count >= 100 { text += "  p99 \(number(spread.percentile(0.99)))" }
        text += " \(unit)"
        try teller.line(text + verdict(name, bar.map { ($0.text, $0.isMet(spread)) }))
    }

    /// Packets lost in each run, of new flows and of an established one.
    func losses(_ runs: [ClientPair.Loss]) throws(LabError) {
        try row("packets lost, new flows", runs.map { Double($0.fresh) }, unit: "", bar: .most(0))
        try row("packets lost, an established flow", runs.map { Double($0.established) }, unit: "", bar: .most(0))
    }

    /// How often something happened that must not.
    func never(_ name: String, _ count: Int) throws(LabError) {
        try figure(name, "\(count)", bar: ("0", count == 0))
    }

    /// One figure that is no distribution.
    func figure(_ name: String, _ value: String, bar: (text: String, isMet: Bool)? = nil) throws(LabError) {
        try teller.line("  \(Figure.left(name, 40)) \(Figure.right(value, 16))" + verdict(name, bar))
    }

    private func verdict(_ name: String, _ bar: (text: String, isMet: Bool)?) -> String {
        guard let (text, isMet) = bar else { return "" }
        if !isMet { missed.append(name) }
        return "   bar \(text): " + (isMet ? teller.paint("OK", .good) : teller.paint("MISSED", .bad))
    }

    private func number(_ value: Double) -> String {
        if value == value.rounded() { return Figure.fixed(value, 0) }
        return Figure.fixed(value, abs(value) < 10 ? 2 : abs(value) < 100 ? 1 : 0)
    }
}
