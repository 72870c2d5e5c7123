internal import CCurl
internal import Glibc

extension HTTPError {
    /// libcurl's verdict (libcurl-errors(3)) in our words; `detail` is what it wrote into its error buffer.
    init(_ code: CURLcode, detail: String, errno: Int32, interface: String?) {
        let text = detail.isEmpty ? String(cString: curl_easy_strerror(code)) : detail
        switch code {
        case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL:
            self.init(.request, text)
        case CURLE_COULDNT_RESOLVE_HOST:
            self.init(.resolve, text)
        case CURLE_COULDNT_CONNECT where errno == ECONNREFUSED:
            self.init(.refused, text)
        case CURLE_COULDNT_CONNECT:
            self.init(.unreachable, errno == 0 ? text : "\(text) (\(String(cString: strerror(errno))))")
        case CURLE_INTERFACE_FAILED:
            self.init(.interface, "cannot leave by interface \(interface ?? "?"): \(text)")
        case CURLE_OPERATION_TIMEDOUT:
            self.init(.timeout, text)
        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CERTPROBLEM,
            CURLE_SSL_CIPHER, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_INVALIDCERTSTATUS, CURLE_USE_SSL_FAILED:
            self.init(.tls, text)
        case CURLE_GOT_NOTHING, CURLE_PARTIAL_FILE, CURLE_RECV_ERROR, CURLE_SEND_ERROR:
            self.init(.interrupted, text)
        default:
            self.init(.other, text)
        }
    }
}
