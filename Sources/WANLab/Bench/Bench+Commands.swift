internal import LinuxIO
internal import NetworkTypes
internal import WANControl

/// What the operator does, and how fast a decision is in the kernel.
extension Bench {
    func manual() throws {
        try sheet.heading("`wanctl failover` between two good uplinks")
        let site = try BenchSite(on: stage)
        try site.settle()
        let established = try ClientProber.start(in: site.lab)
        let fresh = try ClientProber.start(in: site.lab, flow: .fresh())
        try site.awaitAnswers(established, fresh)
        var spans: [Double] = []
        for place in 0..<runs {
            try stage.linger(.milliseconds(300) + phase(place, of: runs))
            let uplink = place % 2 == 0 ? "jcom" : "ftth"
            let began = Clock.boottime()
            try Command.mustRun([siblingProgram("wanctl"), "--socket", site.router.socketPath, "failover", uplink])
            spans.append(Double(Clock.boottime() - began) / 1e6)
        }
        try stage.linger(.seconds(1))
        let reports = try (fresh.stop(), established.stop())
        try sheet.row("the command, from exec to exit", spans, unit: "ms", bar: .most(50))
        let lost = (reports.0.lost, reports.1.lost)
        try sheet.figure(
            "packets lost, new flows", "\(lost.0) of \(reports.0.sent)", bar: ("0", lost.0 == 0))
        try sheet.figure("packets lost, an established flow", "\(lost.1) of \(reports.1.sent)")
    }

    func switches() throws {
        try sheet.heading("From the decision to the kernel's last acknowledgement")
        let count = max(2, runs * 25)
        let site = try BenchSite(on: stage)
        try site.settle()
        try sheet.row(
            "3 uplinks", try applied(count, at: site.router, between: ["jcom", "ftth"]), unit: "ms",
            bar: .percentile99(0.5))

        let many = try ManyUplinks.start(on: stage)
        try sheet.row(
            "\(ManyUplinks.count) uplinks", try applied(count, at: many.router, between: many.names), unit: "ms",
            bar: .percentile99(3))
    }

    /// `names` ends with the one that is selected at the beginning.
    func applied(_ count: Int, at router: RouterUnderTest, between names: [String]) throws -> [Double] {
        try (0..<count).map { place in
            try stage.check()
            let done = try router.act(.failover(uplink: names[place % names.count]))
            guard let applied = done.change?.appliedMilliseconds else {
                throw LabError("switch to \(names[place % names.count])", "the daemon did nothing: \(done.done)")
            }
            return applied
        }
    }
}
