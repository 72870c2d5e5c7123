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

/// Bytes of a connection until they are a request (RFC 9112, without chunked bodies, which our clients do not send).
struct HTTPRequestParser {
    enum Progress: Hashable {
        case incomplete
        case request(HTTPServerRequest)
        case broken(String)
    }

    private var pending: [UInt8] = []
    private static let headLimit = 64 << 10
    private static let bodyLimit = 1 << 20

    mutating func add(_ bytes: [UInt8]) { pending += bytes }

    /// Takes the next request out of what has come so far.
    mutating func next() -> Progress {
        guard let headEnd = endOfHead else {
            return pending.count > Self.headLimit ? .broken("the head is too long") : .incomplete
        }
        let head = String(decoding: pending[..<headEnd], as: UTF8.self)
        var lines = head.split(separator: "\r\n", omittingEmptySubsequences: false)[...]
        let words = lines.removeFirst().split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 3, words[2].hasPrefix("HTTP/1."), words[1].hasPrefix("/") else {
            return .broken("the request line is none")
        }
        let target = words[1].split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        var request = HTTPServerRequest(method: String(words[0]), path: String(target[0]))
        request.query = target.count == 2 ? Self.fields(of: target[1]) : []
        for line in lines where !line.isEmpty {
            guard let colon = line.firstIndex(of: ":") else { return .broken("a header line has no colon") }
            let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            request.headers.append(.init(String(line[..<colon]), String(value)))
        }
        if request.header("Transfer-Encoding") != nil { return .broken("a chunked body") }
        guard let length = Int(request.header("Content-Length") ?? "0"), (0...Self.bodyLimit).contains(length) else {
            return .broken("the length of the body")
        }
        let bodyStart = headEnd + 4
        guard pending.count >= bodyStart + length else { return .incomplete }
        request.body = Array(pending[bodyStart..<bodyStart + length])
        pending.removeSubrange(..<(bodyStart + length))
        return .request(request)
    }

    private var endOfHead: Int? {
        guard pending.count >= 4 else { return nil }
        return (0...(pending.count - 4)).first { pending[$0..<$0 + 4].elementsEqual([13, 10, 13, 10]) }
    }

    private static func fields(of query: Substring) -> [HTTPServerRequest.Field] {
        query.split(separator: "&").map { field in
            let parts = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return .init(String(parts[0]), parts.count == 2 ? String(parts[1]) : "")
        }
    }
}
