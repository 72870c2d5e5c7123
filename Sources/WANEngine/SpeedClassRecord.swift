internal import WANModel

/// The speed class of a SORACOM uplink as a wanted state: asked for until SORACOM itself says it is so.
///
/// Nothing is believed across a restart: a daemon that starts does not know the class and asks for the wanted one, so that
/// a crash while raised cannot leave the expensive class on.
struct SpeedClassRecord: Hashable, Sendable {
    private(set) var wanted: String
    private(set) var confirmed: String?
    private(set) var confirmedVia: String?
    private(set) var confirmedAt: Moment?
    private(set) var inFlight: String?
    private var askedAt = Moment.zero
    private(set) var failures = 0
    private(set) var lastFailure: String?
    private(set) var nextTry: Moment?
    /// SORACOM itself asked to be left alone until then (429).
    private var notBefore: Moment?
    /// A request of ours got no good answer: until then SORACOM may still carry it out, after a later one that was answered.
    private var unsureUntil: Moment?

    /// What is no longer wanted may take so long; then it is given up for what is.
    private static let indulgence: Duration = .seconds(2)
    /// How long a request may lie somewhere before it is carried out.
    private static let lateness: Duration = .seconds(60)
    /// Seconds between tries: quick at first, since a family waits at 32 kbps; later as SORACOM's own client does
    /// (soracom-cli apiclient.go).
    private static let pauses: [Duration] = [1, 2, 5, 10, 10, 20, 30, 50].map { .seconds($0) }
    /// After an answer that trying again will not change: the metadata service is read-only, the key is wrong.
    private static let permanentPause: Duration = .seconds(600)

    init(wanted: String, at now: Moment) {
        self.wanted = wanted
        nextTry = now
        // A daemon before this one may have asked for another class when it was killed.
        unsureUntil = now + Self.lateness
    }

    mutating func want(_ speedClass: String, at now: Moment) {
        guard speedClass != wanted else { return }
        wanted = speedClass
        failures = 0
        if let inFlight {
            // Its answer decides what comes next, where there is one: on a line that has died since there is none for long.
            nextTry = inFlight == wanted ? nil : max(now, askedAt + Self.indulgence)
        } else {
            nextTry = confirmed == wanted ? doubt(at: now) : max(now, notBefore ?? now)
        }
    }

    /// When to ask for what is confirmed once more, to be sure.
    private func doubt(at now: Moment) -> Moment? { unsureUntil.flatMap { $0 > now ? $0 : nil } }

    /// The class to ask for now, if any; the record counts it as under way, and a request before it as superseded.
    mutating func due(at now: Moment) -> String? {
        guard let when = nextTry, when <= now else { return nil }
        if inFlight != nil {
            confirmed = nil
            unsureUntil = now + Self.lateness
        }
        inFlight = wanted
        askedAt = now
        nextTry = nil
        return wanted
    }

    mutating func handle(_ answer: SpeedClassAnswer, at now: Moment) {
        inFlight = nil
        switch answer {
        case .confirmed(let speedClass, let via):
            confirmed = speedClass
            confirmedVia = via
            confirmedAt = now
            lastFailure = nil
            notBefore = nil
            // What was asked for may no longer be what is wanted: ask again at once.
            failures = speedClass == wanted ? 0 : failures
            nextTry = speedClass == wanted ? doubt(at: now) : now
        case .failed(let text, let retryAfter, let permanent):
            // The request may have arrived although its answer did not: the class is unknown.
            confirmed = nil
            if !permanent { unsureUntil = now + Self.lateness }
            lastFailure = text
            let pause = permanent ? Self.permanentPause : Self.pauses[min(failures, Self.pauses.count - 1)]
            failures += 1
            notBefore = retryAfter.map { now + $0 }
            nextTry = now + max(pause, retryAfter ?? .zero)
        }
    }
}
