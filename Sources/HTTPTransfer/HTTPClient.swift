internal import CCurl

/// A libcurl easy handle: asks one thing at a time and waits for the answer.
///
/// Calls over the same client to the same host by the same way share a connection. Keep one for an errand, not for longer: after
/// a switch a connection held open still leaves by the line, and with the address, it was made with.
///
/// No proxy from the environment, no redirect, no netrc, no cookie, no signal, and nothing but http and https.
package struct HTTPClient: ~Copyable {
    private let handle: UnsafeMutableRawPointer

    package init() throws(HTTPError) {
        guard Self.libraryIsReady, let handle = curl_easy_init() else {
            throw HTTPError(.other, "libcurl cannot start")
        }
        self.handle = handle
    }

    deinit { curl_easy_cleanup(handle) }

    // curl_global_init(3) once, before the first handle.
    private static let libraryIsReady = wan_curl_global_init() == CURLE_OK

    package mutating func perform(_ request: HTTPRequest) throws(HTTPError) -> HTTPResponse {
        curl_easy_reset(handle)
        let receiver = HTTPReceiver(bodyLimit: request.bodyLimit)
        var headers = CurlList()
        var resolve = CurlList()
        // The handle keeps pointers to the receiver and the lists until it is reset; they end with this call.
        defer { curl_easy_reset(handle) }
        try setUp(request)
        try add(request.headers, to: &headers)
        if let address = request.pinnedAddress { try pin(request.url, to: address, in: &resolve) }
        let context = Unmanaged.passUnretained(receiver).toOpaque()
        try check(
            wan_curl_set_writer(handle, CURLOPT_WRITEFUNCTION, CURLOPT_WRITEDATA, HTTPReceiver.takeBody, context))
        try check(
            wan_curl_set_writer(handle, CURLOPT_HEADERFUNCTION, CURLOPT_HEADERDATA, HTTPReceiver.takeHeader, context))

        let (code, detail) = withExtendedLifetime(receiver) { run() }
        if receiver.isTooLarge { throw HTTPError(.tooLarge, "the answer is longer than \(request.bodyLimit) bytes") }
        guard code == CURLE_OK else {
            throw HTTPError(
                code, detail: detail, errno: Int32(number(CURLINFO_OS_ERRNO)), interface: request.interface)
        }
        return HTTPResponse(
            status: number(CURLINFO_RESPONSE_CODE), headers: receiver.headers, body: receiver.body)
    }

    private func setUp(_ request: HTTPRequest) throws(HTTPError) {
        try set(CURLOPT_URL, request.url)
        try set(CURLOPT_PROTOCOLS_STR, "http,https")
        try set(CURLOPT_PROXY, "")
        try set(CURLOPT_NOPROXY, "*")
        try set(CURLOPT_USERAGENT, "wanctl-courier")
        try set(CURLOPT_FOLLOWLOCATION, 0)
        try set(CURLOPT_NOSIGNAL, 1)
        // With the threaded resolver a look-up that hangs would hold the verdict "timed out" back until it ends.
        try set(CURLOPT_QUICK_EXIT, 1)
        try set(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1)
        // An Int to Swift, or an Int32: the header of libcurl 8.14 and newer writes it in another way.
        try set(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        try set(CURLOPT_TIMEOUT_MS, max(1, Self.milliseconds(request.timeout)))
        // Binds with SO_BINDTODEVICE (allowed to anyone since Linux 5.7). Where that is refused libcurl takes the interface's
        // address as source, which the daemon's rules for "from an uplink's address" send out by the same uplink.
        if let interface = request.interface { try set(CURLOPT_INTERFACE, "if!\(interface)") }
        if let body = request.body {
            let bytes = body.isEmpty ? [0] : body  // an empty array may have no address, and NULL means another thing
            try check(bytes.withUnsafeBytes { wan_curl_set_body(handle, $0.baseAddress, body.count) })
        }
        try set(CURLOPT_CUSTOMREQUEST, request.method.rawValue)
    }

    private func add(_ headers: [HTTPRequest.Header], to list: inout CurlList) throws(HTTPError) {
        for header in headers {
            let line = "\(header.name): \(header.value)"
            guard !line.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f }) else {
                throw HTTPError(.request, "the header \(header.name) has a control character in it")
            }
            list.append(line)
        }
        try check(wan_curl_set_list(handle, CURLOPT_HTTPHEADER, list.first))
    }

    private func pin(_ url: String, to address: String, in list: inout CurlList) throws(HTTPError) {
        guard let parts = URLParts(url) else { throw HTTPError(.request, "the URL names no host") }
        list.append("\(parts.host):\(parts.port):\(address.contains(":") ? "[\(address)]" : address)")
        try check(wan_curl_set_list(handle, CURLOPT_RESOLVE, list.first))
    }

    private func run() -> (CURLcode, detail: String) {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(CURL_ERROR_SIZE)) { buffer in
            buffer.initialize(repeating: 0)
            _ = wan_curl_set_error_buffer(handle, buffer.baseAddress)
            let code = curl_easy_perform(handle)
            _ = wan_curl_set_error_buffer(handle, nil)
            let detail = buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
            return (code, String(decoding: detail, as: UTF8.self))
        }
    }

    private func set(_ option: CURLoption, _ value: Int) throws(HTTPError) {
        try check(wan_curl_set_long(handle, option, value))
    }

    private func set(_ option: CURLoption, _ value: String) throws(HTTPError) {
        try check(wan_curl_set_string(handle, option, value))
    }

    private func check(_ code: CURLcode) throws(HTTPError) {
        guard code == CURLE_OK else {
            throw HTTPError(.other, "libcurl refuses a setting: \(String(cString: curl_easy_strerror(code)))")
        }
    }

    private func number(_ info: CURLINFO) -> Int {
        var value = 0
        return wan_curl_get_long(handle, info, &value) == CURLE_OK ? value : 0
    }

    private static func milliseconds(_ duration: Duration) -> Int {
        let (seconds, attoseconds) = duration.components
        return Int(min(seconds, 3600)) * 1000 + Int(attoseconds / 1_000_000_000_000_000)
    }
}

/// A linked list that libcurl reads during a transfer and leaves to us (curl_slist_append(3)).
private struct CurlList: ~Copyable {
    private(set) var first: UnsafeMutablePointer<curl_slist>?
    init() {}
    deinit { curl_slist_free_all(first) }
    mutating func append(_ text: String) { first = curl_slist_append(first, text) ?? first }
}
