package import HTTPTransfer
internal import JSONText

/// What a service says about its refusal, in whichever form.
///
/// Documented is `{"code","message"}`; the specification's `APICallError` is `{"httpStatus","errorMessage":{"code","message"}}`;
/// seen are plain text too ("invalid api key"), and the HTML of a load balancer in front.
package struct ErrorBody: Hashable, Sendable {
    package var code: String?
    package var message: String?

    /// Secrets are struck out before anything is cut, so that no part of one is left at the edge.
    package init(_ response: HTTPResponse, secrets: Secrets = Secrets()) {
        if let json = try? JSONValue(parsing: response.body), json.members != nil {
            let inner = json["errorMessage"] ?? json
            code = Self.tidy(inner["code"]?.string, secrets)
            message = Self.tidy(inner["message"]?.string, secrets)
            return
        }
        let type = response.header("Content-Type")?.lowercased() ?? ""
        let text = String(decoding: response.body, as: UTF8.self)
        if type.contains("html") || text.drop(while: \.isWhitespace).hasPrefix("<") {
            message = "a page of HTML, not SORACOM's form"
        } else {
            message = Self.tidy(text, secrets)
        }
    }

    /// `SEM0016: The specified subscriber is offline`; `nil` where nothing was said.
    package var sentence: String? {
        let parts = [code, message].compactMap { $0 }
        return parts.isEmpty ? nil : parts.joined(separator: ": ")
    }

    /// One line of bounded length without control characters.
    private static func tidy(_ text: String?, _ secrets: Secrets) -> String? {
        guard let text else { return nil }
        let words = secrets.struckOut(of: text).unicodeScalars.prefix(1000).split {
            $0.properties.isWhitespace || $0.properties.generalCategory == .control
        }
        let line = words.map { String($0) }.joined(separator: " ")
        return line.isEmpty ? nil : line.count > 200 ? line.prefix(200) + "…" : line
    }
}
