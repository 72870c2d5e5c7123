/// Aligned columns that give way on a narrow terminal.
package struct TextTable: Sendable {
    package struct Cell: Sendable {
        package var text: String
        package var tint: TextStyle.Tint

        package init(_ text: String, _ tint: TextStyle.Tint = .plain) {
            self.text = text
            self.tint = tint
        }
    }

    package struct Column: Sendable {
        package var title: String
        /// Columns with a smaller number leave first when there is no room; 0 stays always.
        package var dispensable: Int
        package var isRight: Bool

        package init(title: String, dispensable: Int = 0, isRight: Bool = false) {
            self.title = title
            self.dispensable = dispensable
            self.isRight = isRight
        }
    }

    package struct Row: Sendable {
        package var cells: [Cell]
        /// Shown behind the last column where every row's fits, and else below its row.
        package var note: String

        package init(cells: [Cell], note: String) {
            self.cells = cells
            self.note = note
        }
    }

    package var columns: [Column]
    package var noteTitle: String
    package var rows: [Row]

    package init(columns: [Column], noteTitle: String, rows: [Row]) {
        self.columns = columns
        self.noteTitle = noteTitle
        self.rows = rows
    }

    private static let gap = "  "

    package func lines(_ style: TextStyle) -> [String] {
        let (shown, limit) = layout(width: style.width)
        let notes = rows.map { ControlText.columns(of: $0.note) }.max() ?? 0
        let fits = style.width.map { tableWidth(shown, limit: limit) + Self.gap.count + notes <= $0 } ?? true
        let hasNotes = notes > 0
        var header = shown.map { pad(columns[$0].title, column: $0, limit: limit, .faint, style) }
        if hasNotes, fits { header.append(style.paint(noteTitle, .faint)) }
        var lines = [trimmed(header.joined(separator: Self.gap))]
        for row in rows {
            var parts = shown.map { pad(row.cells[$0].text, column: $0, limit: limit, row.cells[$0].tint, style) }
            if fits, !row.note.isEmpty { parts.append(row.note) }
            lines.append(trimmed(parts.joined(separator: Self.gap)))
            if !fits, !row.note.isEmpty { lines += style.wrap(row.note, indent: 4) }
        }
        return lines
    }

    /// Which columns are shown, and how wide the first one may be: first the least needed column leaves, then long names are
    /// shortened, then the others leave, and at last the names give what they have.
    private func layout(width: Int?) -> (shown: [Int], limit: Int?) {
        var shown = Array(columns.indices)
        guard let width else { return (shown, nil) }
        var limit: Int?
        func fits() -> Bool { tableWidth(shown, limit: limit) <= width }
        func shorten(to least: Int) {
            guard !fits(), let first = shown.first else { return }
            limit = max(least, columnWidth(first) - (tableWidth(shown, limit: nil) - width))
        }
        if !fits(), let next = leaving(shown) { shown.removeAll { $0 == next } }
        shorten(to: 16)
        while !fits(), let next = leaving(shown) { shown.removeAll { $0 == next } }
        shorten(to: 6)
        return (shown, limit)
    }

    private func leaving(_ shown: [Int]) -> Int? {
        shown.filter { columns[$0].dispensable > 0 }.min { columns[$0].dispensable < columns[$1].dispensable }
    }

    private func columnWidth(_ index: Int) -> Int {
        max(
            ControlText.columns(of: columns[index].title),
            rows.map { ControlText.columns(of: $0.cells[index].text) }.max() ?? 0)
    }

    private func tableWidth(_ shown: [Int], limit: Int?) -> Int {
        shown.reduce(Self.gap.count * max(0, shown.count - 1)) { sum, index in
            sum + (index == shown.first ? min(columnWidth(index), limit ?? .max) : columnWidth(index))
        }
    }

    private func pad(
        _ text: String, column index: Int, limit: Int?, _ tint: TextStyle.Tint, _ style: TextStyle
    ) -> String {
        let width = index == 0 ? min(columnWidth(index), limit ?? .max) : columnWidth(index)
        let short = shortened(text, to: width)
        let space = String(repeating: " ", count: max(0, width - ControlText.columns(of: short)))
        return columns[index].isRight ? space + style.paint(short, tint) : style.paint(short, tint) + space
    }

    /// No spaces at the end of a line; with colours the last visible part already ends in its reset.
    private func trimmed(_ line: String) -> String {
        var end = line.endIndex
        while end > line.startIndex, line[line.index(before: end)] == " " { end = line.index(before: end) }
        return String(line[..<end])
    }
}
