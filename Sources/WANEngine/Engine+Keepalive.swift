internal import WANModel

/// The interface's counters: evidence in a doubt, and what the keepalive looks at.
extension Engine {
    private static let keepaliveLossInterval: Duration = .seconds(5)

    mutating func counted(_ uplink: UplinkNumber, _ counters: InterfaceCounters, at now: Moment) {
        guard let index = index(of: uplink) else { return }
        records[index].suspicion?.countersNow = counters
        if records[index].suspicion?.countersAtStart == nil { records[index].suspicion?.countersAtStart = counters }
        guard records[index].isPresent, records[index].keepalive?.looked(counters, at: now) == true,
            let target = records[index].keepalive?.settings.target
        else { return }
        sequence += 1
        records[index].keepalive?.sent(at: now)
        records[index].outstanding.append(
            OutstandingProbe(
                sequence: sequence, purpose: .keepalive, sentAt: now, lossAt: now + Self.keepaliveLossInterval))
        outputs += [
            .probe(ProbeIdentity(uplink: uplink, target: target, sequence: sequence)), .event(.keepaliveSent(uplink)),
        ]
    }

    mutating func keepAlive(_ index: Int, at now: Moment) {
        guard records[index].isPresent, let look = records[index].keepalive?.nextLook, look <= now else { return }
        records[index].keepalive?.looking(at: now)
        outputs.append(.sampleCounters(records[index].number))
    }
}
