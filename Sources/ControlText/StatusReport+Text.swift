package import WANControl
internal import WANModel

extension StatusReport {
    /// The answer to "does my Internet work?" in the first line, one line for each uplink, and what needs a look.
    package func text(_ style: TextStyle) -> String {
        var lines = headline(style)
        if !uplinks.isEmpty {
            lines.append("")
            lines += table(style).lines(style)
        }
        let site = siteLines(style)
        if !site.isEmpty { lines += [""] + site }
        // A backup's own switches move nothing, and what it last did as master says nothing of now.
        if let lastSwitch, role != .backup {
            lines.append("")
            lines += style.wrap("Last switch \(lastSwitch.sentence(style))", indent: 2, firstIndent: 0)
        }
        // The first line says it already.
        let others = warnings.filter { $0 != outage }
        if !others.isEmpty { lines.append("") }
        for warning in others {
            let wrapped = style.wrap("Warning: \(printable(warning))", indent: 2, firstIndent: 0)
            lines += wrapped.map { style.paint($0, .doubtful) }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The same report as it reads a while later: spans go on while nothing changes.
    package func aged(by span: Duration) -> StatusReport {
        var older = self
        for index in older.uplinks.indices {
            if let state = older.uplinks[index].stateSpan { older.uplinks[index].stateSpan = state + span }
            if let left = older.uplinks[index].drain?.left {
                older.uplinks[index].drain?.left = max(.zero, left - span)
            }
            if let hold = older.uplinks[index].holdSpan { older.uplinks[index].holdSpan = max(.zero, hold - span) }
        }
        // A peer that goes on speaking is no change: who was present is so until the daemon tells otherwise.
        for index in older.peers.indices where !older.peers[index].isPresent {
            if let heard = older.peers[index].heard { older.peers[index].heard = heard + span }
        }
        if let ago = older.lastSwitch?.ago { older.lastSwitch?.ago = ago + span }
        return older
    }

    /// What keeps every packet of the LAN in, whatever the uplinks do.
    private var outage: String? { tableFault.flatMap { $0.isUntranslated ? $0.sentence : nil } }

    private func headline(_ style: TextStyle) -> [String] {
        if let outage {
            let box = role == .alone ? printable(node) : "\(printable(node)) (\(role.rawValue))"
            return style.wrap("\(box): \(printable(outage)).").map { style.paint($0, .bad) }
        }
        if role == .backup { return backupHeadline(style) }
        let box = role == .alone ? printable(node) : "\(printable(node)) (\(role.rawValue))"
        let names = selected.map { printable($0) }.joined(separator: " and ")
        let carrying = uplinks.filter { selected.contains($0.name) }
        let works = carrying.contains { $0.isUsable }

        if selected.isEmpty {
            return style.wrap("\(box): no uplink is chosen yet\(choice(style)).").map { style.paint($0, .doubtful) }
        }
        if !works {
            let others = uplinks.filter { $0.isUsable }.map { printable($0.name) }.joined(separator: " and ")
            if !others.isEmpty {
                let text =
                    "\(box): TRAFFIC IS ON \(names), WHICH DOES NOT WORK\(choice(style)); \(others) would: `wanctl auto`."
                return style.wrap(text).map { style.paint($0, .bad) }
            }
            let text = "\(box): NO WORKING UPLINK; traffic stays on \(names)\(choice(style))."
            return style.wrap(text).map { style.paint($0, .bad) }
        }
        let trouble = troubles
        if trouble.isEmpty, warnings.isEmpty {
            return style.wrap("\(box): all well, traffic on \(names)\(choice(style)).").map { style.paint($0, .good) }
        }
        let text = "\(box): traffic on \(names)\(choice(style))\(trouble.isEmpty ? "" : "; \(trouble)")."
        return style.wrap(text).map { style.paint($0, .strong) }
    }

    /// What a backup has to say is whether it could take over: the traffic of the LAN is another box's.
    private func backupHeadline(_ style: TextStyle) -> [String] {
        let box = "\(printable(node)) (backup)"
        let ready = uplinks.filter { $0.isUsable }
        let best = ready.filter { selected.contains($0.name) }
        let names = (best.isEmpty ? Array(ready.prefix(1)) : best).map { printable($0.name) }.joined(separator: " and ")
        let trouble = troubles
        let rest = "\(choice(style))\(trouble.isEmpty ? "" : "; \(trouble)")."
        if ready.isEmpty {
            let text = "\(box): COULD NOT TAKE OVER, no working uplink\(rest)"
            return style.wrap(text).map { style.paint($0, .bad) }
        }
        if trouble.isEmpty, warnings.isEmpty {
            return style.wrap("\(box): all well, ready with \(names)\(rest)").map { style.paint($0, .good) }
        }
        return style.wrap("\(box): ready with \(names)\(rest)").map { style.paint($0, .strong) }
    }

    /// Uplinks and boxes that need a look, for the first line.
    private var troubles: String {
        (uplinks.filter { $0.isTroubled }.map { "\(printable($0.name)) is \($0.state.rawValue)" } + siteTroubles)
            .joined(separator: ", ")
    }

    /// Who chose: nothing to say while the policy does.
    private func choice(_ style: TextStyle) -> String {
        guard mode == .manual else { return "" }
        guard let pinned else { return ", chosen by hand" }
        let whom = selected == [pinned.uplink] ? "" : " to \(printable(pinned.uplink))"
        let left = pinned.until.map { " for another \(style.now.elapsed(until: $0).spokenText)" } ?? ""
        return ", pinned\(whom) by hand\(left)\(pinned.strict ? ", strictly" : "")"
    }

    private func table(_ style: TextStyle) -> TextTable {
        TextTable(
            columns: [
                .init(title: "UPLINK"), .init(title: "INTERFACE", dispensable: 1), .init(title: "STATE"),
                .init(title: "TRAFFIC", dispensable: 5), .init(title: "RTT", dispensable: 3, isRight: true),
                .init(title: "LOSS", dispensable: 2, isRight: true), .init(title: "FOR", dispensable: 4),
            ],
            noteTitle: "NOTE",
            rows: uplinks.map { uplink in
                // The choice of a backup carries nothing of the LAN's.
                let traffic = role == .backup && uplink.traffic == .selected ? .standby : uplink.traffic
                return TextTable.Row(
                    cells: [
                        .init(printable(uplink.name), traffic == .selected ? .strong : .plain),
                        .init(printable(uplink.interface)), .init(uplink.state.rawValue, uplink.tint),
                        .init(traffic.rawValue, traffic == .standby ? .faint : .plain),
                        .init(uplink.measured(uplink.rttMilliseconds.map { spoken(milliseconds: $0) })),
                        .init(uplink.measured(uplink.loss.map { spoken(share: $0) })),
                        .init((uplink.stateSpan ?? uplink.since.elapsed(until: style.now)).spokenText),
                    ],
                    note: uplink.note(style))
            })
    }
}

extension UplinkReport {
    /// Carries traffic, if it must.
    var isUsable: Bool { state.isUsable }

    /// A figure of a line that is measured; that of one that is not was true once.
    fileprivate func measured(_ figure: String?) -> String {
        state == .absent || state == .disabled ? "–" : figure ?? "–"
    }

    /// Something a person would want to know; what the operator switched off is not.
    var isTroubled: Bool {
        switch state {
        case .up, .disabled: false
        case .proving: !(metered && traffic == .standby)
        case .absent, .suspect, .degraded, .down: true
        }
    }

    var tint: TextStyle.Tint {
        switch state {
        case .up: .good
        case .proving, .suspect, .degraded: .doubtful
        case .down, .absent: .bad
        case .disabled: .faint
        }
    }

    /// What the columns do not say: the reason of a state that is not up, and what is under way.
    func note(_ style: TextStyle) -> String {
        var parts: [String] = []
        if state != .up, !reason.isEmpty { parts.append(printable(reason)) }
        if let span = holdSpan ?? holdUntil.map({ style.now.elapsed(until: $0) }), span > .zero {
            parts.append("has to hold another \(span.spokenText)\(flaps > 1 ? " after \(flaps) flaps" : "")")
        }
        let silent = targets.filter { $0.answered == false }
        if state == .up, !silent.isEmpty {
            parts.append("no answer from \(silent.map { printable($0.address) }.joined(separator: ", "))")
        }
        if let drain {
            let flows = drain.flows == 1 ? "1 old flow" : "\(drain.flows) old flows"
            parts.append(
                "\(flows) may finish, \(spoken(bytes: drain.bytes)) so far, at most \(drain.left.spokenText) more")
        }
        if !rules.isEmpty, traffic != .selected {
            parts.append("carries \(rules.count == 1 ? "the rule" : "the rules") \(named(rules))")
        }
        if let speedClass { parts.append(speedClass.note) }
        if let keepalive, keepalive.answered == false {
            let when = keepalive.last.map { " \($0.elapsed(until: style.now).spokenText) ago" } ?? ""
            parts.append("keepalive\(when) was not answered")
        }
        return parts.joined(separator: "; ")
    }
}

/// A few names; of many only how many more there are.
private func named(_ names: [String]) -> String {
    let shown = names.prefix(3).map { "\"\(printable($0))\"" }.joined(separator: ", ")
    return names.count > 3 ? "\(shown) and \(names.count - 3) more" : shown
}

extension UplinkReport.SpeedClass {
    fileprivate var note: String {
        if wanted == confirmed { return printable(wanted) }
        let has = confirmed.map { "has \(printable($0))" } ?? "not confirmed yet"
        let why = problem.map { ": \(printable($0))" } ?? ""
        return "wants \(printable(wanted)), \(has)\(why)"
    }
}
