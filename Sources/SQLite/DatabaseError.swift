/// What SQLite refused: its result code and its own sentence (sqlite.org/rescode.html).
package struct DatabaseError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The primary result code, as SQLITE_FULL.
    package let code: Int32
    package let text: String
    /// The file.
    package let path: String

    package var description: String { "\(path): \(text)" }

    /// The file is none of SQLite's, or has lost its order (SQLITE_CORRUPT, SQLITE_NOTADB).
    package var isDamaged: Bool { code == 11 || code == 26 }
}
