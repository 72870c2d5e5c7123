internal import WANModel

/// A choice that is to be made; all requests of one turn are one.
struct ChoiceRequest: Hashable, Sendable {
    /// Why, where it is not plain from the state of the uplink that is left. Of several in one turn the last in this list is told.
    enum Cause: Hashable, Comparable, Sendable { case reload, pinEnd(String), command(String) }
    var cause: Cause?
    /// When the fault of the selected uplink began.
    var faultSince: Moment?
    /// Something that the routes depend on has changed, whatever the choice will be.
    var needsRoute = false

    var isManual: Bool { if case .command? = cause { true } else { false } }
}

extension Engine {
    mutating func requestChoice(
        because cause: ChoiceRequest.Cause? = nil, faultSince: Moment? = nil, needsRoute: Bool = false
    ) {
        let before = pendingChoice
        pendingChoice = ChoiceRequest(
            cause: [before?.cause, cause].compactMap(\.self).max(), faultSince: faultSince ?? before?.faultSince,
            needsRoute: needsRoute || before?.needsRoute == true)
    }
}
