internal import JSONText

/// What `/auth` gives: proof for two days at most that we are who the AuthKey says.
package struct Token: Hashable, Sendable {
    package var apiKey: String
    package var token: String
    /// UNIX seconds, by this machine's clock.
    package var issued: Int64
    package var expires: Int64

    package init(apiKey: String, token: String, issued: Int64, expires: Int64) {
        self.apiKey = apiKey
        self.token = token
        self.issued = issued
        self.expires = expires
    }

    /// The longest that SORACOM gives (AuthRequest.tokenTimeoutSeconds, 48 h).
    package static let lifetime: Int64 = 172_800
    /// Not used in its last minutes: a clock may be a little off, an errand may take a while.
    private static let margin: Int64 = 300

    /// A clock that went back (a Pi without battery) does not spoil a token: trying it costs less than signing in.
    package func isUsable(at now: Int64) -> Bool { now < expires - Self.margin }

    /// From half of its life on it should be renewed, while there is no hurry.
    package func shouldBeRenewed(at now: Int64) -> Bool { now >= issued + (expires - issued) / 2 }
}

/// For whom a token is: an AuthKey at an endpoint.
package struct Account: Hashable, Sendable {
    package var endpoint: String
    package var authKeyID: String
    package init(endpoint: String, authKeyID: String) {
        self.endpoint = endpoint
        self.authKeyID = authKeyID
    }
}

/// The tokens of all accounts as one small text.
package struct TokenTable: Hashable, Sendable {
    private var tokens: [(account: Account, token: Token)] = []
    private static let limit = 16

    package init() {}

    package subscript(_ account: Account) -> Token? {
        get { tokens.first { $0.account == account }?.token }
        set {
            tokens.removeAll { $0.account == account }
            if let newValue { tokens.append((account, newValue)) }
            if tokens.count > Self.limit { tokens.removeFirst() }
        }
    }

    /// Reads what `text` wrote. What is broken in any way counts as not there: the price is signing in once more.
    package init(parsing bytes: [UInt8]) {
        guard let json = try? JSONValue(parsing: bytes), json["version"] == 1 else { return }
        for entry in (json["tokens"]?.array ?? []).prefix(Self.limit) {
            guard let endpoint = entry["endpoint"]?.string, let id = entry["authKeyId"]?.string,
                let apiKey = entry["apiKey"]?.string, let token = entry["token"]?.string,
                let issued = entry["issued"]?.integer, let expires = entry["expires"]?.integer,
                issued >= 0, expires > issued, expires - issued <= Token.lifetime,
                Token.canBeSent(apiKey), Token.canBeSent(token)
            else { continue }
            self[Account(endpoint: endpoint, authKeyID: id)] =
                Token(apiKey: apiKey, token: token, issued: issued, expires: expires)
        }
    }

    package var text: String {
        let entries = tokens.map { account, token -> JSONValue in
            [
                "endpoint": .string(account.endpoint), "authKeyId": .string(account.authKeyID),
                "apiKey": .string(token.apiKey), "token": .string(token.token),
                "issued": .integer(token.issued), "expires": .integer(token.expires),
            ]
        }
        return JSONValue.object([.init("version", 1), .init("tokens", .array(entries))]).text
    }

    package static func == (a: Self, b: Self) -> Bool {
        a.tokens.elementsEqual(b.tokens) { $0.account == $1.account && $0.token == $1.token }
    }

    package func hash(into hasher: inout Hasher) {
        for (account, token) in tokens {
            hasher.combine(account)
            hasher.combine(token)
        }
    }
}

extension Token {
    /// Whether a text can be a header's value.
    static func canBeSent(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 8192 && text.utf8.allSatisfy { (0x21...0x7e).contains($0) }
    }
}
