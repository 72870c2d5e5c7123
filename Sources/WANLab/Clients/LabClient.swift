internal import LinuxIO
package import NetworkTypes

/// What a client does on its thread.
package protocol ClientSession: AnyObject, SendableMetatype {
    associatedtype Report: Sendable
    /// What it knows now; of a source address the lab says whose it is.
    func report(at now: Int64, _ owners: [IPv4Address: LabUplink]) -> Report
    /// Ends what it does without a word to anybody.
    func close()
}

/// A client in a lab, on a thread of its own.
package final class LabClient<Session: ClientSession>: Sendable {
    private let thread: LoopThread<Session>
    private let owners: @Sendable () -> [IPv4Address: LabUplink]

    /// Returns when the session is made; `lab` says whose a source address is.
    init(
        _ name: String, of lab: Lab? = nil, _ make: @escaping @Sendable (EventLoop) throws -> Session
    ) throws(LabError) {
        owners = { [weak lab] in lab?.sourceOwners ?? [:] }
        thread = try LoopThread(name, urgent: true, make)
    }

    package func snapshot() throws(LabError) -> Session.Report {
        let owners = owners()
        return try thread.perform { $0.report(at: Clock.boottime(), owners) }
    }

    package func stop() throws(LabError) -> Session.Report {
        let report = try snapshot()
        try thread.perform { $0.close() }
        thread.stop()
        return report
    }
}

/// The longest time without an answer while one was awaited.
struct Stall {
    private var since: Int64?
    private var longest: Int64 = 0

    /// Something was asked.
    mutating func begin(at now: Int64) { since = since ?? now }

    /// Something came; `more` is still awaited.
    mutating func answer(at now: Int64, more: Bool) {
        end(at: now)
        if more { since = now }
    }

    /// Nothing is awaited any more; how long it was counts.
    mutating func end(at now: Int64) {
        longest = max(longest, span(at: now))
        forget()
    }

    /// Nothing is awaited any more, and nobody knows how long it would have been.
    mutating func forget() { since = nil }

    /// How long an answer has been awaited.
    func span(at now: Int64) -> Int64 { since.map { now - $0 } ?? 0 }

    /// The one that is not over counts.
    func milliseconds(at now: Int64) -> Double { Double(max(longest, span(at: now))) / 1e6 }
}
