import LinuxIO
import TestSupport
import Testing
import WANControl
import WANLab
import WANModel

@Suite("the courier bears what services do wrong")
struct CourierFaultTests {
    let bench: Bench
    init() throws { bench = try Bench() }

    /// A courier with a token in its cache that was got a while ago.
    private func signedIn() throws -> Courier {
        var first = try bench.courier()
        #expect(try first.ask(bench.request(.prepare, nil)).isOK)
        try bench.finish(first)
        _ = try bench.ageToken(by: 7200)
        return try bench.courier()
    }

    @Test("an expired token: signs in again once and asks again once")
    func expiredToken() throws {
        var courier = try signedIn()
        bench.service.expireTokens()
        #expect(try courier.ask(bench.request(via: [.api])).outcome == .speedClass("s1.fast", via: .api))
        #expect(bench.operations == [.auth, .updateSimSpeedClass, .auth, .updateSimSpeedClass])
        try bench.finish(courier)
    }

    @Test("a token that is past its life is not even tried")
    func ownExpiry() throws {
        var first = try bench.courier()
        #expect(try first.ask(bench.request(.prepare, nil)).isOK)
        try bench.finish(first)
        _ = try bench.ageToken(by: 172_600)
        var courier = try bench.courier()
        #expect(try courier.ask(bench.request(via: [.api])).isOK)
        #expect(bench.operations == [.auth, .auth, .updateSimSpeedClass])
        try bench.finish(courier)
    }

