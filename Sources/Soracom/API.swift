package import HTTPTransfer
internal import JSONText
internal import LinuxIO

/// The SORACOM API for one AuthKey, as typed calls (soracom-api.json).
///
/// Signs in by itself when there is no token, and once more when one that was good before is refused; the call is then
/// repeated once.
package struct API {
    private let profile: Profile
    private let endpoint: Endpoint
    private let account: Account
    private let cache: TokenCache

    package init(profile: Profile, endpoint policyEndpoint: String?, cache: TokenCache) throws(ServiceFailure) {
        self.profile = profile
        endpoint = try Endpoint.choose(policy: policyEndpoint, profile: profile)
        account = Account(endpoint: endpoint.url, authKeyID: profile.authKeyID)
        self.cache = cache
    }

    /// `POST /sims/{sim_id}/update_speed_class` or `/subscribers/{imsi}/update_speed_class`.
    package func updateSpeedClass(
        of sim: SIMIdentity, to wanted: SpeedClass, by deadline: Deadline, over client: inout HTTPClient
    ) throws(ServiceFailure) -> SIMState {
        let path = try path(of: sim) + "/update_speed_class"
        let body = JSONValue.object([.init("speedClass", .string(wanted.name))])
        return try SIMState(call(.post, path, body, by: deadline, over: &client)).confirming(wanted)
    }

    /// Sees to it that a token is there before it is needed: signs in where there is none, or where half its life is over.
    package func prepare(by deadline: Deadline, over client: inout HTTPClient) throws(ServiceFailure) -> Token {
        let now = Self.now
        if let token = cache[account], token.isUsable(at: now), !token.shouldBeRenewed(at: now) { return token }
        return try authenticate(by: deadline, over: &client)
    }

    /// `POST /auth` with the AuthKey.
    package func authenticate(by deadline: Deadline, over client: inout HTTPClient) throws(ServiceFailure) -> Token {
        let issued = Self.now
        let body: JSONValue = [
            "authKeyId": .string(profile.authKeyID), "authKey": .string(profile.authKey),
            "tokenTimeoutSeconds": .integer(Token.lifetime),
        ]
        let response: HTTPResponse
        do {
            response = try send(.post, "/auth", body, token: nil, by: deadline, over: &client)
        } catch {
            throw error.from("signing in")
        }
        guard let json = try? JSONValue(parsing: response.body), let apiKey = json["apiKey"]?.string,
            let text = json["token"]?.string, Token.canBeSent(apiKey), Token.canBeSent(text)
        else {
            throw ServiceFailure(
                .malformed,
                "signing in: the answer has no apiKey and token in it, so it is hardly SORACOM that answers",
                retryAfter: .seconds(30))
        }
        let token = Token(apiKey: apiKey, token: text, issued: issued, expires: issued + Token.lifetime)
        cache[account] = token
        return token
    }

    private func path(of sim: SIMIdentity) throws(ServiceFailure) -> String {
        guard let path = sim.path else {
            throw ServiceFailure(
                .configuration, "the SIM's name has a character that no SIM ID or IMSI has", retryAfter: nil)
        }
        return path
    }

    private func call(
        _ method: HTTPRequest.Method, _ path: String, _ body: JSONValue?, by deadline: Deadline,
        over client: inout HTTPClient
    ) throws(ServiceFailure) -> HTTPResponse {
        if let token = cache[account], token.isUsable(at: Self.now) {
            do {
                return try send(method, path, body, token: token, by: deadline, over: &client)
            } catch  where error.mayBeTheToken && !isFresh(token, error) {
                // Falls through to a new token. The old one goes only when it was surely at fault.
                if error.kind == .status(401) { cache[account] = nil }
            } catch {
                throw error
            }
        }
        let token = try authenticate(by: deadline, over: &client)
        return try send(method, path, body, token: token, by: deadline, over: &client)
    }

    /// 400 and 403 have other causes than the token, too, and those would have us sign in at each attempt: with a token of the
    /// last minute they are taken at their word, unless that word is "token".
    private func isFresh(_ token: Token, _ failure: ServiceFailure) -> Bool {
        guard failure.kind != .status(401), !failure.namesTheToken else { return false }
        return (0..<60).contains(Self.now - token.issued)
    }

    private func send(
        _ method: HTTPRequest.Method, _ path: String, _ body: JSONValue?, token: Token?, by deadline: Deadline,
        over client: inout HTTPClient
    ) throws(ServiceFailure) -> HTTPResponse {
        guard !deadline.hasPassed else { throw ServiceFailure(HTTPError(.timeout, "no time was left to ask")) }
        var request = HTTPRequest(method, "\(endpoint.url)/v1\(path)", timeout: deadline.left)
        request.headers = [.init("Accept", "application/json"), .init("X-Soracom-Lang", "en")]
        var secrets = Secrets([profile.authKey])
        if let token {
            request.headers += [.init("X-Soracom-API-Key", token.apiKey), .init("X-Soracom-Token", token.token)]
            secrets = secrets.adding([token.apiKey, token.token])
        }
        if let body {
            request.headers.append(.init("Content-Type", "application/json"))
            request.body = Array(body.text.utf8)
        }
        let response: HTTPResponse
        do {
            response = try client.perform(request)
        } catch {
            throw ServiceFailure(error)
        }
        guard response.status == 200 else { throw ServiceFailure(response, secrets: secrets) }
        return response
    }

    private static var now: Int64 { Clock.realtime() / 1_000_000_000 }
}
