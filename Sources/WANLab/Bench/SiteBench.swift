/// `wanctl-lab bench --two-boxes`: how long the LAN misses its gateway, beside the classic set-up of scripts.
package final class SiteBench {
    package enum Part: String, Hashable, Sendable, CaseIterable {
        case blackhole, gone, killed
        /// The same three by `ClassicSite`.
        case classic
    }

    private let stage: LabStage
    private let sheet = BenchSheet()
    private let runs: Int

    /// As long as a hand-over may take at all; the classic way back alone takes some six seconds.
    private static let patience = Duration.seconds(30)

    /// Measures the parts in order; true where every bar was met.
    package static func run(_ parts: [Part], runs: Int, on stage: LabStage) throws -> Bool {
        let bench = SiteBench(stage, runs)
        try bench.sheet.title(
            "wanctl-lab bench --two-boxes",
            "main has the fibre (5 ms) and the LAN's gateway address, sub has LTE (45 ms), keepalived on both.",
            "A client in the LAN sends one datagram each 2 ms; an outage is what it misses, in milliseconds.",
            "wanctl: advertisements each 100 ms, a backup forwards nothing, hold 2s. Each run has boxes that were just started."
        )
        return try bench.sheet.run(parts, on: stage, bench.measure)
    }

    private init(_ stage: LabStage, _ runs: Int) {
        self.stage = stage
        self.runs = runs
    }

    private func measure(_ part: Part) throws {
        switch part {
        case .blackhole:
            try sheet.heading("main's fibre is silent, its link stays up; then it heals")
            try rows(try watch(.silent), outage: .median(1000), isHeldToReturn: true)
        case .gone:
            try sheet.heading("main's ppp0 vanishes; then it is back")
            try rows(try watch(.gone), outage: .most(500), isHeldToReturn: true)
        case .killed:
            try sheet.heading("main loses its power")
            try rows(try watch(.killed), outage: .most(600))
        case .classic: try classic()
        }
    }

    private func classic() throws {
        let count = runs
        try sheet.heading("The classic set-up: check script each 1 s, fall 3, rise 3, advertisements each 1 s")
        let faults: [(SiteFault, String)] = [
            (.silent, "main's fibre is silent; then it heals:"), (.gone, "main's ppp0 vanishes; then it is back:"),
            (.killed, "main loses its power:"),
        ]
        for (fault, words) in faults {
            let passages = try (0..<count).map { place in
                let lab = try stage.buildSite()
                let site = try ClassicSite.start(in: lab)
                // Its beat is a second, and the distribution is to show all of it.
                return try withExtendedLifetime(site) {
                    try SitePassage.watch(
                        fault, in: lab, on: stage, after: .milliseconds(1000 * place / count), patience: Self.patience)
                }
            }
            try sheet.note(words)
            try rows(passages)
        }
    }

    /// Each run has a site of its own: the hold of a line grows with each failure that is remembered.
    private func watch(_ fault: SiteFault) throws -> [SitePassage] {
        try (0..<runs).map { place in
            let lab = try stage.buildSite()
            let site = try SiteAtWork(in: lab, hold: "2s")
            try site.settle()
            try stage.linger(.seconds(2))  // until round trips are known
            return try withExtendedLifetime(site) {
                // Another place of the probe interval each time.
                try SitePassage.watch(
                    fault, in: lab, on: stage, after: .milliseconds(250 * place / runs), patience: Self.patience)
            }
        }
    }

    private func rows(
        _ passages: [SitePassage], outage: Bar? = nil, isHeldToReturn: Bool = false
    ) throws {
        try sheet.row("outage, new flows", passages.map(\.fresh), unit: "ms", bar: outage)
        try sheet.row("outage, an established UDP flow", passages.map(\.established), unit: "ms", bar: outage)
        let returns = passages.compactMap(\.lostOnReturn)
        guard !returns.isEmpty else { return }
        let bar = isHeldToReturn ? Bar.most(0) : nil
        try sheet.row("lost on the way back, new flows", returns.map { Double($0.fresh) }, unit: "", bar: bar)
        try sheet.row(
            "lost on the way back, established", returns.map { Double($0.established) }, unit: "", bar: bar)
    }
}
