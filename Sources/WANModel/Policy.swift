package import NetworkTypes

/// What the owner of the site wants, as the policy file says it, with every default filled in.
///
/// A `Policy` is valid by construction of the reader (`WANPolicy`): names are known, orders name an uplink once, numbers are
/// in range. The engine and the data plane rely on that.
package struct Policy: Hashable, Sendable {
    package var site: String?
    package var lan = LAN()
    /// In the order of the file. An uplink's index here is not its number: see `UplinkNumber`.
    package var uplinks: [Uplink] = []
    package var failover = Failover()
    package var mark = MarkLayout()
    package var rules: [PolicyRule] = []
    package var forwards: [Forward] = []
    package var notifiers: [Notifier] = []
    /// Boxes of the site; empty for one box.
    package var nodes: [Node] = []
    package var vrrp: VRRP?

    package init() {}

    package func uplink(named name: String) -> Uplink? { uplinks.first { $0.name == name } }
}

/// The networks behind the router.
package struct LAN: Hashable, Sendable {
    package enum Forwarding: Hashable, Sendable {
        /// Turn `net.ipv4.ip_forward` on when there is a LAN to route.
        case on
        /// Hands off.
        case leave
    }
    package var interfaces: [String] = []
    package var forwarding = Forwarding.on

    package init() {}
}

/// One way out.
package struct Uplink: Hashable, Sendable {
    package var name: String
    package var interface: String
    /// The box that has it, where the site has several.
    package var node: String?
    /// Overrides the gateway found by itself; without one a point-to-point interface needs none.
    package var gateway: IPAddress?
    /// Standby: no probes but the keepalive, until another uplink turns suspect.
    package var metered = false
    package var probe = ProbeSettings()
    package var keepalive: Keepalive?
    package var soracom: SoracomSettings?
    /// Name servers of this provider: each is reached over this uplink only, and is listed in the resolver file while the
    /// uplink is selected.
    package var dns: [IPAddress] = []
    /// An absolute path: the name servers are those that pppd or a DHCP client writes there, as resolv.conf(5) has them.
    package var dnsFile: String?

    package init(name: String, interface: String) {
        self.name = name
        self.interface = interface
    }
}

/// How an uplink is asked whether it works.
package struct ProbeSettings: Hashable, Sendable {
    package enum LossInterval: Hashable, Sendable {
        /// The retransmission timeout of RFC 6298, within 50 ms…1 s.
        case auto
        case fixed(Duration)
    }
    package enum Confirm: Hashable, Sendable {
        /// A sequential test: see `WANEngine`.
        case auto
        /// Down after so many rounds to all targets without the quorum, `spacing` apart.
        case rounds(Int, spacing: Duration)
        /// No burst: down after `fall` lost probes in a row.
        case off
    }
    /// Addresses asked in turn.
    package var targets: [IPAddress] = ProbeSettings.defaultTargets
    package var interval: Duration = .milliseconds(250)
    package var lossInterval = LossInterval.auto
    package var confirm = Confirm.auto
    /// The shortest silence that may count as a failure. `nil`: 200 ms, 500 ms on Wi-Fi.
    package var patience: Duration?
    /// How many targets must answer.
    package var quorum = 1
    /// Without confirm: lost probes in a row until down.
    package var fall = 1
    /// Answered probes in a row until good again.
    package var rise = 5
    package var degraded: Degraded?

    package init() {}

    package static let defaultTargets: [IPAddress] = [
        .v4(IPv4Address(8, 8, 8, 8)), .v4(IPv4Address(1, 1, 1, 1)), .v4(IPv4Address(9, 9, 9, 9)),
    ]
}

/// Quality limits over a window; crossing one lowers an uplink's preference and nothing else.
package struct Degraded: Hashable, Sendable {
    /// Share of lost probes, 0…1.
    package var loss: Double?
    package var rtt: Duration?
    package var jitter: Duration?
    package var window: Duration = .seconds(30)

    package init() {}
}

/// One echo over a metered uplink that sent nothing for `idle`.
package struct Keepalive: Hashable, Sendable {
    package var idle: Duration
    package var target: IPAddress

    package init(idle: Duration, target: IPAddress) {
        self.idle = idle
        self.target = target
    }

    /// `pong.soracom.io`, for a SORACOM uplink whose policy names no target.
    package static let pong = IPAddress.v4(IPv4Address(100, 127, 100, 127))
}

