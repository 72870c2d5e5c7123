internal import WANControl

/// What the operator does, and how fast a decision is in the kernel.
extension Bench {
    func manual() throws {
        try sheet.heading("`wanctl failover` between two good uplinks")
        let site = try BenchSite(on: stage)
        try site.settle()
        let clients = try site.clients()
        var spans: [Double] = []
        for place in 0..<runs {
            try stage.linger(.milliseconds(300) + phase(place, of: runs))
            let uplink = place % 2 == 0 ? "jcom" : "ftth"
            spans.append(try Self.milliseconds { try site.command("failover", uplink) })
        }
        try stage.linger(.seconds(1))
        let reports = try clients.stop()
        try sheet.row("the command, from exec to exit", spans, unit: "ms", bar: .most(50))
        let (fresh, established) = (reports.fresh, reports.established)
        try sheet.figure(
            "packets lost, new flows", "\(fresh.lost) of \(fresh.sent)", bar: ("0", fresh.lost == 0))
        try sheet.figure("packets lost, an established flow", "\(established.lost) of \(established.sent)")
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
