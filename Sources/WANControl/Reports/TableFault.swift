internal import JSONText

/// Our nft table as libnftables or the kernel refused it: an outage, or about to become one.
package struct TableFault: Hashable, Sendable {
    /// No table of ours stands, so nothing of the LAN is translated. Otherwise the one of before goes on translating.
    package var isUntranslated: Bool
    /// What nft said, its first line.
    package var problem: String

    package init(isUntranslated: Bool, problem: String) {
        self.isUntranslated = isUntranslated
        self.problem = problem
    }

    package var sentence: String {
        let advice = "`wanctl check --table` tries it again beside the daemon"
        return isUntranslated
            ? "NO TRANSLATION: the nft table is refused and nothing of the LAN gets out (\(problem)); \(advice)"
            : "the nft table is refused and the one of before stays in force (\(problem)); \(advice)"
    }

    var json: JSONValue { ["untranslated": .bool(isUntranslated), "problem": .string(problem)] }

    init(_ reader: ReportReader) throws(ReportError) {
        isUntranslated = try reader.flag("untranslated")
        problem = try reader.text("problem")
    }
}