/// The SIM of a SORACOM uplink and what its speed class should be.
package struct SoracomSettings: Hashable, Sendable {
    package enum Identity: Hashable, Sendable {
        case sim(String)
        case imsi(String)
    }
    package enum Way: String, Hashable, Sendable, CaseIterable {
        /// The metadata service, over the uplink itself, without a key.
        case metadata
        /// The SORACOM API, over the selected uplink, with an AuthKey.
        case api
    }
    /// Not needed where only the metadata service is used.
    package var identity: Identity?
    package var standby = "s1.minimum"
    package var selected = "s1.fast"
    /// The name of a credential that the courier has.
    package var credentials: String?
    package var via: [Way] = [.metadata, .api]
    /// Base address of the API without `/v1`; `nil`: by the profile's coverage type.
    package var endpoint: String?
    package var metadataEndpoint = "http://100.127.100.127"

    package init() {}
}

/// Which uplink carries the traffic.
package struct Failover: Hashable, Sendable {
    /// Steps from the best to the last; a step of several shares the load by weight.
    package var order: [Step] = []
    /// How long a returned uplink must stay good before traffic goes back.
    package var hold: Duration = .seconds(60)
    /// On failback: how long old flows may finish on the uplink they are on.
    package var drain = Drain()
    /// How long established TCP stays on an uplink that stopped answering, in case it answers again.
    package var grace: Duration = .seconds(2)
    /// Sources stay with the member of a shared step they were given, for as long after their last new flow.
    package var sticky: Duration?
    /// What becomes of the router's own sockets that hold the address of an uplink that is left.
    package var ownSockets = OwnSockets.close

    package init() {}

    package enum OwnSockets: String, Hashable, Sendable, CaseIterable {
        /// Connected ones are closed (`ss -K`), so that their programs connect anew.
        case close
        /// They are left alone: what they send leaves by the new line and is translated, as the LAN's is.
        case leave
    }

    package struct Step: Hashable, Sendable {
        package var members: [Member]
        package init(_ members: [Member]) { self.members = members }
        package init(_ uplink: String) { members = [Member(uplink: uplink, weight: 1)] }
    }

    package struct Member: Hashable, Sendable {
        package var uplink: String
        package var weight: Int
        package init(uplink: String, weight: Int) {
            self.uplink = uplink
            self.weight = weight
        }
    }

    package struct Drain: Hashable, Sendable {
        package var `default`: Duration = .seconds(300)
        package var metered: Duration = .seconds(60)
        /// A flow without a packet for so long has finished; 0: only what has ended has.
        package var idle: Duration = .seconds(30)
        /// What is left on a metered uplink is moved once so many octets went over it since it was left.
        package var meteredBytes: UInt64?
        package init() {}
    }
}

/// The bits of the 32-bit mark that are ours: uplink number N is marked `N << shift`, within `mask`.
///
/// A ct mark is never anything else. A packet's mark may also say what has no uplink: see `Signal`.
package struct MarkLayout: Hashable, Sendable {
    /// What a packet's mark can say beside an uplink's number (1…64); the numbers that are free in eight bits.
    package enum Signal: UInt32, Hashable, Sendable {
        /// To be answered with an error where it would leave by an uplink.
        case reject = 0x7f
        /// To be dropped where it would leave by an uplink.
        case drop = 0x7e
        /// Of the daemon itself, not to be tracked.
        case untracked = 0xff
    }
    /// Set beside an uplink's number: that uplink or none.
    package static let strictBit: UInt32 = 0x80

    /// Contiguous bits, eight at least.
    package var mask: UInt32 = 0x00ff_0000
    package init() {}
    package init(mask: UInt32) { self.mask = mask }

    package func mark(of uplink: UplinkNumber) -> FwMark {
        FwMark(value: UInt32(uplink.rawValue) << UInt32(mask.trailingZeroBitCount), mask: mask)
    }
    package func strictMark(of uplink: UplinkNumber) -> FwMark {
        FwMark(value: (UInt32(uplink.rawValue) | Self.strictBit) << UInt32(mask.trailingZeroBitCount), mask: mask)
    }
    package func mark(_ signal: Signal) -> FwMark {
        FwMark(value: signal.rawValue << UInt32(mask.trailingZeroBitCount), mask: mask)
    }
    /// Matches every strict mark, whatever its uplink.
    package var anyStrict: FwMark {
        let bit = Self.strictBit << UInt32(mask.trailingZeroBitCount)
        return FwMark(value: bit, mask: bit)
    }
}

/// Which number an uplink has in marks, tables and rule priorities: 1…64.
///
/// A name keeps its number across reloads and restarts, wherever it stands in the file, since flows in the kernel carry it.
package struct UplinkNumber: Hashable, Sendable, Comparable, RawRepresentable {
    package var rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }
    package static let range: ClosedRange<UInt8> = 1...64
    package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

extension UplinkNumber: CustomStringConvertible {
    package var description: String { String(rawValue) }
}
