internal import Glibc
package import JSONText
internal import LinuxIO
internal import NetworkTypes

extension WireDirection {
    /// What this way does to packets, in the words of `wanctl-lab fault`; empty where it does nothing.
    func effects(at now: Int64) -> [String] {
        var effects: [String] = []
        func add(_ name: String, _ value: Int64) {
            if value > 0 { effects.append("\(name) \(Double(value) / 1e6) ms") }
        }
        if silentUntil == .max {
            effects.append("blackhole")
        } else if silentUntil > now {
            add("silence for", silentUntil - now)
        }
        if reachableOnly != nil { effects.append("upstream dead") }
        if loss > 0 { effects.append("loss \(Double(Int(loss * 1000 + 0.5)) / 10) %") }
        add("delay", delay)
        add("jitter", jitter)
        if rate > 0 { effects.append("rate \(rate / 1000) kbit/s") }
        if dropNext > 0 { effects.append("drops the next \(dropNext)") }
        for (address, share) in lossOf.sorted(by: { $0.key < $1.key }) {
            effects.append("\(IPv4Address(bits: address)) \(share >= 1 ? "dead" : "loses \(share * 100) %")")
        }
        return effects
    }
}

extension Lab {
    /// The lab as it is now.
    package func status() throws(LabError) -> JSONValue {
        let wrong = try wrongSources()
        let counts = try wireCounts()
        var uplinks: [JSONValue] = []
        for uplink in LabUplink.allCases {
            let (isPlugged, up, down) = try onWires { wires in
                let wire = try wires[uplink]
                let now = Clock.boottime()
                return (wire.isPlugged, wire.up.effects(at: now), wire.down.effects(at: now))
            }
            let count = counts[uplink] ?? WireCounts(up: 0, upLost: 0, down: 0, downLost: 0)
            uplinks.append([
                "name": .string(uplink.rawValue), "interface": .string(uplink.interface), "present": .bool(isPlugged),
                "address": .string(address(of: uplink).description),
                "up": .array(up.map { .string($0) }), "down": .array(down.map { .string($0) }),
                "packets": [
                    "up": .integer(Int64(count.up)), "up_lost": .integer(Int64(count.upLost)),
                    "down": .integer(Int64(count.down)), "down_lost": .integer(Int64(count.downLost)),
                ],
                "wrong_sources": .integer(Int64(wrong[uplink] ?? 0)),
            ])
        }
        let owners = sourceOwners.sorted { $0.key < $1.key }.map { owner in
            JSONValue.Member(owner.key.description, .string(owner.value.rawValue))
        }
        return [
            "id": .string(id), "pid": .integer(Int64(getpid())),
            "namespaces": .object(LabPlace.allCases.map { .init($0.rawValue, .string(namespaceName($0))) }),
            "uplinks": .array(uplinks), "sources": .object(owners),
        ]
    }
}
