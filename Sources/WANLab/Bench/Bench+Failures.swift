internal import WANControl

/// What goes wrong with a line, as the client sees it.
extension Bench {
    func failover() throws {
        try sheet.heading("Silent blackhole of the selected uplink, the link stays up")
        let site = try BenchSite(on: stage)
        let passages = try passages(.blackhole(), at: site, countingLeftBehind: true)
        try outageRows(passages, bar: .medianAndMost(400, 600))
        let left = passages.compactMap(\.leftBehind).map(Double.init)
        try sheet.row("flows left with the old source, 3 s on", left, unit: "", bar: .most(0))
        try sheet.row("packets with a wrong source", wrongSources(passages), unit: "", bar: .most(0))
        try daemonRows(passages)
    }

    func carrier() throws {
        let site = try BenchSite(on: stage)
        for (words, fault) in [
            ("The carrier of the selected uplink is lost", Fault.carrierOff),
            ("The interface of the selected uplink vanishes", .gone),
        ] {
            try sheet.heading(words)
            let passages = try passages(fault, at: site)
            try outageRows(passages, bar: .most(30))
            try daemonRows(passages)
        }
    }

    private func passages(
        _ fault: Fault, at site: BenchSite, countingLeftBehind: Bool = false
    ) throws -> [BenchSite.Passage] {
        try (0..<runs).map { place in
            try site.renew()
            return try site.fail(fault, after: phase(place, of: runs), countingLeftBehind: countingLeftBehind)
        }
    }

    private func outageRows(_ passages: [BenchSite.Passage], bar: Bar) throws {
        try sheet.row("outage, new flows", passages.map(\.fresh.longestOutageMilliseconds), unit: "ms", bar: bar)
        try sheet.row(
            "outage, an established UDP flow", passages.map(\.established.longestOutageMilliseconds), unit: "ms",
            bar: bar)
    }

    private func daemonRows(_ passages: [BenchSite.Passage]) throws {
        let found = passages.compactMap(\.change.detectedMilliseconds)
        if !found.isEmpty { try sheet.row("daemon: first doubt to certainty", found, unit: "ms") }
        try sheet.row("daemon: decision to kernel", passages.compactMap(\.change.appliedMilliseconds), unit: "ms")
        try sheet.never("switches not proven", passages.filter { $0.change.proven != true }.count)
    }

    private func wrongSources(_ passages: [BenchSite.Passage]) -> [Double] {
        passages.map { Double($0.fresh.wrongSourceCount) }
    }

    /// A Wi-Fi retry, a handover: too short to be a failure.
    ///
    /// Seldom enough that the limit of quality is not met: each one is asked about many times, and all of that counts as loss.
    func silence() throws {
        try sheet.heading("A silence of 150 ms on the selected uplink, one each 4 s")
        let site = try BenchSite(on: stage)
        try site.settle()
        let before = try site.router.history().filter { $0.change != nil }.count
        let connection = try ClientConnection.start(in: site.lab)
        for place in 0..<runs {
            try stage.linger(.milliseconds(3700) + phase(place, of: runs))
            try site.lab.setFault(.ftth, .silence(.milliseconds(150)))
        }
        try stage.linger(.seconds(2))
        let report = try connection.stop()
        let switches = try site.router.history().compactMap(\.change).dropFirst(before)
        try sheet.never("switches in \(runs) silences", switches.count)
        for change in switches { try sheet.note("because \(change.cause)") }
        try sheet.figure(
            "a TCP connection through them", report.brokenBy ?? "unbroken", bar: ("unbroken", report.brokenBy == nil))
    }

    func failback() throws {
        let count = max(1, runs / 2)
        try sheet.heading("Failback, traffic returns to a line that is good again (hold 2s)")
        let site = try BenchSite(
            on: stage, policy: SamplePolicy.text(hold: "2s", soracom: SoracomInLab.policyLines()))
        var losses: [ClientPair.Loss] = []
        var broken = 0
        for _ in 0..<count {
            try site.renew()
            try site.lab.setFault(.ftth, .blackhole())
            _ = try site.awaitSwitch(to: .jcom)
            let connection = try ClientConnection.start(in: site.lab)
            let clients = try site.clients()
            try site.lab.clearFaults(.ftth)
            _ = try site.awaitSwitch(to: .ftth, atMost: .seconds(60))
            try stage.linger(.seconds(2))
            losses.append(try clients.loss())
            if try connection.stop().brokenBy != nil { broken += 1 }
        }
        try sheet.losses(losses)
        try sheet.never("connections broken, of \(count)", broken)
    }
}
