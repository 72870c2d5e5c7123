package import HTTPTransfer

/// Why a SORACOM service did not do what was asked, and when asking again can help.
package struct ServiceFailure: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Kind: Hashable, Sendable {
        /// No answer came.
        case transport(HTTPError.Kind)
        /// It answered with another status than 200.
        case status(Int)
        /// It answered 200, but not as SORACOM does: a captive portal, a proxy, half an answer.
        case malformed
        /// It answered 200, with another speed class than the wanted one.
        case notConfirmed
        /// What we have cannot work: profile, endpoint, SIM.
        case configuration
    }

    package var kind: Kind
    /// For a person; no secret is in it.
    package var text: String
    /// How long to wait before asking again; `nil`: it stays so until a person changes something.
    package var retryAfter: Duration?

    package init(_ kind: Kind, _ text: String, retryAfter: Duration?) {
        self.kind = kind
        self.text = text
        self.retryAfter = retryAfter
    }

    package var isPermanent: Bool { retryAfter == nil }
    package var description: String { text }

    /// The first step of soracom-cli's back-off (10, 10, 20, 30, 50 s; `apiclient.go`). Growing it is the caller's.
    package static let usualRetry = Duration.seconds(10)

    package init(_ error: HTTPError) {
        switch error.kind {
        case .request: self.init(.configuration, error.text, retryAfter: nil)
        default: self.init(.transport(error.kind), error.text, retryAfter: Self.usualRetry)
        }
    }

    /// An answer with another status than 200; `secrets` are struck out of what the server says.
    package init(_ response: HTTPResponse, secrets: Secrets) {
        let said = ErrorBody(response, secrets: secrets).sentence.map { ", \u{201c}\($0)\u{201d}" } ?? ""
        self.init(
            .status(response.status), "HTTP \(response.status)\(said)",
            retryAfter: Self.retry(after: response))
    }

    private static func retry(after response: HTTPResponse) -> Duration? {
        switch response.status {
        case 429:
            // Documented is "up to one minute"; a larger number is bounded, not believed.
            let names = ["X-Soracom-Ratelimit-Seconds-Before-Refresh", "Retry-After"]
            let seconds = names.lazy.compactMap { response.header($0).flatMap { Int($0) } }.first
            return .seconds(min(max(seconds ?? 60, 1), 300))
        case 408, 500...: return usualRetry
        // A redirect is not SORACOM's: a captive portal asks for its log-in.
        case ..<400: return .seconds(30)
        default: return nil
        }
    }

    /// Several ways that all failed, as one failure: worth another attempt as soon as one of them is.
    package static func all(_ failures: [ServiceFailure]) -> ServiceFailure {
        ServiceFailure(
            failures.last?.kind ?? .configuration, failures.map(\.text).joined(separator: "; "),
            retryAfter: failures.compactMap(\.retryAfter).min())
    }

    /// Whether a token that was good once may have caused this.
    var mayBeTheToken: Bool {
        switch kind {
        case .status(400), .status(401), .status(403): true
        default: false
        }
    }

    /// soracom-cli's `apiclient_test.go` knows "invalid api key" under status 400.
    var namesTheToken: Bool {
        let said = text.lowercased()
        return said.contains("api key") || said.contains("token")
    }

    /// The same, with who said it in front.
    package func from(_ who: String) -> ServiceFailure {
        ServiceFailure(kind, "\(who): \(text)", retryAfter: retryAfter)
    }
}

/// What must not be in any text: keys and tokens.
package struct Secrets: Sendable {
    private var texts: [String]

    package init(_ texts: [String] = []) { self.texts = texts.filter { $0.utf8.count >= 4 } }

    package func adding(_ more: [String]) -> Secrets { Secrets(texts + more) }

    package func struckOut(of text: String) -> String {
        texts.reduce(text) { $0.replacing($1, with: "[secret]") }
    }
}
