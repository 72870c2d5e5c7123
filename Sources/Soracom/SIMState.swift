package import HTTPTransfer
internal import JSONText

/// What we read of a `Subscriber` or `Sim` (soracom-api.json): the rest, nulls and fields yet unknown, is passed over.
package struct SIMState: Hashable, Sendable {
    package var speedClass: SpeedClass

    /// Reads an answer with status 200.
    package init(_ response: HTTPResponse) throws(ServiceFailure) {
        let json: JSONValue
        do {
            json = try JSONValue(parsing: response.body)
        } catch {
            let isPage = response.body.first { $0 != 0x20 && $0 != 10 && $0 != 13 && $0 != 9 } == 0x3c
            let form = isPage ? "a page of HTML" : "something that is not JSON (\(error))"
            throw ServiceFailure(
                .malformed, "the answer is \(form), so it is hardly SORACOM that answers", retryAfter: .seconds(30))
        }
        guard let name = json["speedClass"]?.string, let speedClass = SpeedClass(name) else {
            throw ServiceFailure(.malformed, "the answer names no speed class", retryAfter: ServiceFailure.usualRetry)
        }
        self.speedClass = speedClass
    }

    /// Success is an answer that names the wanted class, nothing less.
    func confirming(_ wanted: SpeedClass) throws(ServiceFailure) -> SIMState {
        guard speedClass == wanted else {
            throw ServiceFailure(
                .notConfirmed, "asked for \(wanted), and the answer still says \(speedClass)",
                retryAfter: ServiceFailure.usualRetry)
        }
        return self
    }
}
