import Soracom
import Testing

@Suite("profiles and endpoints")
struct ProfileTests {
    private func profile(_ rest: String) throws(ProfileFault) -> Profile {
        try Profile(parsing: Array(#"{"authKeyId":"keyId-a","authKey":"secret-b"\#(rest)}"#.utf8))
    }

    @Test(
        "the endpoint follows coverage and sandbox (soracom-cli endpoint.go)",
        arguments: [
            ("", "https://api.soracom.io"), (#","coverageType":"jp""#, "https://api.soracom.io"),
            (#","coverageType":"""#, "https://api.soracom.io"), (#","coverageType":null"#, "https://api.soracom.io"),
            (#","coverageType":"g""#, "https://g.api.soracom.io"),
            (#","sandbox":true"#, "https://api-sandbox.soracom.io"),
            (#","sandbox":true,"coverageType":"g""#, "https://g.api-sandbox.soracom.io"),
            (#","coverageType":"g","endpoint":"https://a.example/v1/""#, "https://a.example"),
            (#","profileCommand":"","registerPaymentMethod":false,"headers":{"x":"y"}"#, "https://api.soracom.io"),
        ])
    func endpoint(rest: String, url: String) throws {
        #expect(try Endpoint.choose(policy: nil, profile: profile(rest)).url == url)
    }

    @Test("the policy's endpoint goes before the profile's")
    func policyFirst() throws {
        let profile = try profile(#","endpoint":"https://a.example""#)
        #expect(
            try Endpoint.choose(policy: "https://b.example:8443/base", profile: profile).url
                == "https://b.example:8443/base")
    }

    @Test(
        "an endpoint that cannot be one is refused",
        arguments: [
            "", "api.soracom.io", "ftp://a.example", "https://", "https://user:pw@a.example", "https://a.example/?x=1",
            "https://a.example:0", "https://a.example:99999", "http://api.soracom.io", "https://a b", "https://[::1",
            "https://[name]",
        ])
    func badEndpoint(url: String) { #expect(throws: ServiceFailure.self) { try Endpoint(url) } }

    @Test(
        "plain http is for laboratories: an address without a name",
        arguments: ["http://127.0.0.1:8080", "http://[::1]:8080"])
    func laboratory(url: String) throws { #expect(try Endpoint(url).url == url) }

    @Test(
        "a profile that cannot work is refused with what to do, and without quoting it",
        arguments: [
            (#"{"authKeyId":"keyId-a"}"#, "authKeyId and authKey are needed"),
            (#"{"email":"a@b.example","password":"hunter2"}"#, "authKeyId and authKey are needed"),
            (#"{"authKeyId":"keyId-a","authKey":"secret-b","profileCommand":"cat x"}"#, "profileCommand would run"),
            (#"{"authKeyId":"keyId-a","authKey":7}"#, "authKey is not a string"),
            (#"{"authKeyId":"keyId-a","authKey":"secret-b","coverageType":"eu"}"#, "neither jp nor g"),
            (#"{"authKeyId":"keyId-a","authKey":"secret\nb"}"#, "blank or a control character"),
            ("secret-b", "not JSON"), ("[]", "not a JSON object"), ("", "not JSON"),
        ])
    func refused(text: String, reason: String) {
        let fault = #expect(throws: ProfileFault.self) { try Profile(parsing: Array(text.utf8)) }
        #expect(fault?.text.contains(reason) == true)
        #expect(fault?.text.contains("secret-b") == false && fault?.text.contains("hunter2") == false)
    }

    @Test("a table of tokens survives being written and read")
    func tokens() {
        var table = TokenTable()
        for number in 0..<20 {
            table[Account(endpoint: "https://a.example", authKeyID: "k\(number)")] = Token(
                apiKey: "api-\(number)", token: "t\"\\\(number)", issued: 1000, expires: 2000)
        }
        let read = TokenTable(parsing: Array(table.text.utf8))
        #expect(read == table)
        #expect(read[Account(endpoint: "https://a.example", authKeyID: "k3")] == nil, "the oldest make room")
        #expect(read[Account(endpoint: "https://a.example", authKeyID: "k4")]?.token == "t\"\\4")
    }

    @Test("a token's life")
    func life() {
        let token = Token(apiKey: "a", token: "b", issued: 1000, expires: 1000 + Token.lifetime)
        #expect(token.isUsable(at: 1000) && !token.shouldBeRenewed(at: 1000))
        #expect(token.isUsable(at: 0), "a clock that went back")
        #expect(token.shouldBeRenewed(at: 1000 + Token.lifetime / 2) && token.isUsable(at: 1000 + Token.lifetime / 2))
        #expect(!token.isUsable(at: 1000 + Token.lifetime - 60))
    }
}
