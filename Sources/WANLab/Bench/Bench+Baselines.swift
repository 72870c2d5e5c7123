/// Others at the same work on the same machine.
extension Bench {
    func probes() throws {
        try sheet.heading("CPU of 1000 targets × 10 probes a second, beside fping")
        let report = try ProbeBenchmark().run()
        try sheet.row("wanctl", report.ours.map(\.perProbe), unit: "µs/probe")
        try sheet.row("fping", report.fping.map(\.perProbe), unit: "µs/probe")
        try sheet.figure(
            "ratio of medians", Figure.fixed(report.ratio, 3), bar: ("≤ 0.5", report.ratio <= 0.5))
    }

    func keepalived() throws {
        try sheet.heading("keepalived with the classic check script (1 s, fall 3), silent blackhole")
        let lab = try stage.build()
        let baseline = try KeepalivedBaseline.start(in: lab)
        let reports = try baseline.measureBlackholes(max(1, runs / 2), flow: .fresh())
        baseline.stop()
        try sheet.row("outage, new flows", reports.map(\.longestOutageMilliseconds), unit: "ms")
    }
}
