package import JSONText
internal import WANModel

/// The answer to `why`: the present decision with the evidence behind it, and the last switch.
package struct WhyReport: Hashable, Sendable {
    /// One uplink as the decision saw it, in the order of preference.
    package struct Candidate: Hashable, Sendable {
        package var uplink: String
        package var state: UplinkReport.State
        package var usable: Bool
        package var selected: Bool
        /// Why it is selected, or why not: "usable, but ftth comes first", "returned 20s ago, has to hold 60s".
        package var verdict: String
        /// What was measured and against which limit, one line each.
        package var evidence: [String]

        package init(
            uplink: String, state: UplinkReport.State, usable: Bool, selected: Bool, verdict: String,
            evidence: [String] = []
        ) {
            self.uplink = uplink
            self.state = state
            self.usable = usable
            self.selected = selected
            self.verdict = verdict
            self.evidence = evidence
        }
    }

    package var mode: StatusReport.Mode
    package var selected: [String]
    /// The decision in one sentence.
    package var decision: String
    package var candidates: [Candidate]
    package var lastSwitch: SwitchReport?
    /// Instead of what carries the traffic, where that is not this box's matter: whose it is, and what this one has ready.
    package var headline: String?
    /// Of a box of a site: why it is master or not, one sentence each.
    package var site: [String]

    package init(
        mode: StatusReport.Mode, selected: [String], decision: String, candidates: [Candidate],
        lastSwitch: SwitchReport? = nil, headline: String? = nil, site: [String] = []
    ) {
        self.mode = mode
        self.selected = selected
        self.decision = decision
        self.candidates = candidates
        self.lastSwitch = lastSwitch
        self.headline = headline
        self.site = site
    }
}

extension WhyReport {
    package var json: JSONValue {
        [
            "mode": .string(mode.rawValue), "selected": .texts(selected), "decision": .string(decision),
            "candidates": .array(
                candidates.map {
                    [
                        "uplink": .string($0.uplink), "state": .string($0.state.rawValue), "usable": .bool($0.usable),
                        "selected": .bool($0.selected), "verdict": .string($0.verdict), "evidence": .texts($0.evidence),
                    ]
                }),
            "last_switch": lastSwitch?.json ?? .null, "headline": JSONValue(headline), "site": .texts(site),
        ]
    }

    package init(json: JSONValue) throws(ReportError) {
        let reader = try ReportReader(json, at: "why")
        mode = try reader.choice("mode", as: StatusReport.Mode.self)
        selected = try reader.texts("selected")
        decision = try reader.text("decision")
        candidates = try reader.objects("candidates") { (inner) throws(ReportError) in
            Candidate(
                uplink: try inner.text("uplink"), state: try inner.choice("state", as: UplinkReport.State.self),
                usable: try inner.flag("usable"), selected: try inner.flag("selected"),
                verdict: try inner.text("verdict"), evidence: try inner.texts("evidence"))
        }
        lastSwitch = try reader.object("last_switch") { (inner) throws(ReportError) in try SwitchReport(inner) }
        headline = try reader.optionalText("headline")
        site = try reader.texts("site")
    }
}
