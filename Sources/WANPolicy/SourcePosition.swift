/// A position in a text file as editors count: both from 1, columns in characters.
package struct SourcePosition: Hashable, Sendable, Comparable {
    package var line: Int
    package var column: Int

    package init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    package static let start = SourcePosition(line: 1, column: 1)

    /// The position of a byte in a UTF-8 text; breaks are LF, CR LF and CR, as YAML has them.
    init(ofByte offset: Int, in bytes: [UInt8]) {
        self = .start
        for (index, byte) in bytes.prefix(offset).enumerated() {
            let isPaired = byte == 13 && index + 1 < bytes.count && bytes[index + 1] == 10
            if byte == 10 || byte == 13 && !isPaired {
                line += 1
                column = 1
            } else if byte & 0xc0 != 0x80 {
                column += 1
            }
        }
    }

    package static func < (a: Self, b: Self) -> Bool { (a.line, a.column) < (b.line, b.column) }
}
