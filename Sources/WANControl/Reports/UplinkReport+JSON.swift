package import JSONText
internal import WANModel

extension UplinkReport {
    package var json: JSONValue {
        [
            "name": .string(name), "interface": .string(interface), "ifindex": .whole(ifindex),
            "state": .string(state.rawValue), "traffic": .string(traffic.rawValue), "since": .time(since),
            "reason": .string(reason), "addresses": .texts(addresses), "gateway": JSONValue(gateway),
            "rtt_ms": JSONValue(rttMilliseconds), "jitter_ms": JSONValue(jitterMilliseconds), "loss": JSONValue(loss),
            "targets": .array(targets.map(\.json)), "speed_class": speedClass?.json ?? .null,
            "keepalive": keepalive?.json ?? .null,
            "bytes": ["rx": .whole(bytes.received), "tx": .whole(bytes.sent), "probes": .whole(bytes.probes)],
            "metered": .bool(metered), "state_seconds": .seconds(stateSpan), "hold_until": .time(holdUntil),
            "hold_seconds": .seconds(holdSpan), "flaps": .whole(flaps),
            "drain": drain.map {
                ["flows": .whole($0.flows), "bytes": .whole($0.bytes), "left_seconds": .seconds($0.left)]
            } ?? .null,
            "rules": .texts(rules),
        ]
    }

    init(_ reader: ReportReader) throws(ReportError) {
        self.init(
            name: try reader.text("name"), interface: try reader.text("interface"),
            state: try reader.choice("state", as: State.self), traffic: try reader.choice("traffic", as: Traffic.self),
            since: try reader.time("since"), reason: try reader.text("reason"))
        ifindex = try reader.optional("ifindex", "interface index") { $0.integer.flatMap { Int32(exactly: $0) } }
        addresses = try reader.texts("addresses")
        gateway = try reader.optionalText("gateway")
        rttMilliseconds = try reader.optionalNumber("rtt_ms")
        jitterMilliseconds = try reader.optionalNumber("jitter_ms")
        loss = try reader.optionalNumber("loss")
        targets = try reader.objects("targets") { (inner) throws(ReportError) in try Target(inner) }
        speedClass = try reader.object("speed_class") { (inner) throws(ReportError) in try SpeedClass(inner) }
        keepalive = try reader.object("keepalive") { (inner) throws(ReportError) in try Keepalive(inner) }
        bytes =
            try reader.object("bytes") { (inner) throws(ReportError) in
                Bytes(
                    received: UInt64(clamping: try inner.integer("rx")),
                    sent: UInt64(clamping: try inner.integer("tx")),
                    probes: UInt64(clamping: try inner.integer("probes")))
            } ?? Bytes()
        metered = try reader.optionalFlag("metered") ?? false
        stateSpan = try reader.optionalSeconds("state_seconds")
        holdUntil = try reader.optionalTime("hold_until")
        holdSpan = try reader.optionalSeconds("hold_seconds")
        flaps = Int(clamping: try reader.optionalInteger("flaps") ?? 0)
        drain = try reader.object("drain") { (inner) throws(ReportError) in
            Drain(
                flows: Int(clamping: try inner.integer("flows")), bytes: UInt64(clamping: try inner.integer("bytes")),
                left: try inner.optionalSeconds("left_seconds") ?? .zero)
        }
        rules = try reader.texts("rules")
    }
}

extension UplinkReport.Target {
    package var json: JSONValue {
        [
            "address": .string(address), "answered": answered.map { .bool($0) } ?? .null,
            "rtt_ms": JSONValue(rttMilliseconds), "loss": JSONValue(loss),
        ]
    }

    init(_ reader: ReportReader) throws(ReportError) {
        self.init(
            address: try reader.text("address"), answered: try reader.optionalFlag("answered"),
            rttMilliseconds: try reader.optionalNumber("rtt_ms"), loss: try reader.optionalNumber("loss"))
    }
}

extension UplinkReport.SpeedClass {
    package var json: JSONValue {
        [
            "wanted": .string(wanted), "confirmed": JSONValue(confirmed), "via": JSONValue(via), "at": .time(at),
            "problem": JSONValue(problem),
        ]
    }

    init(_ reader: ReportReader) throws(ReportError) {
        self.init(
            wanted: try reader.text("wanted"), confirmed: try reader.optionalText("confirmed"),
            via: try reader.optionalText("via"), at: try reader.optionalTime("at"),
            problem: try reader.optionalText("problem"))
    }
}

extension UplinkReport.Keepalive {
    package var json: JSONValue {
        [
            "idle_seconds": .seconds(idle), "last": .time(last), "next": .time(next),
            "answered": answered.map { .bool($0) } ?? .null,
        ]
    }

    init(_ reader: ReportReader) throws(ReportError) {
        self.init(
            idle: try reader.seconds("idle_seconds"), last: try reader.optionalTime("last"),
            next: try reader.optionalTime("next"),
            answered: try reader.optionalFlag("answered"))
    }
}
