/// Something that the service can be told to do wrong.
package enum SoracomFault: Hashable, Sendable {
    /// A refusal in the documented form, `{"code","message"}`.
    case status(Int, code: String, message: String)
    /// A refusal in the form of the specification's `APICallError`.
    case nestedStatus(Int, code: String, message: String)
    /// A refusal as plain text.
    case text(Int, String)
    /// What a load balancer shows.
    case html(Int)
    /// 429 with the headers of the rate limit.
    case tooManyRequests(secondsBeforeRefresh: Int)
    /// 429 with none.
    case tooManyRequestsUnexplained
    /// A captive portal: 302 to its log-in.
    case redirect(String)
    /// The request is taken and nothing comes back.
    case hang
    /// The true answer, late.
    case slow(Duration)
    /// It is done, but the answer ends in the middle.
    case dropMidAnswer
    /// The connection is reset, nothing was done.
    case reset
    /// 200, nothing was done, and the answer names this class.
    case keepsClass(String)
    /// The true answer, with every nullable member null and members that no specification knows.
    case strangeMembers
    /// The true answer, followed by more than anybody can want.
    case oversized
}

/// What can be asked of the services, by the specification's `operationId`; the metadata service's own two besides.
package enum SoracomOperation: String, Hashable, Sendable, CaseIterable {
    case auth
    case generateAuthToken
    case getSubscriber
    case updateSpeedClass
    case getSim
    case updateSimSpeedClass
    case getAirStats
    case getAirStatsOfSim
    case metadataGet
    case metadataUpdate

    package static let api: Set<SoracomOperation> = Set(allCases).subtracting([.metadataGet, .metadataUpdate])
    package static let metadata: Set<SoracomOperation> = [.metadataGet, .metadataUpdate]
}
