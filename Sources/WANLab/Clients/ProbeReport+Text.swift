package import JSONText

extension ProbeReport {
    /// The report as a person reads it; moments are seconds since `start`.
    package func text(since start: Int64) -> String {
        func seconds(_ moment: Int64) -> String { "\(Self.rounded(Double(moment - start) / 1e9, 3)) s" }
        var lines = ["\(sent) sent · \(answered) answered · \(lost) lost"]
        if duplicates > 0 { lines[0] += " · \(duplicates) duplicates" }
        if let medianRTT, let longestRTT {
            lines.append(
                "round trip: median \(Self.rounded(medianRTT, 1)) ms, longest \(Self.rounded(longestRTT, 1)) ms")
        }
        let ways = byUplink.sorted { $0.value > $1.value }.map { "\($0.key) \($0.value)" }
        lines.append("answered by way of: \(ways.isEmpty ? "nobody" : ways.joined(separator: ", "))")
        if unknownSources > 0 { lines.append("answered from sources of no uplink: \(unknownSources)") }
        for change in timeline {
            lines.append("  \(seconds(change.at))  by \(change.uplink.map { "\($0)" } ?? "nobody we know")")
        }
        if let longestOutage {
            lines.append("outages: \(outages.count), longest \(Self.rounded(longestOutage.milliseconds, 1)) ms")
            // Random loss makes many; the long ones are what somebody noticed.
            for outage in outages.sorted(by: { $0.duration > $1.duration }).prefix(10).sorted(by: {
                $0.start < $1.start
            }) {
                let open = outage.isOpen ? ", not over" : ""
                lines.append(
                    "  \(seconds(outage.start))  \(Self.rounded(outage.milliseconds, 1)) ms, \(outage.lost) lost\(open)"
                )
            }
        } else {
            lines.append("outages: none")
        }
        let wrong = wrongSources.map { "\($0.value) at \($0.key)" }.sorted()
        lines.append("refused by providers for their source: \(wrong.isEmpty ? "none" : wrong.joined(separator: ", "))")
        return lines.joined(separator: "\n")
    }

    /// The same for programs; moments are milliseconds since `start`.
    package func json(since start: Int64) -> JSONValue {
        func moment(_ moment: Int64) -> JSONValue { .number(Double(moment - start) / 1e6) }
        return [
            "sent": .integer(Int64(sent)), "answered": .integer(Int64(answered)), "lost": .integer(Int64(lost)),
            "duplicates": .integer(Int64(duplicates)),
            "median_rtt_ms": JSONValue(medianRTT), "longest_rtt_ms": JSONValue(longestRTT),
            "longest_outage_ms": .number(longestOutageMilliseconds),
            "by_uplink": .object(
                byUplink.sorted { $0.key.rawValue < $1.key.rawValue }
                    .map { .init($0.key.rawValue, .integer(Int64($0.value))) }),
            "unknown_sources": .integer(Int64(unknownSources)),
            "wrong_sources": .integer(Int64(wrongSourceCount)),
            "timeline": .array(
                timeline.map { ["at_ms": moment($0.at), "uplink": JSONValue($0.uplink?.rawValue)] }),
            "outages": .array(
                outages.map {
                    [
                        "at_ms": moment($0.start), "ms": .number($0.milliseconds), "lost": .integer(Int64($0.lost)),
                        "open": .bool($0.isOpen),
                    ]
                }),
        ]
    }

    private static func rounded(_ value: Double, _ digits: Int) -> String {
        let scale = digits == 3 ? 1000.0 : 10.0
        return "\((value * scale).rounded() / scale)"
    }
}
