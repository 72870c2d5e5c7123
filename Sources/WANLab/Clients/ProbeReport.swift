package import NetworkTypes

/// What a client noticed: a gap in what it got answered, in its own clock (`Clock.boottime`, nanoseconds).
package struct Outage: Hashable, Sendable {
    /// When the last datagram before was sent that was answered; or the very first one, if none was.
    package var start: Int64
    /// When the first one after was sent that was answered; or the last one at all, if none was.
    package var end: Int64
    package var lost: Int
    /// It had not ended when the measurement did.
    package var isOpen: Bool

    package init(start: Int64, end: Int64, lost: Int, isOpen: Bool) {
        self.start = start
        self.end = end
        self.lost = lost
        self.isOpen = isOpen
    }

    package var duration: Duration { .nanoseconds(end - start) }
    package var milliseconds: Double { Double(end - start) / 1e6 }
}

/// From when on answers came back by an uplink.
package struct ProviderChange: Hashable, Sendable {
    /// When the first datagram was sent that went this way.
    package var at: Int64
    /// `nil` is a source that belongs to no uplink.
    package var uplink: LabUplink?

    package init(at: Int64, uplink: LabUplink?) {
        self.at = at
        self.uplink = uplink
    }
}

/// What a `ClientProber` measured.
package struct ProbeReport: Hashable, Sendable {
    package var sent = 0
    package var answered = 0
    package var duplicates = 0
    /// Gaps with at least one lost datagram, in order.
    package var outages: [Outage] = []
    /// Answered datagrams by the uplink they went out on.
    package var byUplink: [LabUplink: Int] = [:]
    /// Answered ones whose source the internet saw belongs to no uplink.
    package var unknownSources = 0
    package var timeline: [ProviderChange] = []
    /// Round trips of the answered ones in milliseconds: the middle one, and the longest.
    package var medianRTT: Double?
    package var longestRTT: Double?
    /// Packets the providers refused while this was measured, because they came with another provider's or a private source.
    package var wrongSources: [LabUplink: Int] = [:]

    package var lost: Int { sent - answered }
    package var longestOutage: Outage? { outages.max { $0.end - $0.start < $1.end - $1.start } }
    package var longestOutageMilliseconds: Double { longestOutage?.milliseconds ?? 0 }
    package var wrongSourceCount: Int { wrongSources.values.reduce(0, +) }
}

/// What was sent and what came back, number by number. A value; the prober's thread fills it.
package struct ProbeRecord: Sendable {
    private var sentAt: [Int64] = []
    /// 0 is unanswered.
    private var answeredAt: [Int64] = []
    private var source: [UInt32] = []
    private var duplicates = 0
    package private(set) var answered = 0

    package init() {}

    package var sent: Int { sentAt.count }

    /// The number of the datagram that is about to be sent.
    package mutating func send(at moment: Int64) -> UInt64 {
        sentAt.append(moment)
        answeredAt.append(0)
        source.append(0)
        return UInt64(sentAt.count - 1)
    }

    package mutating func answer(_ number: UInt64, from address: IPv4Address, at moment: Int64) {
        guard number < UInt64(sentAt.count) else { return }
        let place = Int(number)
        if answeredAt[place] != 0 {
            duplicates += 1
        } else {
            answeredAt[place] = moment
            source[place] = address.bits
            answered += 1
        }
    }

    /// Datagrams sent after `horizon` and not yet answered are neither answered nor lost; they are left out.
    package func report(owners: [IPv4Address: LabUplink], horizon: Int64 = .max) -> ProbeReport {
        var report = ProbeReport()
        var lastAnswered: Int64?
        var gap: (start: Int64, lost: Int)?
        var roundTrips: [Int64] = []
        var lastSource: UInt32?
        report.duplicates = duplicates
        for place in sentAt.indices {
            guard answeredAt[place] != 0 else {
                if sentAt[place] > horizon { continue }
                report.sent += 1
                gap = (gap?.start ?? lastAnswered ?? sentAt[place], (gap?.lost ?? 0) + 1)
                continue
            }
            report.sent += 1
            report.answered += 1
            if let gap {
                report.outages.append(Outage(start: gap.start, end: sentAt[place], lost: gap.lost, isOpen: false))
            }
            gap = nil
            lastAnswered = sentAt[place]
            roundTrips.append(answeredAt[place] - sentAt[place])
            let uplink = owners[IPv4Address(bits: source[place])]
            if let uplink { report.byUplink[uplink, default: 0] += 1 } else { report.unknownSources += 1 }
            if source[place] != lastSource {
                lastSource = source[place]
                if report.timeline.last.map({ $0.uplink == uplink }) != true {
                    report.timeline.append(ProviderChange(at: sentAt[place], uplink: uplink))
                }
            }
        }
        if let gap, let last = sentAt.last(where: { $0 <= horizon }) {
            report.outages.append(Outage(start: gap.start, end: last, lost: gap.lost, isOpen: true))
        }
        roundTrips.sort()
        if !roundTrips.isEmpty {
            report.medianRTT = Double(roundTrips[roundTrips.count / 2]) / 1e6
            report.longestRTT = roundTrips.last.map { Double($0) / 1e6 }
        }
        return report
    }
}
