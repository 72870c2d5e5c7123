internal import LinuxIO
internal import NetworkTypes

/// CPU per probe, ours beside fping's, for the same load on the same machine in turns.
///
/// Both ask addresses that the loopback of a namespace answers, so the kernel's work of sending, answering and receiving is in
/// both figures. fping is measured as a child from exec to exit; ours while it probes. See `ProbeLoad` for what ours does beside
/// sending.
package struct ProbeBenchmark: Sendable {
    /// Addresses asked, at most 60000.
    package var targets = 1000
    /// How often each of them is asked in a second.
    package var rate = 10
    package var seconds = 10
    package var pairs = 5
    /// Both spread the probes over each period. Unpaced, both ask all targets at once: cheaper for fping, which then wakes up less,
    /// and possible only up to 65535 probes in 10 s (`not enough sequence numbers`).
    package var paced = true

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
        package var ratio: Double { Report.median(ours) / Report.median(fping) }

        static func median(_ samples: [Sample]) -> Double {
            let sorted = samples.map(\.perProbe).sorted()
            guard !sorted.isEmpty else { return .nan }
            return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
        }
    }

    /// Runs all pairs; `progress` hears a line after each.
    package func run(progress: (String) -> Void = { _ in }) throws -> Report {
        let namespace = try NetworkNamespace.make()
        return try namespace.inside {
            try MeasuredChild.run("ip", "link", "set", "lo", "up")
            try MeasuredChild.run("ip", "route", "add", "local", "10.99.0.0/16", "dev", "lo")
            var report = Report()
            for pair in 1...max(1, pairs) {
                let ours = try ProbeLoad(targets: targets, rate: rate, seconds: seconds, paced: paced).run()
                let theirs = try measureFping()
                report.ours.append(ours)
                report.fping.append(theirs)
                progress("pair \(pair): wanctl \(ours), fping \(theirs)")
            }
            return report
        }
    }

    /// The shortest pause that fits all targets into a period; fping stretches the period where it cannot keep up.
    private func measureFping() throws -> Sample {
        let period = 1000 / rate
        let pause = paced ? Double(period) / Double(targets) : 0
        let began = Clock.boottime()
        let child = try MeasuredChild.run(
            "fping", "-q", "-c", String(rate * seconds), "-p", String(period), "-i", fixed(pause, digits: 2), "-g",
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

extension ProbeBenchmark.Sample: CustomStringConvertible {
    package var description: String {
        "\(fixed(perProbe, digits: 2)) µs/probe (\(answered) of \(probes) answered in \(fixed(wallSeconds, digits: 1)) s)"
    }
}

extension ProbeBenchmark.Report: CustomStringConvertible {
    package var description: String {
        func row(_ name: String, _ samples: [ProbeBenchmark.Sample]) -> String {
            let values = samples.map(\.perProbe).sorted()
            let columns = [values.first, Self.median(samples), values.last].map { fixed($0 ?? .nan, digits: 2) }
            return name + columns.map { String(repeating: " ", count: max(1, 9 - $0.count)) + $0 }.joined()
        }
        return """
            CPU µs/probe      min   median      max
            \(row("wanctl  ", ours))
            \(row("fping   ", fping))
            ratio of medians \(fixed(ratio, digits: 3)), bar 0.500: \(ratio <= 0.5 ? "met" : "MISSED")
            """
    }
}

/// A number with so many digits after the point.
private func fixed(_ value: Double, digits: Int) -> String {
    guard value.isFinite else { return "–" }
    var scale = 1.0
    for _ in 0..<digits { scale *= 10 }
    let scaled = Int((value * scale).rounded())
    let text = String(abs(scaled))
    let padded = String(repeating: "0", count: max(0, digits + 1 - text.count)) + text
    let point = padded.index(padded.endIndex, offsetBy: -digits)
    let sign = scaled < 0 ? "-" : ""
    return digits == 0 ? sign + padded : "\(sign)\(padded[..<point]).\(padded[point...])"
}
