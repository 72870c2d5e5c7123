import NetworkTypes

// Rules in the words of the policy: what is printed here could be written there.

extension PolicyRule.Match: CustomStringConvertible {
    /// `source 192.168.0.200, protocol tcp, port 873`; `everything` for a match without a field.
    package var description: String {
        var words: [String] = []
        if let source { words.append("source \(source)") }
        if let destination { words.append("destination \(destination)") }
        if let transport {
            words.append("protocol " + (Transport(number: transport)?.rawValue ?? "\(transport)"))
        }
        if !sourcePorts.isEmpty { words.append("source-port " + listText(sourcePorts.map(rangeText))) }
        if !ports.isEmpty { words.append("port " + listText(ports.map(rangeText))) }
        if let interface { words.append("interface \(interface)") }
        if let dscp { words.append("dscp \(DSCP.text(dscp))") }
        if let mark { words.append("fwmark \(mark)") }
        return words.isEmpty ? "everything" : words.joined(separator: ", ")
    }
}

extension AddressSet: CustomStringConvertible {
    /// `192.168.0.0/24`, `[10.0.0.1, 10.0.0.8-10.0.0.10]` or `{file: streaming.txt}`; of a long list the beginning.
    package var description: String {
        if let file { return "{file: \(file)}" }
        return listText(ranges.prefix(longestList + 1).map(Self.text), of: ranges.count)
    }

    /// An address, a prefix where the range is one, or the first and last.
    private static func text(_ range: ClosedRange<UInt32>) -> String {
        let first = IPv4Address(bits: range.lowerBound)
        let last = range.upperBound - range.lowerBound  // one less than the count, which may be 2³²
        if last == 0 { return "\(first)" }
        let isPrefix = last & (last &+ 1) == 0 && range.lowerBound & last == 0
        return isPrefix ? "\(first)/\(last.leadingZeroBitCount)" : "\(first)-\(IPv4Address(bits: range.upperBound))"
    }
}

extension Failover.Step: CustomStringConvertible {
    /// `ftth`, `[ftth, jcom]` for even shares, or `{ftth: 3, jcom: 1}`.
    package var description: String {
        if members.count == 1, let only = members.first, only.weight == 1 { return only.uplink }
        if members.allSatisfy({ $0.weight == 1 }) {
            return "[" + members.map(\.uplink).joined(separator: ", ") + "]"
        }
        return "{" + members.map { "\($0.uplink): \($0.weight)" }.joined(separator: ", ") + "}"
    }
}

/// How many elements of a list are shown.
private let longestList = 6

private func listText(_ elements: [String], of count: Int? = nil) -> String {
    let count = count ?? elements.count
    if count == 1, let only = elements.first { return only }
    let shown = elements.prefix(longestList).joined(separator: ", ")
    return count > longestList ? "[\(shown), … \(count - longestList) more]" : "[\(shown)]"
}

private func rangeText(_ range: ClosedRange<UInt16>) -> String {
    range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound)-\(range.upperBound)"
}
