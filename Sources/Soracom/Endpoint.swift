internal import HTTPTransfer

/// The base address of the API, without `/v1`.
package struct Endpoint: Hashable, Sendable {
    /// As `https://api.soracom.io`.
    package let url: String

    /// The policy's word, else the profile's, else by coverage (soracom-cli `endpoint.go`).
    package static func choose(policy: String?, profile: Profile) throws(ServiceFailure) -> Endpoint {
        if let url = policy ?? profile.endpoint { return try Endpoint(url) }
        let name =
            switch (profile.coverage, profile.isSandbox) {
            case (.japan, false): "api.soracom.io"
            case (.global, false): "g.api.soracom.io"
            case (.japan, true): "api-sandbox.soracom.io"
            case (.global, true): "g.api-sandbox.soracom.io"
            }
        return try Endpoint("https://\(name)")
    }

    /// A last `/v1` is tolerated: soracom-sdk-ruby's profiles have it.
    ///
    /// Plain http is refused, since the key would travel in the clear, but for an address without a name: that is a laboratory.
    package init(_ url: String) throws(ServiceFailure) {
        guard var parts = URLParts(url) else {
            throw ServiceFailure(
                .configuration, "the endpoint must look like https://api.soracom.io", retryAfter: nil)
        }
        guard parts.scheme == "https" || parts.isLiteralAddress else {
            throw ServiceFailure(
                .configuration, "the endpoint \(parts.url) would send the key in the clear; use https",
                retryAfter: nil)
        }
        parts.path = parts.path.withoutVersion
        self.url = parts.url
    }
}

extension String {
    /// A path without a last `/v1`.
    var withoutVersion: String { hasSuffix("/v1") ? String(dropLast(3)) : self }
}
