package import WANControl
internal import WANModel

extension EventReport {
    /// One line: `2026-11-21 05:12:07  down     ftth: 0 of 3 targets answered 4 rounds in 300 ms`
    package func text(_ style: TextStyle) -> String {
        let kind = printable(kind)
        let space = String(repeating: " ", count: max(1, 10 - columns(of: kind)))
        let tint: TextStyle.Tint =
            switch self.kind {
            case "down", "absent": .bad
            case "suspect", "degraded", "repair", "warning": .doubtful
            case "up": .good
            case "switch": .strong
            default: .plain
            }
        let who = uplink.map { "\(printable($0)): " } ?? ""
        let what = change?.summary ?? printable(text)
        return "\(style.paint(style.clock(at), .faint))  \(style.paint(kind, tint))\(space)\(who)\(what)\n"
    }
}

extension HistoryReport {
    package func text(_ style: TextStyle) -> String {
        events.isEmpty ? "Nothing has happened yet.\n" : events.map { $0.text(style) }.joined()
    }
}

extension ActionReport {
    package func text(_ style: TextStyle) -> String {
        let lines = style.wrap(printable(done), indent: 2, firstIndent: 0)
        let notes = warnings.flatMap { warning in
            style.wrap("Warning: \(printable(warning))", indent: 2, firstIndent: 0).map { style.paint($0, .doubtful) }
        }
        return (lines + notes).joined(separator: "\n") + "\n"
    }
}

extension DrainReport {
    package func text(_ style: TextStyle) -> String {
        let name = printable(uplink)
        if isDone {
            return flows == 0
                ? "\(name) is empty.\n" : "\(name): the drain is over, \(flows) flows that were left were cut.\n"
        }
        let octets = bytes.map { ", \(spoken(bytes: $0)) since it was left" } ?? ""
        return "\(name): \(flows == 1 ? "1 flow" : "\(flows) flows") left\(octets), at most \(left.spokenText) more\n"
    }
}

extension ProbeReport {
    package func text(_ style: TextStyle) -> String {
        let outcome =
            if let problem {
                style.paint(printable(problem), .bad)
            } else if let rttMilliseconds {
                style.paint("answered", .good) + " in \(spoken(milliseconds: rttMilliseconds))"
            } else {
                style.paint("no answer", .bad)
            }
        return "\(printable(uplink))  \(printable(target))  \(outcome)\n"
    }
}

extension WhyReport {
    package func text(_ style: TextStyle) -> String {
        let names = selected.isEmpty ? "nothing" : selected.map { printable($0) }.joined(separator: " and ")
        let works = selected.isEmpty || candidates.contains { $0.selected && $0.usable }
        let head = works ? "Traffic is on \(names)" : "NOTHING WORKS; traffic stays on \(names)"
        let isElsewhere = !works && candidates.contains { $0.usable }
        let sentence =
            "\(isElsewhere ? "TRAFFIC IS ON \(names), WHICH DOES NOT WORK" : head): \(printable(decision))"
        var lines = style.wrap(headline.map { printable($0) } ?? sentence, indent: 2, firstIndent: 0)
        lines[0] = style.paint(lines[0], works || headline != nil ? .strong : .bad)
        for candidate in candidates {
            lines.append("")
            let mark = candidate.selected ? "* " : ""
            let state = candidate.usable ? candidate.state.rawValue : "\(candidate.state.rawValue), not usable"
            lines += style.wrap(
                "\(mark)\(printable(candidate.uplink)) (\(state)): \(printable(candidate.verdict))", indent: 4,
                firstIndent: candidate.selected ? 0 : 2)
            lines += candidate.evidence.flatMap { style.wrap("- \(printable($0))", indent: 6, firstIndent: 4) }
        }
        if !site.isEmpty { lines.append("") }
        lines += site.flatMap { style.wrap(printable($0), indent: 2, firstIndent: 0) }
        if let lastSwitch {
            lines.append("")
            lines += style.wrap("Last switch \(lastSwitch.sentence(style))", indent: 2, firstIndent: 0)
            lines += lastSwitch.stepLines(style)
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
