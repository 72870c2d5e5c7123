internal import CSQLite

/// One connection to an SQLite database file, for one thread. Closed with its owner.
package final class Database {
    package let path: String
    private let connection: OpaquePointer
    /// Prepared once, by their text.
    private var statements: [String: OpaquePointer] = [:]

    /// A value of a column or of a parameter, which is `?` in the text.
    package enum Value: Hashable, Sendable {
        case null
        case integer(Int64)
        case text(String)
    }

    /// Opens the file, making it where it is missing.
    ///
    /// - Parameter patience: How long to wait for another program's lock, in milliseconds.
    package init(path: String, patience: Int32) throws(DatabaseError) {
        var opened: OpaquePointer?
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX
        let code = sqlite3_open_v2(path, &opened, flags, nil)
        guard code == SQLITE_OK, let opened else {
            // There is a connection in most cases of failure too, which knows why.
            let text = String(cString: opened.map { sqlite3_errmsg($0) } ?? sqlite3_errstr(code))
            sqlite3_close_v2(opened)
            throw DatabaseError(code: code & 0xff, text: text, path: path)
        }
        self.path = path
        connection = opened
        sqlite3_busy_timeout(opened, patience)
    }

    deinit {
        for statement in statements.values { sqlite3_finalize(statement) }
        sqlite3_close_v2(connection)
    }

    /// Runs statements without parameters, one after the other.
    package func execute(_ text: String) throws(DatabaseError) {
        try check(sqlite3_exec(connection, text, nil, nil, nil))
    }

    /// Runs one statement to its end; `row` gets the values of each row.
    package func run(
        _ text: String, _ parameters: Value..., row: ([Value]) -> Void = { _ in }
    ) throws(DatabaseError) {
        let statement = try prepared(text)
        defer {
            sqlite3_reset(statement)
            sqlite3_clear_bindings(statement)
        }
        for (index, parameter) in zip(Int32(1)..., parameters) {
            switch parameter {
            case .null: try check(sqlite3_bind_null(statement, index))
            case .integer(let number): try check(sqlite3_bind_int64(statement, index, number))
            case .text(let text):
                try check(wan_sqlite3_bind_text(statement, index, text, Int32(clamping: text.utf8.count)))
            }
        }
        while true {
            let code = sqlite3_step(statement)
            if code == SQLITE_DONE { return }
            guard code == SQLITE_ROW else { throw failure(code) }
            row((0..<sqlite3_column_count(statement)).map { value(statement, $0) })
        }
    }

    /// All of it, or nothing.
    package func transaction(_ body: () throws(DatabaseError) -> Void) throws(DatabaseError) {
        try execute("BEGIN IMMEDIATE")
        do throws(DatabaseError) {
            try body()
            try execute("COMMIT")
        } catch {
            // After some failures SQLite has rolled back by itself.
            if sqlite3_get_autocommit(connection) == 0 { try? execute("ROLLBACK") }
            throw error
        }
    }

    /// For who finds by what it says that the file is not in order.
    package func damaged(_ text: String) -> DatabaseError {
        DatabaseError(code: SQLITE_CORRUPT, text: text, path: path)
    }

    private func prepared(_ text: String) throws(DatabaseError) -> OpaquePointer {
        if let found = statements[text] { return found }
        var made: OpaquePointer?
        try check(sqlite3_prepare_v3(connection, text, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &made, nil))
        guard let made else { throw DatabaseError(code: SQLITE_MISUSE, text: "an empty statement", path: path) }
        statements[text] = made
        return made
    }

    private func value(_ statement: OpaquePointer, _ column: Int32) -> Value {
        switch sqlite3_column_type(statement, column) {
        case SQLITE_INTEGER: return .integer(sqlite3_column_int64(statement, column))
        case SQLITE_NULL: return .null
        default:
            guard let text = sqlite3_column_text(statement, column) else { return .null }
            return .text(String(cString: text))
        }
    }

    private func check(_ code: Int32) throws(DatabaseError) { if code != SQLITE_OK { throw failure(code) } }

    private func failure(_ code: Int32) -> DatabaseError {
        DatabaseError(code: code & 0xff, text: String(cString: sqlite3_errmsg(connection)), path: path)
    }
}
