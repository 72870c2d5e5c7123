import LinuxIO

/// A page of Systemd/man, as far as tests compare it with the programs: headings, and what their lists describe.
struct ManualPage {
    /// `.It` and what stands below it.
    struct Item {
        /// As the page's source has it, without `.It`.
        var head: String
        var body: [String] = []

        /// The first word that is no macro: `interval` of `Ic interval : Ar duration`.
        var name: String { head.split(separator: " ").dropFirst().first.map(String.init) ?? "" }
        /// The words of a person, all in one line.
        var text: String { ManualPage.words(of: body) }
        /// Every option that is named: `--json`, `-o`.
        var options: Set<String> { ManualPage.options(in: ([head] + body).joined(separator: "\n")) }
    }

    struct Part {
        /// Of the `.Sh` or `.Ss` that begins it.
        var title: String
        var isTop: Bool
        var items: [Item] = []
        var lines: [String] = []
    }

    private(set) var parts: [Part] = []

    static func source(_ name: String) throws -> String {
        try Files.text("\(package)/Systemd/man/\(name)")
    }

    init(_ name: String) throws {
        for line in try Self.source(name).split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
            if line.hasPrefix(".Sh ") || line.hasPrefix(".Ss ") {
                parts.append(Part(title: String(line.dropFirst(4)), isTop: line.hasPrefix(".Sh")))
            } else if let index = parts.indices.last {
                parts[index].lines.append(line)
                if line.hasPrefix(".It") {
                    parts[index].items.append(Item(head: String(line.dropFirst(4))))
                } else if let item = parts[index].items.indices.last {
                    parts[index].items[item].body.append(line)
                }
            }
        }
    }

    /// The `.Ss` below a `.Sh`.
    func parts(below top: String) -> [Part] {
        guard let start = parts.firstIndex(where: { $0.isTop && $0.title == top }) else { return [] }
        return Array(parts[(start + 1)...].prefix { !$0.isTop })
    }

    func items(of title: String) -> [Item] { parts.first { $0.title == title }?.items ?? [] }

    /// The blocks between `.Bd -literal` and `.Ed`, as a reader sees them.
    var examples: [String] {
        var found: [String] = []
        var block: [String]?
        for line in parts.flatMap(\.lines) {
            if line.hasPrefix(".Bd -literal") {
                block = []
            } else if line == ".Ed", let lines = block {
                found.append(lines.map { Self.unescaped($0) + "\n" }.joined())
                block = nil
            } else {
                block?.append(line)
            }
        }
        return found
    }

    static func options(in source: String) -> Set<String> {
        var found: Set<String> = []
        for line in source.split(separator: "\n") {
            let words = line.split(whereSeparator: { " |.".contains($0) })
            for (index, word) in words.enumerated() where word == "Fl" && index + 1 < words.count {
                if words[index + 1] != "Fl" {
                    let isLong = index > 0 && words[index - 1] == "Fl"
                    found.insert((isLong ? "--" : "-") + words[index + 1])
                }
            }
        }
        return found
    }

    private static func words(of lines: [String]) -> String {
        lines.map { line in
            guard line.hasPrefix(".") else { return unescaped(line) }
            return unescaped(line.split(separator: " ").dropFirst().joined(separator: " "))
        }.joined(separator: " ")
    }

    private static func unescaped(_ text: String) -> String {
        text.split(separator: "\\e", omittingEmptySubsequences: false).joined(separator: "\\")
            .split(separator: "\\&", omittingEmptySubsequences: false).joined()
    }

    static let package = #filePath.split(separator: "/").dropLast(3).reduce("") { "\($0)/\($1)" }
}
