internal import WANModel

/// Why something that should be so is not: what `status` warns of until it is.
///
/// Owns each such sentence under its subject, logs it once, and tells who watches the status.
package final class Alarms {
    /// What a sentence is about, the gravest first: the order in which they are told.
    enum Subject: Hashable, Comparable {
        case table
        case netlink
        case routes
        case conntrack
        case reload
        case probing(UplinkNumber)
        case health
        case keepalived
        case notices
        case rival
        case peers
        case crashes
        case undoRecord
        case token(UplinkNumber)
        case nameServers(UplinkNumber)
        case resolver
        case sockets
        case mirror
        case recorder
        case journal
        case state
        case keptPolicy
    }

    /// After each change.
    var onChange: () -> Void = {}
    private let log: Log
    private var texts: [Subject: String] = [:]

    package init(log: Log) { self.log = log }

    package var sentences: [String] { texts.sorted { $0.key < $1.key }.map(\.value) }

    /// `rest` is what the log has behind a text that is new.
    func raise(_ subject: Subject, _ text: String, _ priority: Log.Priority = .warning, rest: String = "") {
        let text = bounded(text)
        guard texts.updateValue(text, forKey: subject) != text else { return }
        log(priority, text + rest)
        onChange()
    }

    func clear(_ subject: Subject) {
        if texts.removeValue(forKey: subject) != nil { onChange() }
    }

    /// All subjects of a kind: of uplinks that a policy does not have any more, too.
    func clear(where isOver: (Subject) -> Bool) {
        for subject in texts.keys where isOver(subject) { clear(subject) }
    }
}
