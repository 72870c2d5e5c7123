package import NetworkTypes

/// The way a packet goes over a wire.
package enum WireWay: String, Hashable, Sendable {
    /// From the router to the internet.
    case up
    case down
    case both
}

/// What can go wrong with an uplink of the lab, at run time.
package enum Fault: Hashable, Sendable {
    /// Both ways: of a round trip, half each way. One way: all of it that way. The same for `jitter` and `loss`.
    case delay(Duration, WireWay = .both)
    case jitter(Duration, WireWay = .both)
    case loss(Double, WireWay = .both)
    /// Bits a second, each way.
    case rate(Int, WireWay = .both)
    /// Packets vanish, the link stays up.
    case blackhole(WireWay = .both)
    /// A blackhole that ends by itself.
    case silence(Duration, WireWay = .both)
    /// Exactly the next so many IPv4 packets vanish.
    case dropNext(Int, WireWay)
    /// The gateway or PPP peer answers, nothing beyond it does.
    case upstreamDead
    /// The link loses its carrier (NO-CARRIER); the interface and its addresses stay.
    case carrierOff
    case carrierOn
    /// The interface vanishes, as when pppd ends.
    case gone
    /// The interface is made anew, with another ifindex and, if given, another address; with its old faults gone.
    case back(IPv4Address? = nil)
}

/// What a target of the lab does with what is sent to it.
package enum TargetHealth: Hashable, Sendable {
    case alive
    case dead
    /// Answers but for this share, 0…1.
    case lossy(Double)

    var loss: Double {
        switch self {
        case .alive: 0
        case .dead: 1
        case .lossy(let share): share
        }
    }
}
