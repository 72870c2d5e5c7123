/// One HTTP request: what to ask, of whom, by which way out, and until when.
package struct HTTPRequest: Hashable, Sendable {
    package enum Method: String, Hashable, Sendable { case get = "GET", post = "POST", put = "PUT", delete = "DELETE" }

    /// A header field; the name is matched without case (RFC 9110 section 5.1).
    package struct Header: Hashable, Sendable {
        package var name: String
        package var value: String
        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    package var method: Method
    /// http or https, everything else is refused.
    package var url: String
    package var headers: [Header] = []
    package var body: [UInt8]?
    /// All of it, from the name look-up to the last byte of the body. Hard.
    package var timeout: Duration
    /// The interface to leave by (SO_BINDTODEVICE, socket(7)); `nil`: as the routes say.
    package var interface: String?
    /// The address to ask instead of looking the URL's host name up; the name stays in `Host` and in the certificate check.
    package var pinnedAddress: String?
    /// A longer answer is an error.
    package var bodyLimit = 1 << 20

    package init(_ method: Method, _ url: String, timeout: Duration) {
        self.method = method
        self.url = url
        self.timeout = timeout
    }
}

/// What came back, whatever its status.
package struct HTTPResponse: Hashable, Sendable {
    package var status: Int
    /// In the order they came, those of the final answer only.
    package var headers: [HTTPRequest.Header]
    package var body: [UInt8]

    package init(status: Int, headers: [HTTPRequest.Header] = [], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// The first header field of that name.
    package func header(_ name: String) -> String? {
        let wanted = name.lowercased()
        return headers.first { $0.name.lowercased() == wanted }?.value
    }
}

/// Why no answer came.
package struct HTTPError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Kind: String, Hashable, Sendable {
        /// The request itself: a URL or header that cannot be sent.
        case request
        /// The interface is not there, or may not be bound.
        case interface
        case resolve
        case refused
        case unreachable
        case timeout
        /// No trust in the certificate, or no TLS at all.
        case tls
        /// The connection ended in mid-answer.
        case interrupted
        case tooLarge
        /// Something else of libcurl's.
        case other
    }

    package var kind: Kind
    /// A sentence for a person, without secrets.
    package var text: String

    package init(_ kind: Kind, _ text: String) {
        self.kind = kind
        self.text = text
    }

    package var description: String { text }
}
