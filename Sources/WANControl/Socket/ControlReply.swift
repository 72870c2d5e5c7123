package import JSONText

/// The way back to the client that sent a request, to be used now or later, for one result or many.
///
/// Whoever answers keeps it until `finish` or `fail`; one that is dropped unanswered becomes a refusal, so that no client
/// waits for ever. After the client has gone, or was dropped because it reads too slowly, everything sent is let go.
package final class ControlReply {
    private weak var connection: ControlConnection?
    private let isStream: Bool
    private var hasResult = false
    /// Called once when the client leaves before the end.
    package var onClose: (() -> Void)?
    /// False after the end, and when nobody listens any more.
    package private(set) var isOpen = true

    init(on connection: ControlConnection, for request: ControlRequest) {
        self.connection = connection
        isStream = request.isStream
    }

    deinit {
        guard isOpen else { return }
        connection?.end(
            of: ObjectIdentifier(self),
            with: .refused(ControlRefusal(.refused, "the daemon left this request unanswered")))
    }

    /// One result of a stream, or the only one of another request.
    package func send(_ result: JSONValue) {
        guard isOpen, let connection else { return }
        assert(isStream || !hasResult, "a second result to a request that is no stream")
        hasResult = true
        connection.write(.result(result))
    }

    /// The request is done. A request that is no stream and got no result is answered by an empty one.
    package func finish() {
        guard isOpen else { return }
        isOpen = false
        let last: ControlAnswer? = isStream ? .end : hasResult ? nil : .result([:])
        connection?.end(of: ObjectIdentifier(self), with: last)
    }

    package func finish(_ result: JSONValue) {
        send(result)
        finish()
    }

    package func fail(_ refusal: ControlRefusal) {
        guard isOpen else { return }
        isOpen = false
        connection?.end(of: ObjectIdentifier(self), with: .refused(refusal))
    }

    package func fail(_ code: ControlRefusal.Code, _ reason: String) { fail(ControlRefusal(code, reason)) }

    /// The client is gone.
    func abandon() {
        guard isOpen else { return }
        isOpen = false
        let tell = onClose
        onClose = nil
        tell?()
    }
}
