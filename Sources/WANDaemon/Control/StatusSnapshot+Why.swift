internal import NetworkTypes
package import WANControl
internal import WANEngine
internal import WANModel

/// Why the traffic goes where it goes.
extension StatusSnapshot {
    package var why: WhyReport {
        let views = views
        let first = views.first { $0.state.isUsable && !$0.isDrained }
        return WhyReport(
            mode: engine.pin == nil ? .auto : .manual, selected: engine.decision.share.map(name),
            decision: engine.decision.cause,
            candidates: views.map { view in
                WhyReport.Candidate(
                    uplink: view.name, state: view.state,
                    usable: view.state.isUsable, selected: engine.decision.share.contains(view.number),
                    verdict: verdict(view, first: first), evidence: evidence(view))
            }, lastSwitch: isBackup ? nil : lastSwitch, headline: outage ?? backupHeadline, site: siteLines)
    }

    /// For a backup: its own choice carries nothing of the LAN's.
    private var backupHeadline: String? {
        guard let site, isBackup else { return nil }
        let holder = site.holder(at: now)
        let ready = views.filter { engine.decision.share.contains($0.number) && $0.state.isUsable }
        let own =
            ready.isEmpty
            ? "no line of this box works" : "this box is ready with \(ready.map(\.name).joined(separator: ", "))"
        return
            "This box is backup: \(holder ?? "it is not known who") has \(site.settings.vrrp.address.address); \(own)"
    }

    private func verdict(_ view: UplinkView, first: UplinkView?) -> String {
        if engine.decision.share.contains(view.number) {
            if engine.pin?.uplink == view.number { return "pinned by the operator" }
            guard view.state.isUsable else {
                return isBackup ? "not usable: \(view.reason)" : "nothing is usable; the last choice stays"
            }
            if view.isDrained { return "to be kept empty, but nothing else is usable" }
            return engine.decision.share.count > 1
                ? "shares the load of the best usable step" : "the best usable one in the order"
        }
        if view.isDrained { return "kept empty by the operator" }
        guard view.state.isUsable else { return "not usable: \(view.reason)" }
        if let until = view.holdUntil, until > now {
            return "good again, must hold for \((until - now).components.seconds + 1) s more"
                + (view.flaps > 1 ? " (it failed \(view.flaps) times lately)" : "")
        }
        if let pin = engine.pin { return "usable, but \(name(pin.uplink)) is pinned" }
        if view.state == .degraded { return "usable, but past its quality limits" }
        return "usable, but \(engine.decision.selected.map(name) ?? first?.name ?? "another one") comes first"
    }

    private func evidence(_ view: UplinkView) -> [String] {
        var lines = [view.reason]
        if let rtt = view.rtt, view.state.isUsable || view.state == .proving {
            let jitter = view.jitter.map { ", jitter \($0.policyText)" } ?? ""
            lines.append("RTT \(rtt.policyText)\(jitter), loss \((view.loss * 1000).rounded() / 10) % over the window")
        }
        for target in view.targets where target.loss > 0.02 || (!target.answered && !view.isDormant) {
            lines.append(
                "\(target.address): \(target.answered ? "answers" : "does not answer"), loss \((target.loss * 1000).rounded() / 10) %"
            )
        }
        if view.isDormant { lines.append("metered and not needed: only the keepalive is sent") }
        return lines
    }
}
