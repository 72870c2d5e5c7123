package import LinuxIO

/// The file in which keepalived reads this box's health (`track_file`, keepalived.conf(5)).
///
/// It is replaced by rename(2): keepalived watches the directory (inotify: IN_MOVE as well as IN_CLOSE_WRITE, track_file.c) and
/// takes both, but only so it never reads a file that is empty for a moment, which is 0 to it; and the file that keepalived's own
/// `init_file` has made is root's, mode 0600. A deleted file counts as 0, and a directory that is made anew is no longer watched
/// until keepalived is reloaded: so nobody removes it, the unit's stop included (RuntimeDirectoryPreserve=).
package struct HealthFile: Sendable {
    package let path: String

    package init(_ path: String) { self.path = path }

    /// What it says; `nil` where it is not there or says no number.
    package var found: Int? {
        guard let text = try? Files.text(path) else { return nil }
        return Int(text.prefix { $0 != "\n" })
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
