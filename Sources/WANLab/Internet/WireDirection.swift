/// One way of a wire: decides for each packet whether and when it arrives. A value without clock or sockets.
package struct WireDirection: Sendable {
    package enum Fate: Hashable, Sendable {
        case lost
        /// At a moment of the caller's clock, in nanoseconds; never before a packet that was sent earlier.
        case arrives(at: Int64)
    }

    /// Source and destination of an IPv4 packet; whatever else passes a wire has none.
    package struct Endpoints: Hashable, Sendable {
        package var source: UInt32
        package var destination: UInt32

        package init(source: UInt32, destination: UInt32) {
            self.source = source
            self.destination = destination
        }
    }

    package var delay: Int64 = 0
    package var jitter: Int64 = 0
    package var loss: Double = 0
    /// Bits a second; 0 is no limit.
    package var rate: Int = 0
    /// Everything sent before this moment is lost.
    package var silentUntil: Int64 = .min
    /// So many IPv4 packets more are lost.
    package var dropNext = 0
    /// Addresses that answer only a share of what is sent to them.
    package var lossOf: [UInt32: Double] = [:]
    /// If set, the only address that can still be reached; what is not IPv4 (ARP) passes.
    package var reachableOnly: UInt32?

    package private(set) var passed = 0
    package private(set) var dropped = 0

    private var random: SplitMix64
    private var lastArrival: Int64 = .min
    private var lineFree: Int64 = .min

    /// A queue longer than this is full (what a home router of the cheaper kind holds).
    private static let longestQueue: Int64 = 200_000_000

    package init(seed: UInt64) { random = SplitMix64(seed: seed) }

    package mutating func fate(length: Int, endpoints: Endpoints?, at now: Int64) -> Fate {
        if isLost(endpoints, at: now) { return lose() }
        var arrival = now
        if rate > 0 {
            let start = max(now, lineFree)
            if start - now > Self.longestQueue { return lose() }
            lineFree = start + Int64(length) * 8_000_000_000 / Int64(rate)
            arrival = lineFree
        }
        arrival += delay
        if jitter > 0 { arrival += Int64(random.share() * Double(jitter)) }
        lastArrival = max(arrival, lastArrival)
        passed += 1
        return .arrives(at: lastArrival)
    }

    private mutating func isLost(_ endpoints: Endpoints?, at now: Int64) -> Bool {
        if now < silentUntil { return true }
        if let endpoints {
            if dropNext > 0 {
                dropNext -= 1
                return true
            }
            if let only = reachableOnly, endpoints.source != only, endpoints.destination != only { return true }
            if !lossOf.isEmpty, let share = lossOf[endpoints.destination], random.share() < share { return true }
        }
        return loss > 0 && random.share() < loss
    }

    private mutating func lose() -> Fate {
        dropped += 1
        return .lost
    }
}

extension WireDirection {
    /// Takes over what a line of that quality does one way, and forgets every fault.
    package mutating func reset(to quality: LineQuality) {
        delay = quality.delay.nanoseconds / 2
        jitter = quality.jitter.nanoseconds / 2
        loss = Self.oneWay(quality.loss)
        rate = quality.rate ?? 0
        silentUntil = .min
        dropNext = 0
        lossOf = [:]
        reachableOnly = nil
    }

    /// The loss that, met on both ways, makes this loss of a round trip.
    package static func oneWay(_ roundTrip: Double) -> Double { 1 - (1 - roundTrip).squareRoot() }
}
