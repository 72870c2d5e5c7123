package import NetworkTypes
package import WANModel

/// One question: which uplink, which target, and a number that is never used twice.
package struct ProbeIdentity: Hashable, Sendable {
    package var uplink: UplinkNumber
    package var target: IPAddress
    package var sequence: UInt64

    package init(uplink: UplinkNumber, target: IPAddress, sequence: UInt64) {
        self.uplink = uplink
        self.target = target
        self.sequence = sequence
    }
}

/// What happened in the world. The moment it happened travels beside it.
package enum EngineInput: Hashable, Sendable {
    /// Where uplinks are attached now. What one look at the kernel told comes in one input, so that the choice is made with
    /// all of it: at start and after a resynchronisation no uplink is left because another was reported first.
    case attached([AttachmentReport])
    /// What was read from the sockets at once comes in one input: no time passes between these answers, and none of them is
    /// called lost because another one was read first.
    case answered([AnswerReport])
    /// The kernel would not send it; the probe stays unanswered and the text goes into the reason.
    case notSent(ProbeIdentity, String)
    /// The interface's counters, as asked for with `.sampleCounters`.
    case counters(UplinkNumber, InterfaceCounters)
    case operatorCommand(OperatorCommand)
    /// SORACOM's answer to `.setSpeedClass`.
    case speedClass(UplinkNumber, SpeedClassAnswer)
    /// Nothing that drains on this uplink is still at work, or it has used up its octets: the drain is over, for this reason.
    case drainSettled(UplinkNumber, reason: String)
    /// Flows of the LAN are on this uplink that no choice led there: while nobody decided, the kernel fell along the ladder.
    case ledAstray(UplinkNumber)
    /// Of a site with several boxes: another one has the LAN's gateway address, or this one has it (again).
    case isBackup(Bool)
    /// A new policy takes over; uplinks that did not change go on undisturbed.
    case reload(EngineSetup)
    /// The moment of `nextDeadline` has come.
    case deadlineReached
}

/// The uplink is attached here, or (nil) nowhere, for this reason.
package struct AttachmentReport: Hashable, Sendable {
    package var uplink: UplinkNumber
    package var attachment: Attachment?
    package var reason: String

    package init(_ uplink: UplinkNumber, _ attachment: Attachment?, reason: String) {
        self.uplink = uplink
        self.attachment = attachment
        self.reason = reason
    }
}

/// The answer to a probe.
package struct AnswerReport: Hashable, Sendable {
    package var probe: ProbeIdentity
    package var rtt: Duration

    package init(_ probe: ProbeIdentity, rtt: Duration) {
        self.probe = probe
        self.rtt = rtt
    }
}

/// What the operator asks for. It was checked with `refusal(of:)` before.
package enum OperatorCommand: Hashable, Sendable {
    case failover(UplinkNumber, until: Moment?, force: Bool, strict: Bool)
    case auto
    case drain(UplinkNumber)
    case enable(UplinkNumber)
    case disable(UplinkNumber)
    /// `nil` class: back to what the policy says.
    case speed(UplinkNumber, String?)
    /// A round of probes to every target now.
    case probe(UplinkNumber)
}

/// What came of asking SORACOM for a speed class.
package enum SpeedClassAnswer: Hashable, Sendable {
    /// The class the answer itself named.
    case confirmed(String, via: String)
    case failed(String, retryAfter: Duration?, permanent: Bool)
}
