package import NetworkTypes

// A match is a set of packets: those that have every field it names. The rest of this file is geometry with such sets, field
// by field; it is exact, since a product of sets holds another one if each factor does, and meets it if each factor does.

extension PolicyRule.Match {
    /// Whether every packet that `other` matches is matched by this one too.
    ///
    /// Exact. What nothing matches (`isEmpty`) is covered by everything.
    package func covers(_ other: Self) -> Bool {
        // In the order of their cost: most pairs of a long list differ in a plain number or in their outermost addresses.
        let isWithin =
            coversPlain(other) && Self.covers(destination, other.destination) && Self.covers(source, other.source)
            && Self.covers(ports, other.ports) && Self.covers(sourcePorts, other.sourcePorts)
            && Self.covers(mark, other.mark)
        return isWithin && !isEmpty || other.isEmpty
    }

    /// Whether one packet can match both.
    ///
    /// Exact and symmetric.
    package func overlaps(_ other: Self) -> Bool {
        if let mine = transport, let theirs = other.transport, mine != theirs { return false }
        if let mine = dscp, let theirs = other.dscp, mine != theirs { return false }
        if !Self.overlaps(destination, other.destination) || !Self.overlaps(source, other.source) { return false }
        if !Self.overlaps(ports, other.ports) || !Self.overlaps(sourcePorts, other.sourcePorts) { return false }
        if let mine = interface, let theirs = other.interface, mine != theirs { return false }
        if !Self.overlaps(mark, other.mark) || isEmpty || other.isEmpty { return false }
        // One names ports and leaves the protocol open, the other is of a protocol without ports.
        return !(namesPorts && other.isPortless || other.namesPorts && isPortless)
    }

    /// Whether no packet at all can match: it names ports of a protocol that has none, a set without addresses, or bits of a
    /// mark beyond its mask. The reader of policies lets none of these pass.
    package var isEmpty: Bool {
        source?.ranges.isEmpty == true || destination?.ranges.isEmpty == true || namesPorts && isPortless
            || mark.map { $0.value & ~$0.mask != 0 } ?? false
    }

    /// Whether every packet matches.
    package var isEverything: Bool { covers(Self()) }

    private var namesPorts: Bool { !ports.isEmpty || !sourcePorts.isEmpty }
    private var isPortless: Bool { transport.map { !Transport.hasPorts($0) } ?? false }

    /// Protocol, DSCP and interface; and where ports are named, all of the other's packets must have some.
    private func coversPlain(_ other: Self) -> Bool {
        if let mine = dscp, mine != other.dscp { return false }
        if let mine = transport {
            guard let theirs = other.transport, mine == theirs else { return false }
        } else if namesPorts, !other.namesPorts {
            guard let theirs = other.transport, Transport.hasPorts(theirs) else { return false }
        }
        if let mine = interface, mine != other.interface { return false }
        return true
    }

    private static func covers(_ mine: AddressSet?, _ theirs: AddressSet?) -> Bool {
        guard let mine else { return true }
        guard let theirs else { return mine.contains(0 ... .max) }
        return mine.isSuperset(of: theirs)
    }

    private static func overlaps(_ mine: AddressSet?, _ theirs: AddressSet?) -> Bool {
        guard let mine, let theirs else { return true }
        return mine.overlaps(theirs)
    }

    /// Marks are sets as well: each says some bits and leaves the others open.
    private static func covers(_ mine: FwMark?, _ theirs: FwMark?) -> Bool {
        guard let mine else { return true }
        let theirs = theirs ?? FwMark(value: 0, mask: 0)
        return theirs.mask & mine.mask == mine.mask && theirs.value & mine.mask == mine.value
    }

    private static func overlaps(_ mine: FwMark?, _ theirs: FwMark?) -> Bool {
        guard let mine, let theirs else { return true }
        return (mine.value ^ theirs.value) & mine.mask & theirs.mask == 0
    }

    private static func covers(_ mine: [ClosedRange<UInt16>], _ theirs: [ClosedRange<UInt16>]) -> Bool {
        if mine.isEmpty { return true }
        return PortRanges.union(mine, covers: theirs.isEmpty ? PortRanges.all : theirs)
    }

    private static func overlaps(_ mine: [ClosedRange<UInt16>], _ theirs: [ClosedRange<UInt16>]) -> Bool {
        if mine.isEmpty || theirs.isEmpty { return true }
        return PortRanges.overlap(mine, theirs)
    }
}

extension PolicyRule.Match {
    /// What can be said of a packet of which not everything is known.
    package enum Answer: Hashable, Sendable {
        case yes, no
        /// It depends on a field that is not known.
        case maybe
    }

    /// Whether the first packet of a tracked flow matched, by what conntrack still knows of it: its original tuple.
    ///
    /// The input interface, the DSCP and the marks of others are not kept, so a match that names one is at best `maybe`. Ports
    /// are `nil` for a protocol without ports.
    package func matches(
        source: IPv4Address, destination: IPv4Address, transport: UInt8, sourcePort: UInt16?, port: UInt16?
    ) -> Answer {
        if let wanted = self.transport, wanted != transport { return .no }
        if let set = self.source, !set.contains(source) { return .no }
        if let set = self.destination, !set.contains(destination) { return .no }
        guard PortRanges.allow(ports, port), PortRanges.allow(sourcePorts, sourcePort), !isEmpty else { return .no }
        return interface == nil && dscp == nil && (mark?.mask ?? 0) == 0 ? .yes : .maybe
    }
}
