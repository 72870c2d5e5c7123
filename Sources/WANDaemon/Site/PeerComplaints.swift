package import WANModel

/// What is odd about what the boxes say, told once and not each second. A value: time comes in.
package struct PeerComplaints: Hashable, Sendable {
    private struct Entry: Hashable, Sendable {
        var subject: String
        var text: String
        var last: Moment
        var count = 1
    }

    /// A site has many boxes, and whoever forges their addresses may speak in each one's name.
    private static let most = 16
    /// What has not come for so long is news when it comes again.
    private static let memory = Duration.seconds(3600)
    /// For so long after the last one `wanctl status` shows it.
    private static let recent = Duration.seconds(60)

    private var entries: [Entry] = []
    /// When more subjects came than have room, and how often.
    private var overflow: Entry?

    package init() {}

    /// Notes one; the line for the log, `nil` where it was told already.
    package mutating func note(_ oddity: PeerOddity, at now: Moment) -> String? {
        entries.removeAll { now - $0.last > Self.memory }
        if let former = overflow, now - former.last > Self.memory { overflow = nil }
        let (subject, text) = (oddity.subject, oddity.text)
        if let index = entries.firstIndex(where: { $0.subject == subject }) {
            entries[index].last = now
            if !oddity.isTaken { entries[index].count &+= 1 }
            entries[index].text = text
            return nil
        }
        if entries.count < Self.most {
            entries.append(Entry(subject: subject, text: text, last: now))
            return text
        }
        let more = "more senders than \(Self.most) speak as boxes of the site and are ignored"
        let isNews = overflow == nil
        overflow = Entry(subject: "", text: more, last: now, count: (overflow?.count ?? 0) &+ 1)
        return isNews ? more : nil
    }

    /// What came lately, for `wanctl status`, in the order in which it first came.
    package func warnings(at now: Moment) -> [String] {
        (entries + [overflow].compactMap { $0 }).filter { now - $0.last <= Self.recent }
            .map { $0.count > 1 ? "\($0.text) (\($0.count) times)" : $0.text }
    }
}
