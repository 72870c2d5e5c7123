internal import WANModel

extension Reading {
    mutating func notifiers(_ section: Section) -> [Notifier] {
        guard let field = section["notify"] else { return [] }
        use(.notify, at: section.keyPosition("notify") ?? field.position)
        return (elements(field, limit: 32) ?? []).enumerated().compactMap { index, element in
            notifier(element, path: "notify.\(index)")
        }
    }

    private mutating func notifier(_ field: Field, path: String) -> Notifier? {
        let notifier = Field(name: "a notifier", node: field.node)
        guard let section = section(notifier, .notifier, path: path) else { return nil }
        if section["mail"] != nil, let second = section.keyPosition("webhook") {
            fault(second, "one entry tells one", "begin a new one with `- webhook:`")
        }
        return section["mail"] != nil
            ? mail(section["mail"], path: "\(path).mail") : webhook(section["webhook"], path: "\(path).webhook")
    }

    private mutating func mail(_ field: Field?, path: String) -> Notifier? {
        guard let section = section(field, .mail, path: path) else { return nil }
        for key in ["to", "from", "server"] where section[key] == nil { fault(section.position, "mail has no \(key)") }
        let to = mailbox(section["to"])
        let from = mailbox(section["from"])
        let server = url(section["server"], schemes: ["smtp", "smtps"], base: true)
        let events = events(section["on"])
        guard let to, let from, let server else { return nil }
        return .mail(to: to, from: from, server: server, events: events)
    }

    private mutating func webhook(_ field: Field?, path: String) -> Notifier? {
        guard let section = section(field, .webhook, path: path) else { return nil }
        if section["url"] == nil { fault(section.position, "webhook has no url") }
        let url = url(section["url"], schemes: ["http", "https"], base: false)
        let events = events(section["on"])
        return url.map { .webhook(url: $0, events: events) }
    }

    /// What happened, in one word; told by default: a switch, an uplink that went down, and a budget that is used up.
    private enum Event: String, CaseIterable { case `switch`, down, up, degraded, speed, budget, role }

    private mutating func events(_ field: Field?) -> [String] {
        (words(field, of: Event.self) ?? [.switch, .down, .budget]).map(\.rawValue)
    }

    /// `local@domain` of printable ASCII, so that nothing in it can end a line of SMTP (RFC 5321 section 4.1.2).
    private mutating func mailbox(_ field: Field?) -> String? {
        guard let field, let text = text(field, "a mail address") else { return nil }
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        let isMailbox =
            parts.count == 2 && text.utf8.count <= 254 && parts.allSatisfy { !$0.isEmpty }
            && text.utf8.allSatisfy {
                (0x21...0x7e).contains($0) && ![0x22, 0x28, 0x29, 0x2c, 0x3c, 0x3e].contains($0)
            }
        if isMailbox { return text }
        fault(field.position, "\(field.name) \(text.quoted) is no mail address", "write it like root@example.net")
        return nil
    }
}
