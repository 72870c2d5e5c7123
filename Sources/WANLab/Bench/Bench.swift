internal import LinuxIO

/// `wanctl-lab bench`: outages, times and costs, each beside its bar.
package final class Bench {
    package enum Part: String, Hashable, Sendable, CaseIterable {
        case failover, carrier, silence, failback, manual, flows, share, conntrack, `switch`, rules, restart, idle,
            probes
        case keepalived
    }

    let stage: LabStage
    let sheet = BenchSheet()
    let runs: Int

    /// Measures the parts in order; true where every bar was met.
    package static func run(_ parts: [Part], runs: Int, on stage: LabStage) throws -> Bool {
        let bench = Bench(stage, runs: runs)
        try bench.sheet.title(
            "wanctl-lab bench",
            "A client in the LAN sends one datagram each 2 ms; an outage is what it misses, in milliseconds.",
            "Lines: ftth 5 ms, jcom 12 ms, soracom 45 ms round trip. Policy: Policies/one-box.yaml, 3 × 3 probes.")
        return try bench.sheet.run(parts, on: stage, bench.measure)
    }

    private init(_ stage: LabStage, runs: Int) {
        self.stage = stage
        self.runs = runs
    }

    private func measure(_ part: Part) throws {
        switch part {
        case .failover: try failover()
        case .carrier: try carrier()
        case .silence: try silence()
        case .failback: try failback()
        case .manual: try manual()
        case .flows: try flows()
        case .share: try share()
        case .conntrack: try conntrack()
        case .switch: try switches()
        case .rules: try rules()
        case .restart: try restart()
        case .idle: try idle()
        case .probes: try probes()
        case .keepalived: try keepalived()
        }
    }

    /// Faults come at another place of the probe interval each time, so that the distribution shows all of it.
    func phase(_ place: Int, of count: Int) -> Duration { .milliseconds(250 * place / max(1, count)) }

    /// How long something takes.
    static func milliseconds(_ body: () throws -> Void) rethrows -> Double {
        let began = Clock.boottime()
        try body()
        return Double(Clock.boottime() - began) / 1e6
    }
}
