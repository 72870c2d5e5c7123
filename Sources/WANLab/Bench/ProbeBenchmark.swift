internal import LinuxIO
internal import NetworkTypes

/// CPU per probe, ours beside fping's, for the same load on the same machine in turns.
///
/// Both spread the probes over each period, and ask addresses that the loopback of a namespace answers, so the kernel's work of
/// sending, answering and receiving is in both figures. fping is measured as a child from exec to exit; ours while it probes. See
/// `ProbeLoad` for what ours does beside sending.
package struct ProbeBenchmark: Sendable {
    /// Addresses asked, at most 60000.
    package var targets = 1000
    /// How often each of them is asked in a second.
    package var rate = 10
    package var seconds = 10
    package var pairs = 5
    package init() {}

    package struct Sample: Hashable, Sendable {
        package var probes: Int
        package var answered: Int
        package var cpuMicroseconds: Double
        package var wallSeconds: Double
        package var perProbe: Double { cpuMicroseconds / Double(max(1, probes)) }
    }

    package struct Report: Hashable, Sendable {
        package var ours: [Sample] = []
        package var fping: [Sample] = []
        /// Ours divided by fping's, median by median; the bar is 0.5.
        package var ratio: Double {
            Distribution(ours.map(\.perProbe)).median / Distribution(fping.map(\.perProbe)).median
        }
    }

    package func run() throws -> Report {
        let namespace = try NetworkNamespace.make()
        return try namespace.inside {
            try MeasuredChild.run("ip", "link", "set", "lo", "up")
            try MeasuredChild.run("ip", "route", "add", "local", "10.99.0.0/16", "dev", "lo")
            var report = Report()
            for _ in 1...max(1, pairs) {
                report.ours.append(try ProbeLoad(targets: targets, rate: rate, seconds: seconds).run())
                report.fping.append(try measureFping())
            }
            return report
        }
    }

    /// The shortest pause that fits all targets into a period; fping stretches the period where it cannot keep up.
    private func measureFping() throws -> Sample {
        let period = 1000 / rate
        let pause = Double(period) / Double(targets)
        let began = Clock.boottime()
        let child = try MeasuredChild.run(
            "fping", "-q", "-c", String(rate * seconds), "-p", String(period), "-i", Figure.fixed(pause, 2), "-g",
            address(0), address(targets - 1))
        let wall = Double(Clock.boottime() - began) / 1e9
        // One line for each target: `10.99.0.1 : xmt/rcv/%loss = 100/100/0%, min/avg/max = …`
        var sent = 0
        var received = 0
        for line in child.errorText.split(separator: "\n") {
            guard let counts = line.split(separator: "= ").dropFirst().first?.split(separator: "/"), counts.count >= 2
            else { continue }
            sent += Int(counts[0]) ?? 0
            received += Int(counts[1]) ?? 0
        }
        return Sample(
            probes: sent, answered: received, cpuMicroseconds: Double(child.cpuNanoseconds) / 1000, wallSeconds: wall)
    }

    private func address(_ number: Int) -> String { ProbeLoad.target(number).description }
}
