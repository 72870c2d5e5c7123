/// The end of a connection, and how its owner got another one. Moments are `Clock.boottime`, nanoseconds.
package struct ConnectionBreak: Hashable, Sendable {
    /// When the owner learned of it.
    package var at: Int64
    package var by: Breakage
    /// The last echo before; the moment it was connected, if it never had one.
    package var lastEcho: Int64
    /// The uplink the server had seen it come by; `nil` is nobody's.
    package var from: LabUplink?
    /// Connections tried since, the one that works included.
    package var attempts = 0
    /// The first echo on a new connection, and by which uplink; `nil` while there is none.
    package var recoveredAt: Int64?
    package var to: LabUplink?

    /// From the news of the break to an echo on the new connection.
    package var reconnectMilliseconds: Double? { recoveredAt.map { Double($0 - at) / 1e6 } }

    /// From the last echo on the old connection to the first on the new one: what a person waits.
    package var silenceMilliseconds: Double? { recoveredAt.map { Double($0 - lastEcho) / 1e6 } }
}

/// What became of a client that always wants a connection.
package struct ReconnectingReport: Hashable, Sendable {
    package var sent = 0
    package var echoed = 0
    /// In order; the last one may still be without its recovery.
    package var breaks: [ConnectionBreak] = []
    /// The longest time without an echo on one connection while one was awaited, in milliseconds.
    package var longestStall: Double = 0
    /// Of the connection that stands, by what the server saw.
    package var seenAs: Endpoint?
    package var uplink: LabUplink?
    package var isConnected: Bool { seenAs != nil }
}
