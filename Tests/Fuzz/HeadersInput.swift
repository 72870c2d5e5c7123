import HTTPTransfer

/// What a server's bytes reach of ours behind libcurl: header lines, each with its end, and pieces of the body. The first byte says
/// where the body begins, and how it is cut. The first line is taken for a URL too.
func readHeaders(_ bytes: [UInt8]) {
    guard let first = bytes.first else { return }
    let input = Array(bytes.dropFirst())
    let receiver = HTTPReceiver(bodyLimit: 1024)
    let lines = input.split(separator: 10, maxSplits: Int(first), omittingEmptySubsequences: false)
    var isTaken = true
    for line in lines.dropLast() where isTaken {
        isTaken = (line + [10]).withUnsafeBytes { receiver.take(headerLine: $0) }
    }
    var body = Array(lines.last ?? [])
    let sent = body
    while isTaken, !body.isEmpty {
        isTaken = body.prefix(Int(first) + 1).withUnsafeBytes { receiver.take(body: $0) }
        body.removeFirst(min(body.count, Int(first) + 1))
    }
    precondition(receiver.body.count <= 1024 && sent.starts(with: receiver.body), "another body")
    precondition(!isTaken || receiver.body == sent, "a piece is lost")
    let size = receiver.headers.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count }
    // What is no UTF-8 is three bytes long for each of one.
    precondition(
        size <= 3 * HTTPReceiver.headerLimit && receiver.headers.count < lines.count, "more headers than were sent")
    let response = HTTPResponse(status: 200, headers: receiver.headers, body: receiver.body)
    for header in receiver.headers {
        for text in [header.name, header.value] {
            precondition(text.first?.isWhitespace != true && text.last?.isWhitespace != true, "space around a header")
        }
        precondition(!header.name.contains(":") && response.header(header.name) != nil, "a header that is not found")
    }
    readURL(String(decoding: lines.first ?? [], as: UTF8.self))
}

private func readURL(_ text: String) {
    guard let parts = URLParts(text) else { return }
    precondition(!parts.host.isEmpty && parts.port > 0 && parts.path.last != "/", "a URL of nobody")
    precondition(URLParts(parts.url) == parts, "a URL changed on the way")
}
