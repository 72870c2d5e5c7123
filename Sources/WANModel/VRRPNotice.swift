/// One line of keepalived's notify FIFO: `INSTANCE "VI_1" MASTER 200` (keepalived.conf(5), "vrrp_notify_fifo").
package struct VRRPNotice: Hashable, Sendable {
    package enum Subject: String, Hashable, Sendable, CaseIterable {
        case instance = "INSTANCE"
        /// A `vrrp_sync_group`; its priority is always 0.
        case group = "GROUP"
    }

    package enum Event: String, Hashable, Sendable, CaseIterable {
        case master = "MASTER"
        case backup = "BACKUP"
        /// An interface is down, or the track file says so.
        case fault = "FAULT"
        /// keepalived ends.
        case stop = "STOP"
        /// Gone from keepalived's file after a reload (`notify_deleted`).
        case deleted = "DELETED"
        /// A master heard another one of lower priority: there were two.
        case heardLower = "MASTER_RX_LOWER_PRI"
        /// Its priority has changed while it is master, or backup (`notify_priority_changes`).
        case masterPriority = "MASTER_PRIORITY"
        case backupPriority = "BACKUP_PRIORITY"

        /// Whether the node has the virtual address after this; `nil` where it does not tell.
        ///
        /// A change of priority does not: after a reload a master is heard to say BACKUP_PRIORITY (keepalived's issue 2631).
        package var isMaster: Bool? {
            switch self {
            case .master, .heardLower: true
            case .backup, .fault, .stop, .deleted: false
            case .masterPriority, .backupPriority: nil
            }
        }
    }

    package var subject: Subject
    /// Of the `vrrp_instance` or `vrrp_sync_group`.
    package var name: String
    package var event: Event
    /// The effective priority, 0…255.
    package var priority: UInt8

    package init(subject: Subject, name: String, event: Event, priority: UInt8) {
        self.subject = subject
        self.name = name
        self.event = event
        self.priority = priority
    }

    /// Reads a line without its newline.
    package init(line: String) throws(VRRPNoticeError) {
        guard let open = line.firstIndex(of: "\""), let close = line.lastIndex(of: "\""), open < close else {
            throw VRRPNoticeError(line: line, problem: "has no name in quotes")
        }
        let word = String(line[..<open])
        guard let subject = Subject.allCases.first(where: { $0.rawValue + " " == word }) else {
            throw VRRPNoticeError(line: line, problem: "begins with neither INSTANCE nor GROUP")
        }
        let rest = line[line.index(after: close)...].split(separator: " ", omittingEmptySubsequences: false)
        guard rest.count == 3, rest[0].isEmpty else {
            throw VRRPNoticeError(line: line, problem: "has no state and priority behind the name")
        }
        guard let event = Event(rawValue: String(rest[1])) else {
            throw VRRPNoticeError(line: line, problem: "has an unknown state")
        }
        guard rest[2].utf8.allSatisfy({ (0x30...0x39).contains($0) }), let priority = UInt8(rest[2]) else {
            throw VRRPNoticeError(line: line, problem: "has no priority from 0 to 255")
        }
        let name = line[line.index(after: open)..<close]
        guard !name.isEmpty else { throw VRRPNoticeError(line: line, problem: "has an empty name") }
        self.init(subject: subject, name: String(name), event: event, priority: priority)
    }

    /// As keepalived writes it, without the newline.
    package var line: String { "\(subject.rawValue) \"\(name)\" \(event.rawValue) \(priority)" }
}

/// A line that is no notice.
package struct VRRPNoticeError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Its beginning, without what a terminal would obey.
    package var line: String
    package var problem: String

    package init(line: String, problem: String) {
        let shown = line.unicodeScalars.prefix(80).map { (0x20...0x7e).contains($0.value) ? Character($0) : "?" }
        self.line = String(shown)
        self.problem = problem
    }

    package var description: String { "keepalived's notice \u{201c}\(line)\u{201d} \(problem); ignored" }
}
