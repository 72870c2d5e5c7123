package import WANModel

// What the daemon and wanctl-courier say to each other: JSON, one message a line, over a stream socket. No secret is in either direction:
// credentials have names.

/// What the daemon wants done.
package struct CourierRequest: Hashable, Sendable {
    package enum Verb: String, Hashable, Sendable, CaseIterable {
        /// Until the answer names the wanted class.
        case setSpeedClass = "set-speed-class"
        /// Signs in, so that a token is there before it is needed.
        case prepare
    }

    /// Comes back in the answer.
    package var id: Int64
    package var verb: Verb
    /// As the policy names it; for the log.
    package var uplink: String
    /// The SIM's interface: the metadata service is asked through it and nowhere else.
    package var interface: String?
    package var identity: SoracomSettings.Identity?
    package var speedClass: String?
    /// Tried in this order until one works.
    package var via: [SoracomSettings.Way] = [.metadata, .api]
    package var metadataEndpoint = "http://100.127.100.127"
    /// `nil`: by the profile.
    package var endpoint: String?
    /// The name of an AuthKey that the courier has.
    package var credentials: String?
    /// For all ways together.
    package var timeout: Duration = .seconds(5)

    package init(id: Int64, verb: Verb, uplink: String) {
        self.id = id
        self.verb = verb
        self.uplink = uplink
    }

    /// The request for an uplink as its policy describes it.
    package init(
        id: Int64, verb: Verb, uplink: String, interface: String?, settings: SoracomSettings
    ) {
        self.init(id: id, verb: verb, uplink: uplink)
        self.interface = interface
        identity = settings.identity
        via = settings.via
        metadataEndpoint = settings.metadataEndpoint
        endpoint = settings.endpoint
        credentials = settings.credentials
    }
}

/// What became of it.
package struct CourierAnswer: Hashable, Sendable {
    package enum Outcome: Hashable, Sendable {
        /// The class that SORACOM confirms.
        case speedClass(String, via: SoracomSettings.Way)
        /// A token is there until this UNIX time in seconds.
        case prepared(expiresAt: Int64)
        /// `retryAfter`: how long asking again has no chance; `nil` with `permanent`.
        case failed(String, retryAfter: Duration?, permanent: Bool)
    }

    /// `nil` where the request could not be read so far.
    package var id: Int64?
    package var outcome: Outcome
    package var took: Duration

    /// A number that came from elsewhere must not keep a SIM on the expensive class for days.
    package static let longestRetry = Duration.seconds(3600)
    /// Characters of an error that are read: it stands in the status and in the journal.
    package static let longestText = 1000

    package init(id: Int64?, outcome: Outcome, took: Duration) {
        self.id = id
        self.outcome = outcome
        self.took = took
    }
}

/// Why a line is no message.
package struct CourierMessageError: Error, Hashable, Sendable, CustomStringConvertible {
    package var problem: String
    package init(_ problem: String) { self.problem = problem }
    package var description: String { problem }
}

/// A line may be as long as this, its newline not counted.
package let courierLineLimit = 64 << 10
