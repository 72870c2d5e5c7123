/// Bytes of a connection until they are a request (RFC 9112, without chunked bodies, which our clients do not send).
package struct HTTPRequestParser {
    package enum Progress: Hashable {
        case incomplete
        case request(HTTPServerRequest)
        case broken(String)
    }

    private var pending: [UInt8] = []
    private static let headLimit = 64 << 10
    private static let bodyLimit = 1 << 20

    package init() {}

    package mutating func add(_ bytes: [UInt8]) { pending += bytes }

    /// Takes the next request out of what has come so far.
    package mutating func next() -> Progress {
        // TLS begins with a record of type 22 (RFC 8446 section 5.1) and would wait for our answer.
        if pending.first == 22 { return .broken("this is plain HTTP") }
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
