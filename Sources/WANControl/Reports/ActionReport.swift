package import JSONText

/// The answer to a verb that acts: what was done, as a sentence, and what the operator should know about it.
package struct ActionReport: Hashable, Sendable {
    package var done: String
    package var warnings: [String]
    /// Set where traffic moved.
    package var change: SwitchReport?

    package init(done: String, warnings: [String] = [], change: SwitchReport? = nil) {
        self.done = done
        self.warnings = warnings
        self.change = change
    }

    package var json: JSONValue {
        ["done": .string(done), "warnings": .texts(warnings), "switch": change?.json ?? .null]
    }

    package init(json: JSONValue) throws(ReportError) {
        let reader = try ReportReader(json, at: "action")
        done = try reader.text("done")
        warnings = try reader.texts("warnings")
        change = try reader.object("switch") { (inner) throws(ReportError) in try SwitchReport(inner) }
    }
}

/// One step of `drain`: how many flows are still on the uplink.
package struct DrainReport: Hashable, Sendable {
    package var uplink: String
    package var flows: Int
    /// Octets that went over it since it was left, both ways; `nil` where nobody counted.
    package var bytes: UInt64?
    /// Until the rest is cut.
    package var left: Duration
    package var isDone: Bool

    package init(uplink: String, flows: Int, bytes: UInt64? = nil, left: Duration, isDone: Bool) {
        self.uplink = uplink
        self.flows = flows
        self.bytes = bytes
        self.left = left
        self.isDone = isDone
    }

    package var json: JSONValue {
        [
            "uplink": .string(uplink), "flows": .whole(flows), "bytes": .whole(bytes), "left_seconds": .seconds(left),
            "done": .bool(isDone),
        ]
    }

    package init(json: JSONValue) throws(ReportError) {
        let reader = try ReportReader(json, at: "drain")
        uplink = try reader.text("uplink")
        flows = Int(clamping: try reader.integer("flows"))
        bytes = try reader.optionalInteger("bytes").map { UInt64(clamping: $0) }
        left = try reader.optionalSeconds("left_seconds") ?? .zero
        isDone = try reader.flag("done")
    }
}

/// One probe of `wanctl probe` and its fate.
package struct ProbeReport: Hashable, Sendable {
    package var uplink: String
    package var target: String
    /// `nil`: no answer within the loss interval.
    package var rttMilliseconds: Double?
    /// Why nothing could be sent: no address, no carrier.
    package var problem: String?

    package init(uplink: String, target: String, rttMilliseconds: Double? = nil, problem: String? = nil) {
        self.uplink = uplink
        self.target = target
        self.rttMilliseconds = rttMilliseconds
        self.problem = problem
    }

    package var json: JSONValue {
        [
            "uplink": .string(uplink), "target": .string(target), "answered": .bool(rttMilliseconds != nil),
            "rtt_ms": JSONValue(rttMilliseconds), "problem": JSONValue(problem),
        ]
    }

    package init(json: JSONValue) throws(ReportError) {
        let reader = try ReportReader(json, at: "probe")
        uplink = try reader.text("uplink")
        target = try reader.text("target")
        rttMilliseconds = try reader.optionalNumber("rtt_ms")
        problem = try reader.optionalText("problem")
    }
}
