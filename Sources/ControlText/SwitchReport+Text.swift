package import WANControl
internal import WANModel

extension SwitchReport {
    /// `3h 12m ago (2026-11-21 05:12:07): ftth → jcom: 0 of 3 targets answered; detected in 310 ms, …`
    package func sentence(_ style: TextStyle) -> String {
        let before = (ago ?? at.elapsed(until: style.now)).spokenText
        return "\(before) ago (\(style.clock(at))): \(summary)."
    }

    /// What moved, why, what it took and whether it is proven; without the time and without a full stop.
    package var summary: String {
        var facts: [String] = []
        if let detectedMilliseconds { facts.append("detected in \(spoken(milliseconds: detectedMilliseconds))") }
        if let appliedMilliseconds { facts.append("applied in \(spoken(milliseconds: appliedMilliseconds))") }
        if let conntrackDeleted {
            facts.append(conntrackDeleted == 1 ? "1 flow moved" : "\(conntrackDeleted) flows moved")
        }
        switch proven {
        case true: facts.append("proven")
        case false: facts.append("NOT PROVEN")
        default: facts.append("proof under way")
        }
        let because = "\(manual ? "by hand, " : "")\(printable(cause))"
        return "\(names(from)) → \(names(to)): \(because); \(facts.joined(separator: ", "))"
    }

    private func names(_ uplinks: [String]) -> String {
        uplinks.isEmpty ? "nothing" : uplinks.map { printable($0) }.joined(separator: " + ")
    }

    /// The ordered steps, aligned.
    package func stepLines(_ style: TextStyle) -> [String] {
        let rows = steps.map { step in
            (name: printable(step.name), time: spoken(milliseconds: step.milliseconds), detail: step.detail)
        }
        let nameWidth = rows.map { columns(of: $0.name) }.max() ?? 0
        let timeWidth = rows.map { columns(of: $0.time) }.max() ?? 0
        return rows.map { row in
            let nameSpace = String(repeating: " ", count: nameWidth - columns(of: row.name))
            let timeSpace = String(repeating: " ", count: timeWidth - columns(of: row.time))
            let detail = row.detail.map { "  \(printable($0))" } ?? ""
            return "  \(row.name)\(nameSpace)  \(timeSpace)\(row.time)\(detail)"
        }
    }
}
