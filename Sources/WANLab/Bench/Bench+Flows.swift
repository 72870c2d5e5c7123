/// What becomes of flows, by wanctl and by what people had before, in the same run on the same lines.
extension Bench {
    func flows() throws {
        try sheet.heading("What becomes of flows: wanctl (grace 2s, hold 2s), and keepalived with `ip route replace`")
        try sheet.note(
            "A UDP flow of one 5-tuple, a TCP client that reconnects when it learns of a break (patience 10 s),")
        try sheet.note("a download that only reads. What did not come back within \(Self.endOfPatience) counts apart.")
        try flows(by: try .wanctl(on: stage), rounds: max(1, runs / 2), isOurs: true)
        for flushing in [false, true] {
            stage.leave()
            try flows(
                by: try .keepalived(flushing: flushing, on: stage), rounds: max(1, runs / 4), isOurs: false)
        }
    }

    private static let endOfPatience = Duration.seconds(15)
    private static let connections = 20

    private func flows(by router: FlowRouter, rounds: Int, isOurs: Bool) throws {
        for (words, fault) in [("blackhole", Fault.blackhole()), ("interface gone", .gone)] {
            let passages = try (0..<rounds).map { place in
                try router.renew()
                return try fail(fault, after: router.beat * place / rounds, at: router)
            }
            let bar: Bar? = isOurs ? (fault == .gone ? .most(30) : .medianAndMost(400, 600)) : nil
            try sheet.heading("\(router.name): \(words)")
            try recoveries("outage, an established UDP flow", passages.map(\.datagrams), bar: bar)
            try recoveries("TCP, until a new connection echoes", passages.map(\.connection))
            try sheet.note("which ended by " + Self.tally(passages.map { $0.brokenBy?.description ?? "nothing" }))
            try recoveries("download, until its end is known", passages.map(\.download))
            try sheet.note("which ended by " + Self.tally(passages.map { $0.downloadBy?.description ?? "nothing" }))
        }
        try sheet.heading("\(router.name): a second's outage, failback, a switch by hand")
        try shortOutages(rounds, at: router, isOurs)
        try returns(rounds, at: router, isOurs)
        try switchesByHand(rounds, at: router, isOurs)
        try router.stop()
    }

    // MARK: a line that fails

    /// Milliseconds from the failure, or from the last sign of life, until all is well again; `nil` where that never came.
    private struct FlowPassage {
        var datagrams: Double?
        var connection: Double?
        var brokenBy: Breakage?
        var download: Double?
        var downloadBy: Breakage?
    }

    private func fail(_ fault: Fault, after calm: Duration, at router: FlowRouter) throws -> FlowPassage {
        let lab = router.lab
        let prober = try ClientProber.start(in: lab)
        let client = try ClientReconnector.start(in: lab)
        let download = try ClientDownload.start(in: lab)
        guard try prober.waitForAnswers(atMost: .seconds(10)),
            try stage.wait(
                atMost: .seconds(10), until: { () throws(LabError) -> Bool in try client.snapshot().echoed > 3 })
        else { throw LabError("see the client's flows answered", "they are not") }
        try stage.linger(.milliseconds(300) + calm)
        let moment = try lab.setFault(.ftth, fault)
        try router.await(.jcom)
        _ = try stage.wait(atMost: Self.endOfPatience) { () throws(LabError) -> Bool in
            guard try client.snapshot().breaks.last?.recoveredAt != nil else { return false }
            guard try download.snapshot().brokenBy != nil else { return false }
            return try prober.isAnswered(within: .milliseconds(50))
        }
        let isAnswered = try prober.isAnswered(within: .milliseconds(50))
        let report = try prober.stop()
        let connection = try client.stop().breaks.first
        let loaded = try download.stop()
        return FlowPassage(
            datagrams: isAnswered ? report.longestOutageMilliseconds : nil, connection: connection?.silenceMilliseconds,
            brokenBy: connection?.by, download: loaded.brokenAt.map { Double($0 - moment) / 1e6 },
            downloadBy: loaded.brokenBy)
    }

