internal import Glibc
internal import JSONText
internal import LinuxIO
internal import WANControl

/// The last events, in memory and in a file of JSON lines that outlives the daemon.
///
/// A line is written after what it tells of has been done; where the disk refuses, the daemon goes on without.
final class Journal {
    private let path: String
    private(set) var events: [EventReport] = []
    private static let kept = 1000
    private static let fileLimit = 1 << 20
    private var fileSize = 0
    /// Not yet in the file.
    private var unwritten: [EventReport] = []
    private(set) var problem: String?

    init(directory: String) {
        path = "\(directory)/journal.jsonl"
        guard let bytes = try? Files.read(path, limit: 4 * Self.fileLimit) else { return }
        fileSize = bytes.count
        for line in bytes.split(separator: 10).suffix(Self.kept) {
            // A line cut off by a power failure is no event.
            guard let json = try? JSONValue(parsing: Array(line)), let event = try? EventReport(json: json) else {
                continue
            }
            events.append(event)
        }
    }

    /// Keeps an event; `write` puts it into the file.
    func append(_ event: EventReport) {
        events.append(event)
        if events.count > Self.kept + 100 { events.removeFirst(events.count - Self.kept) }
        unwritten.append(event)
        if unwritten.count > Self.kept { unwritten.removeFirst() }
    }

    /// What the disk refuses stays for the next time.
    func write() {
        guard !unwritten.isEmpty else { return }
        do throws(SystemCallError) {
            if fileSize > Self.fileLimit {
                let text = events.suffix(Self.kept / 2).map { $0.json.text + "\n" }.joined()
                try Files.replace(path, with: Array(text.utf8), mode: 0o640)
                fileSize = text.utf8.count
            } else {
                let text = unwritten.map { $0.json.text + "\n" }.joined()
                fileSize += try Files.append(Array(text.utf8), to: path, mode: 0o640)
            }
            unwritten = []
            problem = nil
        } catch {
            problem = "the journal cannot be written: \(error)"
        }
    }
}
