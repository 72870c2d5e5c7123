package import NetworkTypes

/// A rule of the policy: traffic that matches follows an order of its own. The first rule that matches counts.
package struct PolicyRule: Hashable, Sendable {
    /// What becomes of the traffic while no uplink of the order is usable.
    package enum Otherwise: String, Hashable, Sendable, CaseIterable {
        /// An error at once: a TCP reset, ICMP "administratively prohibited" for the rest.
        case reject
        /// It follows `failover`.
        case `default`
        case drop
    }

    /// What the first packet of a flow must look like, as it comes from the LAN; what is left out matches anything.
    package struct Match: Hashable, Sendable {
        package var source: AddressSet?
        package var destination: AddressSet?
        /// IANA's number: 6 TCP, 17 UDP, 1 ICMP …
        package var transport: UInt8?
        /// Empty: any.
        package var sourcePorts: [ClosedRange<UInt16>] = []
        /// Of the destination. Empty: any.
        package var ports: [ClosedRange<UInt16>] = []
        /// Came in here.
        package var interface: String?
        /// Six bits, RFC 2474.
        package var dscp: UInt8?
        /// A mark of another program, in bits that are not ours.
        package var mark: FwMark?

        package init() {}
    }

    package var name: String
    package var match: Match
    package var order: [Failover.Step]
    package var otherwise: Otherwise
    /// Sources stay with the member of a shared step they were given, for as long after their last new flow.
    package var sticky: Duration?
    /// On failback: how long old flows may finish; `nil`: as `failover.drain` says.
    package var drain: Duration?

    package init(name: String, match: Match, order: [Failover.Step], otherwise: Otherwise) {
        self.name = name
        self.match = match
        self.order = order
        self.otherwise = otherwise
    }
}

/// IPv4 addresses as ranges, in order and apart from each other.
package struct AddressSet: Hashable, Sendable {
    package private(set) var ranges: [ClosedRange<UInt32>]
    /// Where they were read from, as the policy names it.
    package var file: String?

    /// Takes ranges in any order; what overlaps or touches is made one.
    package init(_ ranges: [ClosedRange<UInt32>], file: String? = nil) {
        self.ranges = []
        self.file = file
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = self.ranges.last, last.upperBound == .max || range.lowerBound <= last.upperBound + 1 {
                self.ranges[self.ranges.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
            } else {
                self.ranges.append(range)
            }
        }
    }

    package func contains(_ address: IPv4Address) -> Bool { contains(address.bits...address.bits) }

    package func contains(_ range: ClosedRange<UInt32>) -> Bool {
        // The first range that does not end before it: the only one that can hold it.
        guard let index = firstNotBefore(range.lowerBound) else { return false }
        return ranges[index].lowerBound <= range.lowerBound && ranges[index].upperBound >= range.upperBound
    }

    package func overlaps(_ other: AddressSet) -> Bool {
        guard let first = ranges.first, let last = ranges.last, let otherFirst = other.ranges.first,
            let otherLast = other.ranges.last, first.lowerBound <= otherLast.upperBound,
            otherFirst.lowerBound <= last.upperBound
        else { return false }
        // From here each begins before the other ends; of one range each, that is all there is to know.
        if ranges.count == 1, other.ranges.count == 1 { return true }
        let (few, many) = ranges.count <= other.ranges.count ? (self, other) : (other, self)
        return few.ranges.contains { range in
            many.firstNotBefore(range.lowerBound).map { many.ranges[$0].overlaps(range) } ?? false
        }
    }

    package func isSuperset(of other: AddressSet) -> Bool {
        guard let theirFirst = other.ranges.first, let theirLast = other.ranges.last else { return true }
        guard let first = ranges.first, let last = ranges.last, first.lowerBound <= theirFirst.lowerBound,
            theirLast.upperBound <= last.upperBound
        else { return false }
        // The same array is equal at a glance: rules often share a file.
        return ranges == other.ranges || other.ranges.allSatisfy(contains)
    }

    private func firstNotBefore(_ address: UInt32) -> Int? {
        var low = 0
        var high = ranges.count
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound < address { low = middle + 1 } else { high = middle }
        }
        return low < ranges.count ? low : nil
    }
}
