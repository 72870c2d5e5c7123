package import JSONText

/// One switch of traffic: what led to it, what it took, and whether it was proven.
package struct SwitchReport: Hashable, Sendable {
    /// One of the steps, which are always in this order.
    package struct Step: Hashable, Sendable {
        /// `routes and NAT`, `conntrack`, `second sweep`, `proof`.
        package var name: String
        package var milliseconds: Double
        package var detail: String?

        package init(name: String, milliseconds: Double, detail: String? = nil) {
            self.name = name
            self.milliseconds = milliseconds
            self.detail = detail
        }
    }

    package var at: Timestamp
    /// How long ago by the clock that never jumps; `nil` after a reboot.
    package var ago: Duration?
    package var from: [String]
    package var to: [String]
    package var cause: String
    package var manual: Bool
    /// From the first unanswered probe, or the kernel's event, to the decision; `nil` where nothing was detected.
    package var detectedMilliseconds: Double?
    /// From the decision to the kernel's last acknowledgement.
    package var appliedMilliseconds: Double?
    package var conntrackDeleted: Int?
    /// `nil` while the proof is still going on.
    package var proven: Bool?
    package var steps: [Step]

    package init(
        at: Timestamp, ago: Duration? = nil, from: [String], to: [String], cause: String, manual: Bool = false,
        detectedMilliseconds: Double? = nil, appliedMilliseconds: Double? = nil, conntrackDeleted: Int? = nil,
        proven: Bool? = nil, steps: [Step] = []
    ) {
        self.at = at
        self.ago = ago
        self.from = from
        self.to = to
        self.cause = cause
        self.manual = manual
        self.detectedMilliseconds = detectedMilliseconds
        self.appliedMilliseconds = appliedMilliseconds
        self.conntrackDeleted = conntrackDeleted
        self.proven = proven
        self.steps = steps
    }
}

extension SwitchReport {
    package var json: JSONValue {
        [
            "at": .time(at), "from": .texts(from), "to": .texts(to), "cause": .string(cause), "manual": .bool(manual),
            "detected_ms": JSONValue(detectedMilliseconds), "applied_ms": JSONValue(appliedMilliseconds),
            "conntrack_deleted": .whole(conntrackDeleted), "proven": proven.map { .bool($0) } ?? .null,
            "ago_seconds": .seconds(ago),
            "steps": .array(
                steps.map {
                    ["name": .string($0.name), "ms": JSONValue($0.milliseconds), "detail": JSONValue($0.detail)]
                }),
        ]
    }

    init(_ reader: ReportReader) throws(ReportError) {
        self.init(
            at: try reader.time("at"), ago: try reader.optionalSeconds("ago_seconds"), from: try reader.texts("from"),
            to: try reader.texts("to"), cause: try reader.text("cause"), manual: try reader.flag("manual"),
            detectedMilliseconds: try reader.optionalNumber("detected_ms"),
            appliedMilliseconds: try reader.optionalNumber("applied_ms"),
            conntrackDeleted: try reader.optional("conntrack_deleted", "count") {
                $0.integer.flatMap { Int(exactly: $0) }
            },
            proven: try reader.optionalFlag("proven"),
            steps: try reader.objects("steps") { (inner) throws(ReportError) in
                Step(
                    name: try inner.text("name"), milliseconds: try inner.optionalNumber("ms") ?? 0,
                    detail: try inner.optionalText("detail"))
            })
    }
}
