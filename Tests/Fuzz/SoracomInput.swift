import HTTPTransfer
import Soracom

/// What a service, a captive portal or a damaged file may say: the first byte is the status and whether it calls itself HTML.
func readSoracom(_ bytes: [UInt8]) {
    guard let first = bytes.first else { return }
    let body = Array(bytes.dropFirst())
    let statuses = [200, 201, 301, 400, 401, 403, 404, 408, 429, 500, 502, 503, 0, -1, 999, Int.max]
    // A header of the server's too, from the first line.
    let line = String(decoding: body.prefix { $0 != 10 }, as: UTF8.self)
    let response = HTTPResponse(
        status: statuses[Int(first & 0xf)],
        headers: [
            .init("Content-Type", first & 0x80 == 0 ? "application/json" : "text/html"), .init("Retry-After", line),
        ],
        body: body)
    if let state = try? SIMState(response) {
        precondition(!state.speedClass.name.isEmpty, "a speed class without a name")
    }
    let secrets = Secrets(["secret-key"])
    let failure = ServiceFailure(response, secrets: secrets)
    precondition(!failure.text.contains("secret-key"), "a secret in an error")
    precondition(
        failure.text.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control },
        "a control character in it")
    precondition(failure.text.count <= 600, "longer than a line")
    if let wait = failure.retryAfter { precondition(wait >= .seconds(1) && wait <= .seconds(300), "an unbounded wait") }

    let table = TokenTable(parsing: body)
    precondition(TokenTable(parsing: Array(table.text.utf8)) == table, "a token changed on the way")
    do throws(ProfileFault) {
        let profile = try Profile(parsing: body)
        precondition(!profile.authKey.isEmpty && !profile.authKeyID.isEmpty, "a profile without a key was taken")
    } catch {
        precondition(!error.text.isEmpty, "refused without a word")
    }
}
