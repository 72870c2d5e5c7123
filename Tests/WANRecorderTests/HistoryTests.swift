import LinuxIO
import SQLite
import TestSupport
import Testing
import WANControl
import WANRecorder

@Suite("history.db")
struct HistoryTests {
    private let directory: TemporaryDirectory
    private var path: String { "\(directory.path)/history.db" }

    init() throws { directory = try TemporaryDirectory() }

    private func open(say: (String) -> Void = { Issue.record("\($0)") }) throws -> History {
        try History(directory: directory.path, say: say)
    }

    private func entry(_ number: UInt64, run: String = "one") -> History.Entry {
        History.Entry(
            run: run, number: number,
            event: EventReport(at: .now(), kind: "up", uplink: number % 2 == 0 ? "ftth" : nil, text: "«\(number)»"))
    }

    private func texts(_ events: [String]) -> [String] {
        events.map { String($0.split(separator: "«")[1].prefix { $0 != "»" }) }
    }

    @Test("what is kept is there after it is opened again: the last of other runs, the oldest first")
    func kept() throws {
        try open().append((1...5).map { entry($0) }, isUrgent: true)
        let history = try open()
        try history.append((1...2).map { entry($0, run: "two") }, isUrgent: false)
        #expect(try texts(history.last(3, butOf: "two")) == ["3", "4", "5"])
        #expect(try texts(history.last(10, butOf: "none")) == ["1", "2", "3", "4", "5", "1", "2"])
        #expect(try history.lastNumber(of: "one") == 5 && history.lastNumber(of: "none") == 0)
    }

    @Test("what is sent again is kept once")
    func again() throws {
        let history = try open()
        try history.append((1...3).map { entry($0) }, isUrgent: true)
        try history.append((2...4).map { entry($0) }, isUrgent: true)
        #expect(try texts(history.last(10, butOf: "")) == ["1", "2", "3", "4"])
    }

    @Test(
        "a damaged one is put aside and begun anew, wherever the damage is",
        arguments: ["head", "pages", "cut", "no database"])
    func damaged(how: String) throws {
        try open().append((1...2000).map { entry($0) }, isUrgent: true)
        var bytes = try Files.read(path, limit: 10 << 20)
        #expect(bytes.count > 100_000)
        switch how {
        case "head": bytes.replaceSubrange(0..<100, with: [UInt8](repeating: 7, count: 100))
        case "pages":
            for page in 5..<15 {
                bytes.replaceSubrange(page * 4096..<page * 4096 + 600, with: [UInt8](repeating: 9, count: 600))
            }
        case "cut": bytes.removeLast(bytes.count / 2)
        default: bytes = Array("not a database, but long enough to be looked at as one".utf8)
        }
        try Files.replace(path, with: bytes)
        var said: [String] = []
        let history = try open { said.append($0) }
        #expect(said.count == 1 && said[0].contains("\(path).damaged now, and the history begins anew"))
        #expect(try history.last(10, butOf: "") == [])
        try history.append([entry(1)], isUrgent: true)
        #expect(try texts(open().last(10, butOf: "")) == ["1"])
        #expect(try Files.read("\(path).damaged", limit: 10 << 20) == bytes)
    }

    /// An index that lacks its rows, as where a card has lost a write: quick_check does not compare the two.
    @Test("damage that only a change meets is called damage")
    func hidden() throws {
        try open().append([entry(1)], isUrgent: true)
        let database = try Database(path: path, patience: 0)
        try database.execute(
            """
            INSERT INTO event SELECT id + 200000, at, run, number + 1, kind, uplink, json FROM event;
            DROP INDEX event_at; CREATE INDEX event_at ON event(at) WHERE id < 0;
            PRAGMA writable_schema = ON;
            UPDATE sqlite_schema SET sql = 'CREATE INDEX event_at ON event(at)' WHERE name = 'event_at';
            PRAGMA writable_schema = RESET
            """)
        let history = try open()
        #expect(try history.last(10, butOf: "").count == 2)
        #expect {
            try history.append([entry(3)], isUrgent: true)
        } throws: { ($0 as? DatabaseError)?.isDamaged == true }
    }

    @Test("what cannot be opened is an error that names it")
    func refused() throws {
        #expect {
            _ = try History(directory: "\(directory.path)/nowhere", say: { _ in })
        } throws: { "\($0)".contains("nowhere/history.db: unable to open database file") }
    }
}
