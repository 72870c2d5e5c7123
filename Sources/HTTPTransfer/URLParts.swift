/// Whom a URL asks: scheme, host and port (RFC 3986, the part this project has a use for).
package struct URLParts: Hashable, Sendable {
    package var scheme: String
    /// Without the brackets of an IPv6 address.
    package var host: String
    package var port: UInt16
    /// From the first slash, without a last one; may be empty.
    package var path: String

    /// `nil` for what is not http or https, has no host, or carries user, query or fragment.
    package init?(_ url: String) {
        guard url.utf8.allSatisfy({ (0x21...0x7e).contains($0) }), !url.contains(where: { "?#@\\".contains($0) }),
            let colon = url.firstIndex(of: ":"), url[colon...].hasPrefix("://")
        else { return nil }
        scheme = url[..<colon].lowercased()
        guard scheme == "http" || scheme == "https" else { return nil }
        let rest = url[colon...].dropFirst(3)
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        var path = rest[slash...]
        while path.last == "/" { path.removeLast() }
        self.path = String(path)

        let authority = rest[..<slash]
        let portText: Substring
        if authority.first == "[" {
            guard let end = authority.firstIndex(of: "]") else { return nil }
            host = authority[..<end].dropFirst().lowercased()
            let isAddress = host.utf8.allSatisfy {
                (0x30...0x3a).contains($0) || (0x61...0x66).contains($0) || $0 == 0x2e
            }
            guard isAddress, host.contains(":") else { return nil }
            portText = authority[authority.index(after: end)...]
        } else {
            let colon = authority.firstIndex(of: ":") ?? authority.endIndex
            host = authority[..<colon].lowercased()
            portText = authority[colon...]
        }
        guard !host.isEmpty else { return nil }
        if portText.isEmpty {
            port = scheme == "https" ? 443 : 80
        } else {
            guard portText.first == ":", let number = UInt16(portText.dropFirst()), number > 0 else { return nil }
            port = number
        }
    }

    /// Whether the host is an address and no name: dotted decimal or IPv6.
    package var isLiteralAddress: Bool {
        host.contains(":") || host.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == 0x2e }
    }

    /// As a URL again, default ports left out.
    package var url: String {
        let shown = host.contains(":") ? "[\(host)]" : host
        let isDefault = port == (scheme == "https" ? 443 : 80)
        return "\(scheme)://\(shown)\(isDefault ? "" : ":\(port)")\(path)"
    }
}
