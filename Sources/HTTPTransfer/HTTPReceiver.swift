internal import CCurl

/// Takes what libcurl hands over piece by piece: header lines and body.
///
/// A class because libcurl keeps its address while the transfer runs; it is alive as long as `HTTPClient.perform`.
package final class HTTPReceiver {
    package private(set) var headers: [HTTPRequest.Header] = []
    package private(set) var body: [UInt8] = []
    private(set) var isTooLarge = false
    private var headerBytes = 0
    private let bodyLimit: Int
    /// Real answers have some 2 kB of them.
    package static let headerLimit = 64 << 10

    package init(bodyLimit: Int) { self.bodyLimit = bodyLimit }

    /// CURLOPT_WRITEFUNCTION: an answer other than the count ends the transfer.
    static let takeBody: curl_write_callback = { bytes, size, count, context in
        HTTPReceiver.take(bytes, size * count, context) { receiver, piece in receiver.take(body: piece) }
    }

    /// CURLOPT_HEADERFUNCTION: called once for each whole line, the status lines and the empty one too.
    static let takeHeader: curl_write_callback = { bytes, size, count, context in
        HTTPReceiver.take(bytes, size * count, context) { receiver, line in receiver.take(headerLine: line) }
    }

    private static func take(
        _ bytes: UnsafeMutablePointer<CChar>?, _ count: Int, _ context: UnsafeMutableRawPointer?,
        _ body: (HTTPReceiver, UnsafeRawBufferPointer) -> Bool
    ) -> Int {
        guard count > 0, let bytes, let context else { return 0 }
        let receiver = Unmanaged<HTTPReceiver>.fromOpaque(context).takeUnretainedValue()
        if body(receiver, UnsafeRawBufferPointer(start: bytes, count: count)) { return count }
        receiver.isTooLarge = true
        return 0
    }

    /// A piece of the body; false: it is too long with this one.
    package func take(body piece: UnsafeRawBufferPointer) -> Bool {
        guard body.count + piece.count <= bodyLimit else { return false }
        body += piece
        return true
    }

    /// A whole line with its end; false: there are too many of them.
    package func take(headerLine line: UnsafeRawBufferPointer) -> Bool {
        headerBytes += line.count
        guard headerBytes <= Self.headerLimit else { return false }
        add(headerLine: String(decoding: line, as: UTF8.self))
        return true
    }

    private func add(headerLine line: String) {
        // An interim answer (100) comes before the real one: only the last set counts.
        if line.hasPrefix("HTTP/") {
            headers = []
            return
        }
        guard let colon = line.firstIndex(of: ":") else { return }
        func trimmed(_ part: Substring) -> String {
            var part = part.drop { $0.isWhitespace }
            while part.last?.isWhitespace == true { part.removeLast() }
            return String(part)
        }
        headers.append(.init(trimmed(line[..<colon]), trimmed(line[line.index(after: colon)...])))
    }
}
