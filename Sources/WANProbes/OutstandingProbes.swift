package import NetworkTypes
package import PacketWire

/// The probes of one socket that may still be answered, by the 16-bit sequence they carry on the wire.
///
/// A ring: wire sequences are given out one after the other, so those remembered are always the last `count` of them. An
/// entry stays for 10 s after it was sent, lost or answered: that is how a late answer and a duplicate are told from a forged
/// one. The ring grows with the rate up to the 65535 sequences there are; beyond that the oldest are forgotten early.
package struct OutstandingProbes: Sendable {
    package enum Fate: UInt8, Sendable { case outstanding, answered, unsent }

    package struct Entry: Sendable {
        package var target = IPAddress.v4(IPv4Address(bits: 0))
        package var sequence: UInt64 = 0
        package var nonce: UInt64 = 0
        package var sent = ClockReading(boottime: 0, realtime: 0)
        package var lossInterval: Int64 = 0
        package var fate = Fate.unsent

        package init() {}

        package init(
            target: IPAddress, sequence: UInt64, nonce: UInt64, sent: ClockReading, lossInterval: Int64,
            fate: Fate = .outstanding
        ) {
            self.target = target
            self.sequence = sequence
            self.nonce = nonce
            self.sent = sent
            self.lossInterval = lossInterval
            self.fate = fate
        }
    }

    package enum Match: Sendable {
        case answer(Entry)
        case duplicate
        case forged
    }

    package static let retention: Int64 = 10_000_000_000
    private static let limit = 65535

    package private(set) var count = 0
    /// How many were forgotten before their 10 s were over.
    package private(set) var forgotten: UInt64 = 0
    private var ring = [Entry](repeating: Entry(), count: 64)
    private var next: UInt16

    package var capacity: Int { ring.count }

    package init(firstSequence: UInt16 = 0) { next = firstSequence }

    /// Remembers a probe and gives the sequence it has on the wire.
    package mutating func add(_ entry: Entry) -> UInt16 {
        forgetExpired(at: entry.sent.boottime)
        if count == min(ring.count, Self.limit) {
            if ring.count <= Self.limit {
                grow()
            } else {
                count -= 1
                forgotten += 1
            }
        }
        let wire = next
        ring[slot(wire)] = entry
        next &+= 1
        count += 1
        return wire
    }

    package mutating func setSent(_ wire: UInt16, at reading: ClockReading) { ring[slot(wire)].sent = reading }

    /// The kernel refused to send it: no answer to it can be true.
    package mutating func setUnsent(_ wire: UInt16) { ring[slot(wire)].fate = .unsent }

    /// What an echo reply is: only the first with all that was asked is an answer.
    package mutating func match(
        _ wire: UInt16, from source: IPAddress, payload: EchoPayload?, at now: Int64
    ) -> Match {
        guard isRemembered(wire, at: now) else { return .forged }
        let slotIndex = slot(wire)
        let entry = ring[slotIndex]
        guard entry.fate != .unsent, entry.target == source,
            payload == EchoPayload(nonce: entry.nonce, sequence: entry.sequence)
        else { return .forged }
        if entry.fate == .answered { return .duplicate }
        ring[slotIndex].fate = .answered
        return .answer(entry)
    }

    private func slot(_ wire: UInt16) -> Int { Int(wire) & (ring.count - 1) }

    private func isRemembered(_ wire: UInt16, at now: Int64) -> Bool {
        let age = Int(next &- wire)
        return age >= 1 && age <= count && now - ring[slot(wire)].sent.boottime <= Self.retention
    }

    private mutating func forgetExpired(at now: Int64) {
        while count > 0, now - ring[slot(next &- UInt16(count))].sent.boottime > Self.retention { count -= 1 }
    }

    private mutating func grow() {
        var larger = [Entry](repeating: Entry(), count: ring.count * 2)
        for age in 1...count {
            let wire = next &- UInt16(age)
            larger[Int(wire) & (larger.count - 1)] = ring[slot(wire)]
        }
        ring = larger
    }
}
