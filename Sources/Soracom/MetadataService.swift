package import HTTPTransfer
internal import JSONText

/// The service that a SIM reaches without a key, because the SIM itself is known.
///
/// Plain HTTP to 100.127.100.127, and only through the SIM: the request must leave by the SIM's interface whatever the
/// routes say. Needs no name look-up, no TLS and no token, so it is the quickest way just when the main line is down.
package struct MetadataService: Sendable {
    private let url: String
    private let interface: String?
    private let pinnedAddress: String?

    /// The address of `metadata.soracom.io`: the name is not looked up, since the main line's DNS need not know it.
    private static let knownAddress = (name: "metadata.soracom.io", address: "100.127.100.127")

    package init(endpoint: String = "http://100.127.100.127", interface: String?) throws(ServiceFailure) {
        guard var parts = URLParts(endpoint) else {
            throw ServiceFailure(
                .configuration, "the metadata endpoint must look like http://100.127.100.127", retryAfter: nil)
        }
        parts.path = parts.path.withoutVersion
        url = parts.url
        pinnedAddress = parts.host == Self.knownAddress.name ? Self.knownAddress.address : nil
        self.interface = interface
    }

    /// Changes the SIM's own class: `POST /v1/subscriber/update_speed_class`.
    package func updateSpeedClass(
        to wanted: SpeedClass, by deadline: Deadline, over client: inout HTTPClient
    ) throws(ServiceFailure) -> SIMState {
        var request = HTTPRequest(.post, url + "/v1/subscriber/update_speed_class", timeout: deadline.left)
        request.interface = interface
        request.pinnedAddress = pinnedAddress
        request.headers.append(.init("Content-Type", "application/json"))
        request.body = Array(JSONValue.object([.init("speedClass", .string(wanted.name))]).text.utf8)
        let response: HTTPResponse
        do {
            response = try client.perform(request)
        } catch {
            throw ServiceFailure(error)
        }
        guard response.status == 200 else {
            var failure = ServiceFailure(response, secrets: Secrets())
            if [401, 403, 404, 405].contains(response.status) {
                failure.text += " (is the group's metadata service on, and not read-only?)"
            }
            throw failure
        }
        return try SIMState(response).confirming(wanted)
    }
}
