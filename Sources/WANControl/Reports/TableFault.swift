internal import JSONText

/// Our nft table as libnftables or the kernel refused it: an outage, or about to become one.
package struct TableFault: Hashable, Sendable {
    /// No table of ours stands, so nothing of the LAN is translated. Otherwise the one of before goes on translating.
    package var isUntranslated: Bool
    /// The one that stands is an earlier run's, which this one cannot lead: what needs more than routes stays as it was.
    package var isFrozen: Bool
    /// What nft said, its first line.
    package var problem: String

    package init(isUntranslated: Bool, isFrozen: Bool = false, problem: String) {
        self.isUntranslated = isUntranslated
        self.isFrozen = isFrozen
        self.problem = problem
    }

    package var sentence: String {
        let effect =
            isUntranslated
            ? "NO TRANSLATION: the nft table is refused and nothing of the LAN gets out"
            : isFrozen
                ? "the nft table is refused and an earlier run's stands: rules, shares and forwards follow no switch"
                : "the nft table is refused and the one of before stays in force"
        return "\(effect) (\(problem)); where `wanctl check --table` takes it, another program has a table of its name"
    }

    var json: JSONValue {
        ["untranslated": .bool(isUntranslated), "frozen": .bool(isFrozen), "problem": .string(problem)]
    }

    init(_ reader: ReportReader) throws(ReportError) {
        isUntranslated = try reader.flag("untranslated")
        isFrozen = try reader.optionalFlag("frozen") ?? false
        problem = try reader.text("problem")
    }
}
