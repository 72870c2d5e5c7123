internal import Glibc
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
        try bench.introduce()
        for part in parts {
            do {
                try bench.measure(part)
            } catch {
                try stage.check()  // who interrupts needs no explanation
                throw LabError("measure \(part.rawValue)", error)
            }
        }
        try bench.conclude()
        return bench.sheet.missed.isEmpty
    }

    private init(_ stage: LabStage, runs: Int) {
        self.stage = stage
        self.runs = runs
    }

    private func introduce() throws {
        let kernel = try Files.text("/proc/sys/kernel/osrelease")
        try sheet.heading("wanctl-lab bench, \(sysconf(Int32(_SC_NPROCESSORS_ONLN))) cores, Linux \(kernel)")
        try sheet.note(
            "A client in the LAN sends one datagram each 2 ms; an outage is what it misses, in milliseconds.")
        try sheet.note(
            "Lines: ftth 5 ms, jcom 12 ms, soracom 45 ms round trip. Policy: Policies/one-box.yaml, 3 × 3 probes.")
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
        stage.leave()
    }

    private func conclude() throws {
        try sheet.heading(
            sheet.missed.isEmpty ? "Every bar is met." : "Missed: \(sheet.missed.joined(separator: "; "))")
    }

    /// Faults come at another place of the probe interval each time, so that the distribution shows all of it.
    func phase(_ place: Int, of count: Int) -> Duration { .milliseconds(250 * place / max(1, count)) }
}
