internal import Glibc

/// Lines for journald on stderr: one event, one line, its priority in front (sd-daemon(3)).
///
/// Libraries return errors; only the daemon logs.
package struct Log {
    enum Priority: Int {
        case error = 3
        case warning = 4
        case notice = 5
        case info = 6
        case debug = 7
    }
    /// Without journald the priority prefix would only be in the way.
    let hasPrefix: Bool
    let isVerbose: Bool

    package init(hasPrefix: Bool, isVerbose: Bool) {
        self.hasPrefix = hasPrefix
        self.isVerbose = isVerbose
    }

    func callAsFunction(_ priority: Priority, _ text: String) {
        if priority == .debug, !isVerbose { return }
        let line = text.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: " / ")
        let bytes = Array(((hasPrefix ? "<\(priority.rawValue)>" : "wanctld: ") + line + "\n").utf8)
        _ = write(2, bytes, bytes.count)
    }
}
