internal import LinuxIO

/// Lines for journald on stderr: one event, one line, its priority in front (sd-daemon(3)). It never waits for who reads them.
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
    private let output = StandardError()

    package init(hasPrefix: Bool, isVerbose: Bool) {
        self.hasPrefix = hasPrefix
        self.isVerbose = isVerbose
    }

    func callAsFunction(_ priority: Priority, _ text: String) {
        if priority == .debug, !isVerbose { return }
        output.write(line(priority, text)) {
            line(.warning, "\($0) line\($0 == 1 ? "" : "s") of this log could not be written")
        }
    }

    private func line(_ priority: Priority, _ text: String) -> String {
        let line = text.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: " / ")
        return (hasPrefix ? "<\(priority.rawValue)>" : "wanctld: ") + line
    }
}
