import Testing
import WANControl
import WANModel

@Suite("messages between daemon and courier")
struct CourierMessageTests {
    private static var full: CourierRequest {
        var request = CourierRequest(id: .max, verb: .setSpeedClass, uplink: "soracom \"1\"\n")
        request.interface = "ppp1"
        request.identity = .imsi("440101234567890")
        request.speedClass = "s1.fast"
        request.via = [.api, .metadata]
        request.metadataEndpoint = "http://10.0.0.1:8080"
        request.endpoint = "https://api.example"
        request.credentials = "soracom"
        request.timeout = .milliseconds(1234)
        return request
    }

    @Test(
        "a request reads back as it was written", arguments: [full, CourierRequest(id: 0, verb: .prepare, uplink: "")])
    func request(request: CourierRequest) throws {
        #expect(try CourierRequest(line: request.line) == request)
        #expect(!request.line.contains(10))
    }

    @Test(
        "an answer reads back as it was written",
        arguments: [
            CourierAnswer(id: 1, outcome: .speedClass("s1.fast", via: .metadata), took: .milliseconds(12)),
            CourierAnswer(id: 2, outcome: .prepared(expiresAt: 1_900_000_000), took: .zero),
            CourierAnswer(
                id: nil, outcome: .failed("so\nit is", retryAfter: .seconds(10), permanent: false), took: .zero),
            CourierAnswer(id: 3, outcome: .failed("", retryAfter: nil, permanent: true), took: .seconds(5)),
        ])
    func answer(answer: CourierAnswer) throws {
        #expect(try CourierAnswer(line: answer.line) == answer)
        #expect(!answer.line.contains(10))
    }

    @Test(
        "a wait is held between nothing and an hour, whatever number the answer has",
        arguments: [
            (-1, 0), (0, 0), (10_000, 10), (3_600_000, 3600), (3_600_001, 3600), (Int64.max, 3600), (.min, 0),
        ] as [(Int64, Int64)])
    func waits(milliseconds: Int64, seconds: Int64) throws {
        let answer = CourierAnswer(
            id: 1, outcome: .failed("busy", retryAfter: .milliseconds(milliseconds), permanent: false), took: .zero)
        let text = String(decoding: answer.line, as: UTF8.self)
            .replacing(/"retry_after_ms":-?[0-9]+/, with: "\"retry_after_ms\":\(milliseconds)")
        #expect(
            try CourierAnswer(line: Array(text.utf8)).outcome
                == .failed("busy", retryAfter: .seconds(seconds), permanent: false))
    }

    @Test("what an answer says is cut, and a class of endless letters is none")
    func longAnswers() throws {
        let long = String(repeating: "x", count: 50_000)
        let failed = CourierAnswer(id: 1, outcome: .failed(long, retryAfter: nil, permanent: true), took: .zero)
        guard case .failed(let text, _, _) = try CourierAnswer(line: failed.line).outcome else {
            Issue.record("it has not failed")
            return
        }
        #expect(text.count == CourierAnswer.longestText)
        let confirmed = CourierAnswer(id: 1, outcome: .speedClass(long, via: .api), took: .zero)
        #expect(throws: CourierMessageError.self) { try CourierAnswer(line: confirmed.line) }
    }

    @Test("a request as people write it down is read")
    func byHand() throws {
        let text = #"""
            {"id":1,"verb":"set-speed-class","uplink":"soracom","interface":"ppp1","sim":"898","class":"s1.fast",
            "via":["metadata","api"],"metadata_endpoint":"http://100.127.100.127","endpoint":null,"credentials":null,
            "timeout_ms":5000}
            """#
        let request = try CourierRequest(line: Array(text.utf8))
        #expect(request.identity == .sim("898") && request.via == [.metadata, .api] && request.timeout == .seconds(5))
    }

    @Test("every cut of a line is refused", arguments: 0..<full.line.count)
    func cuts(length: Int) {
        #expect(throws: CourierMessageError.self) { try CourierRequest(line: Array(Self.full.line.prefix(length))) }
    }

    @Test(
        "what is no request is refused with the member's name",
        arguments: [
            (#"{"verb":"prepare","uplink":"x","timeout_ms":1}"#, "id: missing"),
            (#"{"id":1,"verb":"dance","uplink":"x","timeout_ms":1}"#, "verb: not one of"),
            (#"{"id":1,"verb":"prepare","uplink":"x","timeout_ms":0}"#, "timeout_ms: not in"),
            (#"{"id":1,"verb":"prepare","uplink":"x","timeout_ms":1.5}"#, "timeout_ms: not an integer"),
            (
                #"{"id":1,"verb":"prepare","uplink":"x","timeout_ms":1,"via":["api","api"]}"#,
                "via: not a list of different"
            ),
            (#"{"id":1,"verb":"prepare","uplink":"x","timeout_ms":1,"via":[]}"#, "via: not a list"),
            (#"{"id":1,"verb":"prepare","uplink":"x","timeout_ms":1,"sim":"1","imsi":"2"}"#, "sim, imsi: only one"),
            (#"{"id":1,"verb":"prepare","uplink":"x","timeout_ms":1,"password":"p"}"#, "password: not a member"),
        ])
    func refused(text: String, reason: String) {
        let error = #expect(throws: CourierMessageError.self) { try CourierRequest(line: Array(text.utf8)) }
        #expect(error?.problem.contains(reason) == true)
    }
}
