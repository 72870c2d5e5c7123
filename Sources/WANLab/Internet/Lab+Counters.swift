internal import JSONText
package import NetworkTypes
internal import Synchronization

/// What an uplink's line has seen.
package struct WireCounts: Hashable, Sendable {
    package var up: Int
    package var upLost: Int
    package var down: Int
    package var downLost: Int
}

extension Lab {
    /// Packets each provider refused because their source was not the address it had given, since the lab was built.
    package func wrongSources() throws(LabError) -> [LabUplink: Int] {
        var counts: [LabUplink: Int] = [:]
        for place in [LabPlace.inet, .jcom] {
            let text = try mustRun(in: place, ["nft", "-j", "list", "counters", "table", "inet", "lab"])
            let listing = try doing("read nft's counters") { try JSONValue(parsing: text) }
            for entry in listing["nftables"]?.array ?? [] {
                guard let counter = entry["counter"], let name = counter["name"]?.string,
                    let uplink = LabUplink(rawValue: String(name.dropFirst("wrong-".count)))
                else { continue }
                counts[uplink] = counter["packets"]?.integer.map { Int($0) }
            }
        }
        return counts
    }

    package func wireCounts() throws(LabError) -> [LabUplink: WireCounts] {
        try onWires { wires in
            var counts: [LabUplink: WireCounts] = [:]
            for uplink in LabUplink.allCases {
                let wire = try wires[uplink]
                counts[uplink] = WireCounts(
                    up: wire.up.passed, upLost: wire.up.dropped, down: wire.down.passed, downLost: wire.down.dropped)
            }
            return counts
        }
    }

    /// Which uplink a source address seen by the internet belongs to, former addresses included.
    package var sourceOwners: [IPv4Address: LabUplink] { state.withLock { $0.owners } }
}
