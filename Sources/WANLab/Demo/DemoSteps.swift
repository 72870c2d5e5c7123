internal import LinuxIO
internal import WANControl
internal import WANModel

/// The chapters.
extension Demo {
    func allIsWell() throws {
        try teller.chapter("All is well")
        try router.waitUntil("all three uplinks known to be good, and the speed class confirmed") {
            status in
            status.isOn(.ftth) && LabUplink.allCases.allSatisfy { status[$0]?.state == .up }
                && status[.soracom]?.speedClass?.confirmed == "s1.minimum"
        }
        try stage.linger(.seconds(1))  // until round trips have settled
        let status = try router.status()
        try tellSoracom()
        try teller.say("traffic is on ftth; jcom and soracom answer and stand by")
        for uplink in status.uplinks {
            try teller.add("\(Figure.left(uplink.name, 8)) \(uplink.state.rawValue), \(uplink.traffic.rawValue)")
        }
        try tellWhatIsMissedAtFirst("all is well on the fibre")
    }

    func fibreFails() throws {
        try teller.chapter("The fibre goes silent: no packet passes any more, and the link stays up")
        let moment = try lab.setFault(.ftth, .blackhole())
        try teller.say("ftth is silent from now on", at: moment)
        try switchOver(to: .jcom, since: moment, step: "the fibre went silent, traffic went to jcom")
        try stage.linger(.seconds(1))
    }

    func cableFails() throws {
        try teller.chapter("JCOM fails too: its router still answers, nothing behind it does")
        let moment = try lab.setFault(.jcom, .upstreamDead)
        lastFault = moment
        try teller.say("jcom leads nowhere from now on", at: moment)
        try switchOver(to: .soracom, since: moment, step: "jcom failed too, traffic went to SORACOM")
    }

    /// What every failover has to tell.
    private func switchOver(to uplink: LabUplink, since moment: Int64, step: String) throws {
        let status = try router.waitUntil("traffic on \(uplink)") { status in
            status.isOn(uplink) && status.lastSwitch?.to == [uplink.rawValue] && status.lastSwitch?.proven != nil
        }
        guard let change = status.lastSwitch else { return }
        let missed = try recovery(since: moment)
        try teller.say("traffic is on \(uplink), after \(missed.browsing.figure) ms", at: missed.browsing.end)
        try teller.add("why      \(change.cause)")
        try teller.add("daemon   \(describe(change))")
        try tell(missed, step, isProven: change.proven == true)
    }

    func soracomIsRaised() throws {
        try awaitClass("s1.fast")
        let status = try router.waitUntil("the daemon's own word for it") {
            $0[.soracom]?.speedClass?.confirmed == "s1.fast"
        }
        try tellSoracom()
        let way = status[.soracom]?.speedClass?.via ?? "?"
        let raised = (soracom.classChanges.last?.moment ?? .max) - lastFault
        note("SORACOM raised to s1.fast", "\(raised / 1_000_000) ms after the failure, by \(way)", true)
        try stage.linger(.seconds(2))
    }

    func everythingHeals() throws {
        try teller.chapter("Everything heals")
        let download = try ClientConnection.start(in: lab)
        try teller.say("somebody starts a download, a TCP connection over SORACOM")
        try stage.linger(.seconds(1))
        let before = try clients.lost()

        try lab.clearFaults(.ftth)
        try teller.say("ftth carries packets again")
        let good = try router.waitUntil("ftth good again") { $0[.ftth]?.state == .up }
        try tellFibreIsUp(good)
        try lab.clearFaults(.jcom)
        try teller.say("jcom carries packets again")
        let status = try router.waitUntil("traffic back on ftth", atMost: .seconds(30)) { status in
            status.isOn(.ftth) && status.lastSwitch?.to == ["ftth"] && status.lastSwitch?.proven != nil
        }
        guard let change = status.lastSwitch else { return }
        try teller.say("traffic is back on ftth; old flows may finish where they are")
        try teller.add("why      \(change.cause)")
        try teller.add("daemon   \(describe(change))")

        // Long enough for anything that was lost to be known as lost, and shorter than the drain.
        try stage.linger(.seconds(2))
        let (call, connection) = try (call.stop(), download.stop())
        let lost = ClientPair.Loss(fresh: try browsing.snapshot().lost, established: call.lost) - before
        let whole = connection.brokenBy.map { "broken (\($0))" } ?? "whole"
        let byNow = call.timeline.last?.uplink.map { "\($0)" } ?? "nowhere"
        try teller.say("the call ends and the download is done, both still over \(byNow)")
        try teller.add(
            "missed   browsing \(lost.fresh) datagrams, the call \(lost.established); the download is \(whole)")
        try tellGaps(but: 2, of: call)
        note(
            "back on the fibre", "\(lost), download \(whole)",
            lost == .none && connection.brokenBy == nil && change.proven == true)
    }

    func soracomIsLowered() throws {
        try teller.chapter("SORACOM may rest")
        try router.waitUntil("SORACOM empty") { $0[.soracom]?.traffic == .standby }
        try teller.say("the drain is over; soracom carries nothing any more")
        let deadline = Clock.boottime() + 20_000_000_000
        let isLowered = soracom.service.wait(until: deadline) { _ in self.soracom.speedClass == "s1.minimum" }
        let status = try router.waitUntil("the daemon's own word for it") {
            $0[.soracom]?.speedClass?.confirmed == "s1.minimum"
        }
        try tellSoracom()
        let bytes = (status[.soracom]?.bytes.probes ?? 0) / 1024
        note("SORACOM lowered to s1.minimum", "\(bytes) KiB of probes in all", isLowered)
        try endBrowsing(gaps: 2)
    }

    // MARK: words

    private func describe(_ change: SwitchReport) -> String {
        var parts: [String] = []
        if let found = change.detectedMilliseconds { parts.append("certain after \(Figure.milliseconds(found)) ms") }
        if let applied = change.appliedMilliseconds { parts.append("routes in \(Figure.milliseconds(applied)) ms") }
        if let deleted = change.conntrackDeleted { parts.append("\(deleted) old flows moved") }
        parts.append(change.proven == true ? "proven" : "NOT PROVEN")
        return parts.joined(separator: ", ")
    }
}
