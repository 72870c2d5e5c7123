package import NetworkTypes
package import WANModel

/// What the engine knows of an uplink, for people and scripts.
package struct UplinkView: Hashable, Sendable {
    package struct Target: Hashable, Sendable {
        package var address: IPAddress
        package var answered: Bool
        package var rtt: Duration?
        package var loss: Double
    }
    package struct SpeedClass: Hashable, Sendable {
        package var wanted: String
        package var confirmed: String?
        package var via: String?
        package var at: Moment?
        package var failure: String?
    }
    package struct Keepalive: Hashable, Sendable {
        package var idle: Duration
        package var lastSent: Moment?
        package var due: Moment
        package var lostInARow: Int
    }
    package var number: UplinkNumber
    package var name: String
    package var interface: String
    package var attachment: Attachment?
    package var state: UplinkState
    package var traffic: UplinkTraffic
    package var since: Moment
    package var reason: String
    package var rtt: Duration?
    package var jitter: Duration?
    package var loss: Double
    package var targets: [Target]
    package var speedClass: SpeedClass?
    package var keepalive: Keepalive?
    package var isMetered: Bool
    package var isDrained: Bool
    package var flaps: Int
    package var holdUntil: Moment?
    /// When the last of its old flows are moved at the latest.
    package var drainsUntil: Moment?
    /// Until when connections wait for it to answer again.
    package var graceUntil: Moment?
    /// The classes of traffic that it carries, by their index in `EngineSetup.classes`.
    package var classes: [Int]
    /// The classes whose old flows may finish here.
    package var drainingClasses: Set<Int>
    /// No probes but the keepalive.
    package var isDormant: Bool
}

extension Engine {
    /// In the order of the policy's `failover`, then the uplinks that are in no order.
    package func views(at now: Moment) -> [UplinkView] {
        let rest = records.map(\.number).filter { !order.contains($0) }
        return (order + rest).compactMap { view(of: $0, at: now) }
    }

    package func view(of uplink: UplinkNumber, at now: Moment) -> UplinkView? {
        guard let index = index(of: uplink) else { return nil }
        let record = records[index]
        let traffic: UplinkTraffic =
            share.contains(uplink) ? .selected : record.departures.isEmpty ? .standby : .draining
        return UplinkView(
            number: uplink, name: record.settings.name, interface: record.settings.interface,
            attachment: record.attachment, state: record.state, traffic: traffic, since: record.since,
            reason: record.reason, rtt: record.rtt, jitter: record.jitter, loss: record.loss(at: now),
            targets: record.targets.map {
                UplinkView.Target(
                    address: $0.address, answered: $0.isAnswering, rtt: $0.rtt.rtt, loss: $0.window.loss(at: now))
            },
            speedClass: record.speed.map {
                UplinkView.SpeedClass(
                    wanted: $0.wanted, confirmed: $0.confirmed, via: $0.confirmedVia, at: $0.confirmedAt,
                    failure: $0.lastFailure)
            },
            keepalive: record.keepalive.map {
                UplinkView.Keepalive(
                    idle: $0.settings.idle, lastSent: $0.lastSent, due: $0.dueAt, lostInARow: $0.lostInARow)
            },
            isMetered: record.settings.metered, isDrained: record.isDrained, flaps: record.flaps,
            holdUntil: record.holdUntil, drainsUntil: record.departures.values.map(\.until).max(),
            graceUntil: record.graceUntil,
            classes: classes.indices.filter { classes[$0].choice.active.contains(uplink) },
            drainingClasses: Set(record.departures.keys), isDormant: isDormant(index))
    }
}
