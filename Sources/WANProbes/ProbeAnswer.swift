package import NetworkTypes
package import WANModel

/// A question to be asked.
package struct ProbeRequest: Hashable, Sendable {
    package var target: IPAddress
    /// The asker's own number of this probe; it comes back in the answer and need not be unique across uplinks.
    package var sequence: UInt64
    /// An answer that took longer is called late. The default is the longest automatic loss interval.
    package var lossInterval: Duration

    package init(target: IPAddress, sequence: UInt64, lossInterval: Duration = .seconds(1)) {
        self.target = target
        self.sequence = sequence
        self.lossInterval = lossInterval
    }
}

/// The first answer to a probe; it carried our nonce and came from the target over the uplink it was asked on.
package struct ProbeAnswer: Hashable, Sendable {
    package var target: IPAddress
    package var sequence: UInt64
    package var rtt: Duration
    /// When the kernel received it, which may be a little before it was read.
    package var receivedAt: Moment
    /// It took longer than the probe's loss interval.
    package var late: Bool
}

/// What became of sending a probe.
package enum SendOutcome: Hashable, Sendable {
    case sent
    case failed(ProbeSendFailure)
}

/// Why the kernel did not take a probe. Each is news about the uplink, none is a fault of the program.
package enum ProbeSendFailure: Hashable, Sendable {
    /// No socket: the uplink is not attached.
    case notAttached
    /// The interface that the socket is bound to is no more (ENODEV, ENXIO).
    case interfaceGone
    /// ENETDOWN.
    case interfaceDown
    /// The interface has no address to send from (EADDRNOTAVAIL).
    case noAddress
    /// ENETUNREACH, EHOSTUNREACH.
    case noRoute
    /// The interface's queue is full (ENOBUFS, EAGAIN).
    case queueFull
    /// A firewall rule or a missing capability (EPERM, EACCES).
    case forbidden
    /// The socket sends IPv4 only.
    case unsupportedFamily
    /// Anything else, as errno(3).
    case other(Int32)
}

/// What went over an uplink's probe socket since the uplink was first attached. Bytes are those of whole IP packets.
package struct ProbeCounters: Hashable, Sendable {
    package var sent: UInt64 = 0
    package var sentBytes: UInt64 = 0
    package var sendFailures: UInt64 = 0
    package var receivedBytes: UInt64 = 0
    /// First answers, late ones included.
    package var answers: UInt64 = 0
    package var late: UInt64 = 0
    package var duplicates: UInt64 = 0
    /// Answers to nothing we asked: wrong nonce, source or sequence, or more than 10 s old.
    package var forged: UInt64 = 0
    /// Came in by another interface than the uplink's.
    package var foreign: UInt64 = 0
    package var malformed: UInt64 = 0
    /// Probes forgotten early because more than 65535 were asked within 10 s.
    package var forgotten: UInt64 = 0
    package var receiveErrors: UInt64 = 0

    package var bytes: UInt64 { sentBytes + receivedBytes }

    package init() {}
}
