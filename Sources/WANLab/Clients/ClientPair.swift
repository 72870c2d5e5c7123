/// Two clients at once: one with new flows, as web pages make them, and one with a single flow from beginning to end, as a call.
struct ClientPair: Sendable {
    let fresh: ClientProber
    let established: ClientProber

    struct Loss: Hashable, Sendable, CustomStringConvertible {
        var fresh: Int
        var established: Int

        static let none = Loss(fresh: 0, established: 0)
        var description: String { "lost \(fresh) and \(established)" }
    }

    static func start(in lab: Lab) throws(LabError) -> ClientPair {
        let established = try ClientProber.start(in: lab)
        return ClientPair(fresh: try ClientProber.start(in: lab, flow: .fresh()), established: established)
    }

    static func start(at site: ProbeSite) throws(LabError) -> ClientPair {
        let established = try ClientProber.start(at: site)
        return ClientPair(fresh: try ClientProber.start(at: site, flow: .fresh()), established: established)
    }

    /// Returns when both are answered.
    func awaitAnswers() throws(LabError) {
        guard try established.waitForAnswers(atMost: .seconds(10)), try fresh.waitForAnswers(atMost: .seconds(10))
        else {
            throw LabError("see the client's datagrams answered", "they are not")
        }
    }

    /// What is lost so far.
    func lost() throws(LabError) -> Loss {
        Loss(fresh: try fresh.snapshot().lost, established: try established.snapshot().lost)
    }

    func stop() throws(LabError) -> (fresh: ProbeReport, established: ProbeReport) {
        (try fresh.stop(), try established.stop())
    }

    /// Ends them; what they lost in all.
    func loss() throws(LabError) -> Loss {
        let reports = try stop()
        return Loss(fresh: reports.fresh.lost, established: reports.established.lost)
    }
}

extension ClientPair.Loss {
    static func - (later: Self, earlier: Self) -> Self {
        Self(fresh: later.fresh - earlier.fresh, established: later.established - earlier.established)
    }
}
