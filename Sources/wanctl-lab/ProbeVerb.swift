internal import ArgumentParser
internal import Glibc
internal import JSONText
internal import LinuxIO
internal import WANLab

/// `wanctl-lab probe`
struct ProbeVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "probe",
        abstract: "Be the LAN client: a datagram each 2 ms to the content server, and what came back by whom.")

    @OptionGroup var choice: LabChoice

    @Option(name: .long, help: "How long; Ctrl-C ends it earlier.")
    var seconds: Double = 10

    @Flag(name: .long, help: "A new flow (source port) each 20 ms instead of one established flow.")
    var fresh = false

    @Flag(name: .long, help: "Print JSON.")
    var json = false

    func validate() throws {
        guard seconds > 0, seconds <= 86_400 else {
            throw ValidationError("--seconds is more than 0 and a day at most.")
        }
    }

    func run() throws {
        let signals = try SignalReader([SIGINT, SIGTERM])
        let client = try choice.client()
        let before = try client.wrongSources()
        let started = Clock.boottime()
        let connection = ProbedConnection(at: try client.clientSite())
        let prober = try ClientProber.start(at: try client.clientSite(), flow: fresh ? .fresh() : .established)
        let loop = try EventLoop()
        loop.schedule(at: started + Int64(seconds * 1e9)) { loop.stop() }
        _ = try loop.watch(signals.descriptor.raw) { _ in loop.stop() }
        try loop.run()
        var report = try prober.stop()
        report.wrongSources = try client.wrongSources().merging(before) { $0 - $1 }.filter { $0.value > 0 }
        let (words, members) = connection.outcome
        print(
            json
                ? JSONValue.object((report.json(since: started).members ?? []) + [.init("connection", members)])
                    .prettyText
                : report.text(since: started) + "\none TCP connection: " + words)
    }
}

/// A TCP connection held beside the datagrams, in words and as JSON; that it could not be made is an outcome too.
private struct ProbedConnection {
    private let connection: Result<ClientConnection, LabError>

    init(at site: ProbeSite) {
        do throws(LabError) {
            connection = .success(try ClientConnection.start(at: site, patience: .seconds(2)))
        } catch {
            connection = .failure(error)
        }
    }

    var outcome: (String, JSONValue) {
        do throws(LabError) {
            let report = try connection.get().stop()
            let stall = (report.longestStall * 10).rounded() / 10
            let end = report.brokenBy.map { "broken: \($0)" } ?? "unbroken"
            return (
                "\(end), \(report.echoed) of \(report.sent) echoed, longest stall \(stall) ms",
                [
                    "sent": .integer(Int64(report.sent)), "echoed": .integer(Int64(report.echoed)),
                    "longest_stall_ms": .number(report.longestStall), "broken_by": JSONValue(report.brokenBy),
                ]
            )
        } catch {
            return ("none: \(error.problem)", ["broken_by": .string(error.problem)])
        }
    }
}
