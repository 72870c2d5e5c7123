internal import LinuxIO
package import NetworkTypes

/// What became of one long download.
package struct DownloadReport: Hashable, Sendable {
    package var octets = 0
    /// The longest time without an octet in milliseconds; the one that is not over counts.
    package var longestStall: Double = 0
    /// When the last octets came (`Clock.boottime`).
    package var lastOctets: Int64?
    /// What ended it before it was stopped, and when; `nil` where nothing did.
    package var brokenBy: Breakage?
    package var brokenAt: Int64?
    /// The source the server saw, and whose it is; `nil` is nobody's.
    package var seenAs: Endpoint?
    package var uplink: LabUplink?
}

/// A client of the LAN that reads one long download and never writes: a megabyte a second, without end.
///
/// Such a client learns nothing by itself: when its flow is cut it waits, unless somebody tells it.
package typealias ClientDownload = LabClient<DownloadSession>

extension ClientDownload {
    /// Returns when the first octets have come.
    package static func start(in lab: Lab, patience: Duration = .seconds(5)) throws(LabError) -> ClientDownload {
        let namespace = lab.namespacePath(.lan)
        let begun = try doing("download") { try Reply<LabError?>() }
        let download = try ClientDownload("the client's download", of: lab) { loop in
            try DownloadSession(on: loop, in: namespace, to: ContentServer.download, patience: patience, begun)
        }
        if let failure = begun.wait() { throw failure }
        return download
    }
}

/// The download on its thread.
package final class DownloadSession: ClientSession {
    private let stream: ClientStream
    private let loop: EventLoop
    private var begun: Reply<LabError?>?
    private var timer: EventLoop.Timer?
    private var record = DownloadReport()
    private var stall = Stall()

    init(
        on loop: EventLoop, in path: String, to server: Endpoint, patience: Duration, _ begun: Reply<LabError?>
    ) throws {
        self.loop = loop
        self.begun = begun
        stream = try ClientStream(on: loop, in: try NetworkNamespace.open(path), to: server, buffer: 65536)
        stream.onTold = { [unowned self] in record.seenAs = $0 }
        stream.onReceived = { [unowned self] in receive($0) }
        stream.onEnd = { [unowned self] in end($0) }
        timer = loop.schedule(at: Clock.boottime() + patience.nanoseconds) { [unowned self] in
            stream.close()
            start(LabError("download", "no octet within \(patience)"))
        }
    }

    package func report(at now: Int64, _ owners: [IPv4Address: LabUplink]) -> DownloadReport {
        var report = record
        report.longestStall = stall.milliseconds(at: now)
        report.uplink = report.seenAs.flatMap { owners[$0.address] }
        return report
    }

    package func close() { stream.close() }

    private func receive(_ count: Int) {
        let now = Clock.boottime()
        stall.answer(at: now, more: true)
        record.lastOctets = now
        record.octets += count
        start(nil)
    }

    private func end(_ reason: Breakage) {
        let now = Clock.boottime()
        stall.end(at: now)
        record.brokenBy = reason
        record.brokenAt = now
        start(LabError("download", "\(reason)"))
    }

    private func start(_ failure: LabError?) {
        begun?.give(failure)
        begun = nil
        if let timer { loop.cancel(timer) }
        timer = nil
    }
}
