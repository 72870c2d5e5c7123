package import JSONText

/// Something that happened: a line of `wanctl watch` and `wanctl history`, and of the daemon's journal.
package struct EventReport: Hashable, Sendable {
    package var at: Timestamp
    /// An `EventKind`, or what another release had.
    package var kind: String
    package var uplink: String?
    /// What happened and why, as one sentence without the uplink's name.
    package var text: String
    /// Set where the event is a switch.
    package var change: SwitchReport?

    package init(at: Timestamp, kind: String, uplink: String? = nil, text: String, change: SwitchReport? = nil) {
        self.at = at
        self.kind = kind
        self.uplink = uplink
        self.text = text
        self.change = change
    }

    package var json: JSONValue {
        [
            "at": .time(at), "kind": .string(kind), "uplink": JSONValue(uplink), "text": .string(text),
            "switch": change?.json ?? .null,
        ]
    }

    package init(json: JSONValue) throws(ReportError) { try self.init(try ReportReader(json, at: "event")) }

    init(_ reader: ReportReader) throws(ReportError) {
        at = try reader.time("at")
        kind = try reader.text("kind")
        uplink = try reader.optionalText("uplink")
        text = try reader.text("text")
        change = try reader.object("switch") { (inner) throws(ReportError) in try SwitchReport(inner) }
    }
}

/// The answer to `history`: the last events, oldest first.
package struct HistoryReport: Hashable, Sendable {
    package var events: [EventReport]

    package init(events: [EventReport]) { self.events = events }

    package var json: JSONValue { ["events": .array(events.map(\.json))] }

    package init(json: JSONValue) throws(ReportError) {
        let reader = try ReportReader(json, at: "history")
        events = try reader.objects("events") { (inner) throws(ReportError) in try EventReport(inner) }
    }
}
