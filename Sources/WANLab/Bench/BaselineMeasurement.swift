internal import LinuxIO

extension KeepalivedBaseline {
    /// The client's view of so many silent blackholes of the fibre line, one after the other.
    ///
    /// Between two, the line heals and keepalived gets the time to return to it. Each is shifted a little more against
    /// keepalived's one-second beat, so that the distribution shows all of it.
    package func measureBlackholes(
        _ count: Int, flow: ClientProber.Flow = .established, each: (ProbeReport) -> Void = { _ in }
    ) throws(LabError) -> [ProbeReport] {
        var reports: [ProbeReport] = []
        for place in 0..<count {
            try lab.clearFaults(.ftth)
            try waitForDefault(over: .ftth, atMost: .seconds(20))
            let prober = try ClientProber.start(in: lab, flow: flow)
            let calm = 300 + 1000 * place / count
            try prober.waitForAnswers(atMost: .seconds(5))
            pause(milliseconds: Int32(calm))
            try lab.setFault(.ftth, .blackhole())
            try waitForDefault(over: .jcom, atMost: .seconds(20))
            try prober.waitForAnswers(atMost: .seconds(10))
            let report = try prober.stop()
            reports.append(report)
            each(report)
        }
        return reports
    }
}

extension ClientProber {
    /// Returns when the newest answer is fresh, or after that long; whether it is.
    @discardableResult
    package func waitForAnswers(atMost limit: Duration) throws(LabError) -> Bool {
        let deadline = Clock.boottime() + limit.nanoseconds
        while Clock.boottime() < deadline {
            if try isAnswered(within: .milliseconds(50)) { return true }
            pause(milliseconds: 5)
        }
        return false
    }
}
