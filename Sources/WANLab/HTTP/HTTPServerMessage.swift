/// A request as an `HTTPServer` hands it over.
package struct HTTPServerRequest: Hashable, Sendable {
    package struct Field: Hashable, Sendable {
        package var name: String
        package var value: String
        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    package var method: String
    /// Without the query.
    package var path: String
    package var query: [Field] = []
    package var headers: [Field] = []
    package var body: [UInt8] = []
    /// Whose address it came from.
    package var source = ""

    package init(method: String, path: String) {
        self.method = method
        self.path = path
    }

    package func header(_ name: String) -> String? {
        let wanted = name.lowercased()
        return headers.first { $0.name.lowercased() == wanted }?.value
    }
}

/// What to answer, and how badly.
package struct HTTPServerReply: Hashable, Sendable {
    package enum Manner: Hashable, Sendable {
        case whole
        /// Never a byte.
        case never
        /// Half of the bytes, then the end of the connection.
        case half
        /// The connection is reset without a byte.
        case reset
    }

    package var status: Int
    package var headers: [HTTPServerRequest.Field] = []
    package var body: [UInt8] = []
    package var delay: Duration = .zero
    package var manner = Manner.whole

    package init(status: Int) { self.status = status }

    package init(status: Int, type: String, _ text: String) {
        self.status = status
        headers = [.init("Content-Type", type)]
        body = Array(text.utf8)
    }

    /// As it goes over the wire (RFC 9112).
    var bytes: [UInt8] {
        var head = "HTTP/1.1 \(status) \(Self.reasons[status] ?? "Status \(status)")\r\n"
        for field in headers { head += "\(field.name): \(field.value)\r\n" }
        if status != 204 { head += "Content-Length: \(body.count)\r\n" }
        return Array((head + "\r\n").utf8) + (status == 204 ? [] : body)
    }

    private static let reasons = [
        200: "OK", 201: "Created", 204: "No Content", 302: "Found", 400: "Bad Request", 401: "Unauthorized",
        403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 429: "Too Many Requests",
        500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable",
    ]
}
