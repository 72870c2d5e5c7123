package import LinuxIO
internal import WANModel

/// The file in which keepalived reads this box's health (`track_file`, keepalived.conf(5)).
///
/// It is replaced by rename(2): keepalived watches the directory (inotify: IN_MOVE as well as IN_CLOSE_WRITE, track_file.c) and
/// takes both, but only so it never reads a file that is empty for a moment, which is 0 to it; and the file that keepalived's own
/// `init_file` has made is root's, mode 0600. A deleted file counts as 0, and a directory that is made anew is no longer watched
/// until keepalived is reloaded: so nobody removes it, the unit's stop included (RuntimeDirectoryPreserve=).
package struct HealthFile: Sendable {
    package let path: String

    package init(_ path: String) { self.path = path }

    /// What is at the path.
    package enum Standing: Hashable, Sendable {
        case missing
        /// It may not be read; a small regular file.
        case closed
        /// A number, or `nil` where the file is empty.
        case says(Int?)
        /// Somebody else's file, or none: why.
        case foreign(String)
    }

    /// Longer than any health.
    private static let limit = 16

    /// Looks at what is there and at nothing that a link leads to.
    package var standing: Standing {
        let bytes: [UInt8]
        do throws(SystemCallError) {
            bytes = try Files.readRegular(path, limit: Self.limit, followsLink: false)
        } catch {
            if error.isNobodyThere { return .missing }
            if error.isNotPermitted, Files.isRegular(path, ofAtMost: Self.limit) { return .closed }
            if error.isTooLarge { return .foreign("longer than a health") }
            return .foreign(error.isLink || error.isNoRegularFile ? "no regular file" : "\(error)")
        }
        guard !bytes.isEmpty else { return .says(nil) }
        // More newlines than one stand where a longer health was written over.
        let end = bytes.lastIndex { $0 != 10 }.map { $0 + 1 } ?? 0
        let text = String(decoding: bytes[..<end], as: UTF8.self)
        guard let value = Int(text), NodeHealth.range.contains(value) else { return .foreign("no health") }
        return .says(value)
    }

    /// What it says; `nil` where it is not there or says no number.
    package var found: Int? {
        guard case .says(let value) = standing else { return nil }
        return value
    }

    /// Makes the file say this value; whether it had to be written.
    @discardableResult
    package func write(_ value: Int) throws(SystemCallError) -> Bool {
        // A file that cannot be read is one that has to be written.
        if found == value { return false }
        if let slash = path.lastIndex(of: "/"), slash > path.startIndex {
            try Files.makeDirectory(String(path[..<slash]), mode: 0o755)
        }
        let text = "\(value)\n"
        do throws(SystemCallError) {
            try Files.replace(path, with: Array(text.utf8), mode: 0o644)
        } catch {
            // A full /run has no room for another file, and the one that stands has its own: at once, and of what it said nothing
            // stays.
            guard error.isFull, let before = try? Files.read(path, limit: 64) else { throw error }
            try Files.write(text + String(repeating: "\n", count: max(0, before.count - text.utf8.count)), to: path)
        }
        return true
    }
}
