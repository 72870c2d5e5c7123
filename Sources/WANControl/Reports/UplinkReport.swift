package import WANModel

/// One uplink as `wanctl status` shows it.
package struct UplinkReport: Hashable, Sendable {
    package typealias State = UplinkState
    package typealias Traffic = UplinkTraffic

    /// One address that is asked over this uplink.
    package struct Target: Hashable, Sendable {
        package var address: String
        /// Whether the last decided probe was answered; `nil` before there was one.
        package var answered: Bool?
        package var rttMilliseconds: Double?
        /// Share of decided probes that are lost, 0…1.
        package var loss: Double?

        package init(address: String, answered: Bool?, rttMilliseconds: Double? = nil, loss: Double? = nil) {
            self.address = address
            self.answered = answered
            self.rttMilliseconds = rttMilliseconds
            self.loss = loss
        }
    }

    /// The SORACOM speed class, wanted and as SORACOM last confirmed it.
    package struct SpeedClass: Hashable, Sendable {
        package var wanted: String
        package var confirmed: String?
        /// `metadata` or `api`.
        package var via: String?
        package var at: Timestamp?
        /// Why the wanted class is not there yet.
        package var problem: String?

        package init(
            wanted: String, confirmed: String? = nil, via: String? = nil, at: Timestamp? = nil, problem: String? = nil
        ) {
            self.wanted = wanted
            self.confirmed = confirmed
            self.via = via
            self.at = at
            self.problem = problem
        }
    }

    package struct Keepalive: Hashable, Sendable {
        /// The silence after which one is sent.
        package var idle: Duration
        package var last: Timestamp?
        package var next: Timestamp?
        /// Whether the last one was answered; `nil` before there was one.
        package var answered: Bool?

        package init(idle: Duration, last: Timestamp? = nil, next: Timestamp? = nil, answered: Bool? = nil) {
            self.idle = idle
            self.last = last
            self.next = next
            self.answered = answered
        }
    }

    /// Of the interface's own counters, and of our own probes with their IP headers.
    package struct Bytes: Hashable, Sendable {
        package var received: UInt64
        package var sent: UInt64
        package var probes: UInt64

        package init(received: UInt64 = 0, sent: UInt64 = 0, probes: UInt64 = 0) {
            self.received = received
            self.sent = sent
            self.probes = probes
        }
    }

    /// Old flows that may finish on it.
    package struct Drain: Hashable, Sendable {
        package var flows: Int
        /// Octets that went over it since it was left, both ways.
        package var bytes: UInt64
        /// Until the rest is moved.
        package var left: Duration

        package init(flows: Int, bytes: UInt64, left: Duration) {
            self.flows = flows
            self.bytes = bytes
            self.left = left
        }
    }

    package var name: String
    package var interface: String
    package var ifindex: Int32?
    package var state: State
    package var traffic: Traffic
    /// When the state began, and how long ago that is by the clock that never jumps.
    package var since: Timestamp
    package var stateSpan: Duration?
    /// The evidence for the state.
    package var reason: String
    package var addresses: [String] = []
    package var gateway: String?
    package var rttMilliseconds: Double?
    package var jitterMilliseconds: Double?
    package var loss: Double?
    package var targets: [Target] = []
    package var speedClass: SpeedClass?
    package var keepalive: Keepalive?
    package var bytes = Bytes()
    package var metered = false
    /// While an uplink is good again but has to prove it: until when, and how often it has flapped.
    package var holdUntil: Timestamp?
    package var holdSpan: Duration?
    package var flaps = 0
    /// While `traffic` is `draining`.
    package var drain: Drain?
    /// Rules whose traffic takes it now, by name.
    package var rules: [String] = []

    package init(
        name: String, interface: String, state: State, traffic: Traffic, since: Timestamp, reason: String
    ) {
        self.name = name
        self.interface = interface
        self.state = state
        self.traffic = traffic
        self.since = since
        self.reason = reason
    }
}
