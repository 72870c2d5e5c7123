internal import Glibc
internal import JSONText
package import SQLite
package import WANControl

/// The events of all runs of the daemon, in one SQLite database.
///
/// What is written is appended to its write-ahead log (sqlite.org/wal.html): a loss of power costs at most what was not synced, and a
/// full or read-only disk what is new.
package final class History {
    /// One event, as the daemon wrote it.
    package struct Entry: Hashable, Sendable {
        /// Which run of the daemon, and which of its events.
        package var run: String
        package var number: UInt64
        package var event: EventReport

        package init(run: String, number: UInt64, event: EventReport) {
            self.run = run
            self.number = number
            self.event = event
        }
    }

    private let database: Database
    /// Rows that are kept: some years of a calm router, and 40 MB.
    package static let most: Int64 = 100_000
    /// The first to be kept find out whether there are too many.
    private var sinceTrim = 1000

    /// Opens the database of a directory. A damaged one is put aside, where it can be looked at, and begun anew.
    ///
    /// - Parameter say: Gets what happened to a damaged one.
    package init(directory: String, say: (String) -> Void) throws(DatabaseError) {
        do throws(DatabaseError) {
            database = try Self.open(directory)
        } catch  where error.isDamaged {
            Self.putAside(in: directory, because: error, say)
            database = try Self.open(directory)
        }
    }

    static func putAside(in directory: String, because reason: DatabaseError, _ say: (String) -> Void) {
        let path = path(in: directory)
        let aside = path + ".damaged"
        for suffix in ["", "-wal", "-shm"] { rename(path + suffix, aside + suffix) }
        say("\(reason); it is \(aside) now, and the history begins anew")
    }

    private static func path(in directory: String) -> String { "\(directory)/history.db" }

    private static func open(_ directory: String) throws(DatabaseError) -> Database {
        let database = try Database(path: path(in: directory), patience: 2000)
        var (isSound, version) = (true, Database.Value.null)
        // One page of cache in four of SQLite's own: a small router.
        try database.execute(
            "PRAGMA cache_size = -500; PRAGMA journal_mode = WAL; PRAGMA journal_size_limit = 1048576")
        try database.run("PRAGMA quick_check(1)") { isSound = $0 == [.text("ok")] }
        guard isSound else { throw database.damaged("quick_check has found that it is not in order") }
        try database.run("PRAGMA user_version") { version = $0.first ?? .null }
        // Nothing is written where nothing has to be: what is on a full disk can still be read.
        if version != .integer(1) { try database.execute(schema) }
        return database
    }

    /// Time first: rows lie in the order in which they came.
    private static let schema = """
        CREATE TABLE IF NOT EXISTS run(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
        CREATE TABLE IF NOT EXISTS event(
          id INTEGER PRIMARY KEY, at INTEGER NOT NULL, run INTEGER NOT NULL REFERENCES run, number INTEGER NOT NULL,
          kind TEXT NOT NULL, uplink TEXT, json TEXT NOT NULL, UNIQUE(run, number));
        CREATE INDEX IF NOT EXISTS event_at ON event(at);
        PRAGMA user_version = 1
        """

    /// Keeps them, all or none. One that is there already is left as it is.
    ///
    /// - Parameter isUrgent: They are on the disk when this returns, else soon.
    package func append(_ entries: [Entry], isUrgent: Bool) throws(DatabaseError) {
        try database.execute("PRAGMA synchronous = \(isUrgent ? "FULL" : "NORMAL")")
        try database.transaction { () throws(DatabaseError) in
            for entry in entries {
                try database.run("INSERT OR IGNORE INTO run(name) VALUES (?)", .text(entry.run))
                try database.run(
                    """
                    INSERT OR IGNORE INTO event(at, run, number, kind, uplink, json)
                    VALUES (?, (SELECT id FROM run WHERE name = ?), ?, ?, ?, ?)
                    """,
                    .integer(entry.event.at.unixMilliseconds), .text(entry.run),
                    .integer(Int64(clamping: entry.number)),
                    .text(entry.event.kind), entry.event.uplink.map { .text($0) } ?? .null, .text(entry.event.json.text)
                )
            }
        }
        sinceTrim += entries.count
        if sinceTrim >= 1000 { try trim() }
    }

    /// The last events of other runs than that one, as JSON, the oldest first.
    package func last(_ count: Int, butOf run: String) throws(DatabaseError) -> [String] {
        var events: [String] = []
        try database.run(
            """
            SELECT json FROM event WHERE run IS NOT (SELECT id FROM run WHERE name = ?)
            ORDER BY id DESC LIMIT ?
            """, .text(run), .integer(Int64(count))
        ) { if case .text(let json)? = $0.first { events.append(json) } }
        return events.reversed()
    }

    /// The last event of a run that is kept, by its number; 0 where there is none.
    package func lastNumber(of run: String) throws(DatabaseError) -> UInt64 {
        var last: UInt64 = 0
        try database.run(
            "SELECT max(number) FROM event WHERE run = (SELECT id FROM run WHERE name = ?)", .text(run)
        ) { if case .integer(let number)? = $0.first { last = UInt64(clamping: number) } }
        return last
    }

    private func trim() throws(DatabaseError) {
        sinceTrim = 0
        try database.run(
            "DELETE FROM event WHERE id <= (SELECT max(id) FROM event) - ?", .integer(Self.most))
        try database.execute("DELETE FROM run WHERE id NOT IN (SELECT DISTINCT run FROM event)")
    }
}