    @Test("400 “invalid api key” as plain text, a young token or an old one", arguments: [true, false])
    func unknownKey(young: Bool) throws {
        var courier = try signedIn()
        if young { #expect(try courier.ask(bench.request(.prepare, nil)).isOK) }
        bench.service.forgetTokens()
        #expect(try courier.ask(bench.request(via: [.api])).outcome == .speedClass("s1.fast", via: .api))
        #expect(bench.operations == [.auth, .updateSimSpeedClass, .auth, .updateSimSpeedClass])
        try bench.finish(courier)
    }

    @Test("403 with an old token: once more with a new one, then it is believed")
    func forbidden() throws {
        bench.service.fail(
            .updateSimSpeedClass, with: .status(403, code: "AUM0033", message: "No permission."), times: 2)
        var courier = try signedIn()
        let answer = try courier.ask(bench.request(via: [.api]))
        #expect(answer.isPermanent)
        #expect(answer.error.contains("HTTP 403") && answer.error.contains("AUM0033: No permission."))
        #expect(bench.operations == [.auth, .updateSimSpeedClass, .auth, .updateSimSpeedClass])
        #expect(try courier.ask(bench.request(via: [.api])).isOK)
        try bench.finish(courier)
    }

    @Test("401 again and again: two attempts, not a loop")
    func unauthorizedForEver() throws {
        bench.service.fail(.updateSimSpeedClass, with: .status(401, code: "X", message: "no"))
        var courier = try signedIn()
        #expect(!(try courier.ask(bench.request(via: [.api])).isOK))
        #expect(bench.operations == [.auth, .updateSimSpeedClass, .auth, .updateSimSpeedClass])
        try bench.finish(courier)
    }

    @Test("a wrong AuthKey is said to be one, and is not quoted")
    func wrongKey() throws {
        let wrong = try bench.directory.write(
            #"{"authKeyId":"\#(Bench.keyID)","authKey":"secret-wrong-wrong-wrong"}"#, to: "wrong.json", mode: 0o600)
        var courier = try bench.courier(["--credential", wrong])
        var request = bench.request(via: [.api])
        request.credentials = "wrong.json"
        let answer = try courier.ask(request)
        #expect(answer.isPermanent && answer.error.contains("signing in: HTTP 401"))
        #expect(!answer.error.contains("secret-wrong"))
        try bench.finish(courier)
    }

    @Test("a server that quotes our key back cannot make us print it")
    func echoedSecret() throws {
        bench.service.fail(.auth, with: .status(400, code: "X", message: "bad key \(Bench.key) in request"), times: 1)
        var courier = try bench.courier()
        let answer = try courier.ask(bench.request(via: [.api]))
        #expect(answer.error.contains("bad key [secret] in request"))
        try bench.finish(courier)
    }

    @Test("429: wait as long as the headers say", arguments: [1, 42])
    func rateLimit(seconds: Int) throws {
        bench.service.fail(.updateSimSpeedClass, with: .tooManyRequests(secondsBeforeRefresh: seconds), times: 1)
        var courier = try signedIn()
        let answer = try courier.ask(bench.request(via: [.api]))
        #expect(answer.retryAfter == .seconds(seconds))
        #expect(answer.error.contains("HTTP 429"))
        try bench.finish(courier)
    }

    @Test("429 without a word: a minute; 429 at /auth counts just so")
    func rateLimitUnexplained() throws {
        bench.service.fail(.auth, with: .tooManyRequestsUnexplained, times: 1)
        var courier = try bench.courier()
        #expect(try courier.ask(bench.request(via: [.api])).retryAfter == .seconds(60))
        #expect(try courier.ask(bench.request(via: [.api])).isOK)
        try bench.finish(courier)
    }

    @Test(
        "an answer that is none: try again later",
        arguments: [
            SoracomFault.status(500, code: "X", message: "oops"), .html(502), .html(200), .text(503, "busy"),
            .nestedStatus(500, code: "COM0001", message: "Internal error"), .redirect("http://portal.example/"),
            .dropMidAnswer, .reset, .oversized, .keepsClass("s1.minimum"),
        ])
    func noAnswer(fault: SoracomFault) throws {
        bench.service.fail(.metadataUpdate, .updateSimSpeedClass, with: fault, times: 1)
        var courier = try signedIn()
        let answer = try courier.ask(bench.request())
        #expect(!answer.isOK && !answer.isPermanent)
        #expect(answer.retryAfter.map { $0 > .zero && $0 <= .seconds(60) } == true)
        #expect(answer.error.contains("metadata service: ") && answer.error.contains("; SORACOM API: "))
        #expect(!answer.error.contains("<") && answer.error.count < 400)
        #expect(try courier.ask(bench.request()).outcome == .speedClass("s1.fast", via: .metadata))
        try bench.finish(courier)
    }

    @Test("a class that is not confirmed is not claimed")
    func notConfirmed() throws {
        bench.service.fail(.metadataUpdate, .updateSimSpeedClass, with: .keepsClass("s1.slow"))
        var courier = try bench.courier()
        let answer = try courier.ask(bench.request())
        #expect(answer.error.contains("asked for s1.fast, and the answer still says s1.slow"))
        try bench.finish(courier)
    }

    @Test("nulls and members that nobody knows do no harm")
    func strangeMembers() throws {
        bench.service.fail(.auth, .metadataUpdate, .updateSimSpeedClass, with: .strangeMembers)
        var courier = try bench.courier()
        #expect(try courier.ask(bench.request(via: [.metadata])).isOK)
        #expect(try courier.ask(bench.request(via: [.api])).isOK)
        try bench.finish(courier)
    }

    @Test("a service that hangs costs its share of the time, and both together no more than was given")
    func hang() throws {
        bench.service.fail(.metadataUpdate, with: .hang)
        var courier = try signedIn()
        var request = bench.request()
        request.timeout = .milliseconds(1200)
        let answer = try courier.ask(request)
        #expect(answer.outcome == .speedClass("s1.fast", via: .api))
        #expect((.milliseconds(550)...(.milliseconds(1200))).contains(answer.took))

        bench.service.fail(.updateSimSpeedClass, with: .hang)
        let second = try courier.ask(request)
        #expect(!second.isOK && !second.isPermanent)
        #expect((.milliseconds(1150)...(.milliseconds(1600))).contains(second.took))
        try bench.finish(courier)
    }

    @Test("a slow answer within the time is an answer")
    func slow() throws {
        bench.service.fail(.metadataUpdate, with: .slow(.milliseconds(300)))
        var courier = try bench.courier()
        let answer = try courier.ask(bench.request(via: [.metadata]))
        #expect(answer.isOK && answer.took >= .milliseconds(300))
        try bench.finish(courier)
    }

    @Test("both refused: the failure says what each way said")
    func refused() throws {
        try bench.service.setRefusing(api: true, metadata: true)
        var courier = try bench.courier()
        let answer = try courier.ask(bench.request())
        #expect(!answer.isPermanent && answer.retryAfter == .seconds(10))
        #expect(answer.error.contains("metadata service: Failed to connect"))
        #expect(answer.error.contains("SORACOM API: signing in: Failed to connect"))
        try bench.service.healAll()
        #expect(try courier.ask(bench.request()).isOK)
        try bench.finish(courier)
    }

    @Test("what cannot work is called permanent, in words")
    func permanent() throws {
        var courier = try bench.courier()
        var request = bench.request(.setSpeedClass, "s1.8xfast", via: [.api])
        #expect(try courier.ask(request).isPermanent)

        request = bench.request(via: [.api])
        request.identity = .sim("8981100000000000999")
        #expect(try courier.ask(request).error.contains("HTTP 404"))
        request.identity = .sim("../auth")
        #expect(try courier.ask(request).error.contains("a character that no SIM ID or IMSI has"))
        request.identity = nil
        #expect(try courier.ask(request).error.contains("neither sim nor imsi"))

        request = bench.request(via: [.api])
        request.credentials = nil
        #expect(try courier.ask(request).error.contains("names no credentials"))
        request.credentials = "/etc/shadow"
        #expect(try courier.ask(request).error.contains("the courier has none of the name /etc/shadow"))

        request = bench.request(via: [.api])
        request.endpoint = "http://api.soracom.example"
        #expect(try courier.ask(request).error.contains("in the clear; use https"))
        try bench.finish(courier)
    }

    @Test("a line that is no request is answered, and the next one served")
    func garbage() throws {
        var courier = try bench.courier()
        for line in ["", "{", "[1]", "{}", #"{"id":1}"#, #"{"id":"x","verb":"prepare"}"#, "\u{0}\u{1}\u{ff}"] {
            #expect(try courier.ask(line: Array(line.utf8)).contains(#""ok":false"#))
        }
        var line = String(decoding: bench.request().line, as: UTF8.self)
        line.replace("s1.fast", with: "s1.fast\\r\\nX-Evil: 1")
        #expect(try courier.ask(line: Array(line.utf8)).contains(#""ok":false"#))
        #expect(try courier.ask(bench.request()).isOK)
        try bench.finish(courier)
    }
}