    private func recoveries(_ name: String, _ spans: [Double?], bar: Bar? = nil) throws {
        let known = spans.compactMap { $0 }
        if !known.isEmpty { try sheet.row(name, known, unit: "ms", bar: bar) }
        if known.count < spans.count {
            try sheet.figure(
                known.isEmpty ? name : "", "never: \(spans.count - known.count) of \(spans.count)",
                bar: bar.map { ($0.text, false) })
        }
    }

    private static func tally(_ words: [String]) -> String {
        Dictionary(grouping: words) { $0 }.map { "\($0.key) (\($0.value.count))" }.sorted().joined(separator: ", ")
    }

    // MARK: lines that come back, and switches

    /// Every connection has something under way when the line falls silent, and is asked again later.
    private func shortOutages(_ rounds: Int, at router: FlowRouter, _ isOurs: Bool) throws {
        var alive = 0
        for _ in 0..<rounds {
            try router.renew()
            let crowd = try FlowCrowd.open(Self.connections, .tcp, in: router.lab)
            try router.lab.setFault(.ftth, .silence(.seconds(1)))
            _ = try crowd.send(patience: .seconds(5))
            try stage.linger(.seconds(3))  // beyond any grace: what was to be moved has been
            alive += try crowd.send(patience: .seconds(5)).answered
            try crowd.close()
        }
        let all = rounds * Self.connections
        try sheet.figure(
            "TCP connections that outlive 1 s", "\(alive) of \(all)", bar: isOurs ? ("all", alive == all) : nil)
    }

    private func returns(_ rounds: Int, at router: FlowRouter, _ isOurs: Bool) throws {
        let losses = try (0..<rounds).map { _ in
            try router.renew()
            try router.lab.setFault(.ftth, .blackhole())
            try router.await(.jcom)
            return try traffic(at: router) {
                try router.lab.clearFaults(.ftth)
                try router.await(.ftth)
            }
        }
        try told(losses, of: "failback", isOurs)
    }

    private func switchesByHand(_ rounds: Int, at router: FlowRouter, _ isOurs: Bool) throws {
        let losses = try (0..<rounds).map { _ in
            try router.renew()
            let loss = try traffic(at: router, around: { try router.switchByHand(.jcom) })
            try router.switchByHand(.ftth)
            return loss
        }
        try told(losses, of: "a switch by hand", isOurs)
    }

    /// What the client loses by something that two good lines could do without loss.
    private func traffic(at router: FlowRouter, around event: () throws -> Void) throws -> (
        packets: ClientPair.Loss, broken: Int
    ) {
        let clients = try ClientPair.start(in: router.lab)
        let crowd = try FlowCrowd.open(Self.connections, .tcp, in: router.lab)
        try clients.awaitAnswers()
        guard try crowd.send().answered == Self.connections else {
            throw LabError("see the client's flows answered", "they are not")
        }
        try event()
        try stage.linger(.seconds(1))
        _ = try crowd.send()
        // A reset comes with the second packet where the first one was lost on the way.
        let rest = try crowd.send(patience: .seconds(3))
        try crowd.close()
        return (try clients.loss(), Self.connections - rest.answered)
    }

    private func told(_ losses: [(packets: ClientPair.Loss, broken: Int)], of event: String, _ isOurs: Bool) throws {
        let bar: Bar? = isOurs ? .most(0) : nil
        try sheet.row("packets lost on \(event), new", losses.map { Double($0.packets.fresh) }, unit: "", bar: bar)
        try sheet.row("  of an established UDP flow", losses.map { Double($0.packets.established) }, unit: "", bar: bar)
        let broken = losses.map(\.broken).reduce(0, +)
        try sheet.figure(
            "  TCP connections broken", "\(broken) of \(losses.count * Self.connections)",
            bar: isOurs ? ("0", broken == 0) : nil)
    }
}
