import JSONText
import Testing
import WANControl

@Suite("requests")
struct ControlRequestTests {
    static let all: [ControlRequest] = [
        .status(), .status(watch: true), .failover(uplink: "jcom"),
        .failover(uplink: "jcom", span: .seconds(7200), force: true, strict: true),
        .failover(uplink: "café-2", span: .milliseconds(1500)), .auto, .drain(uplink: "ftth"), .enable(uplink: "ftth"),
        .disable(uplink: "ftth"), .reload, .probe(uplink: nil), .probe(uplink: "soracom"),
        .speed(uplink: "soracom", speedClass: "s1.fast"), .speed(uplink: "soracom", speedClass: nil), .watch, .why,
        .history(count: nil), .history(count: 1000), .rules,
    ]

    @Test("what is written is read again", arguments: all)
    func roundTrip(request: ControlRequest) throws {
        #expect(try ControlRequest(line: Array(request.json.text.utf8)) == request)
    }

    @Test("every verb has a request here")
    func complete() { #expect(Set(Self.all.map(\.verb)) == Set(ControlRequest.Verb.allCases)) }

    @Test("a request reads as it is documented")
    func form() {
        #expect(
            ControlRequest.failover(uplink: "jcom", span: .seconds(7200), force: true).json.text
                == #"{"verb":"failover","arguments":{"uplink":"jcom","for":"2h","force":true}}"#)
    }

    @Test(
        "a wrong request is refused with a reason that names the fault",
        arguments: [
            (#"{"verb":"failover"}"#, "\"uplink\" is missing"),
            (#"{"verb":"failover","arguments":{"uplink":""}}"#, "a name of 1 to 64 bytes"),
            (#"{"verb":"failover","arguments":{"uplink":"a\u001b[2J"}}"#, "a name of 1 to 64 bytes"),
            (#"{"verb":"failover","arguments":{"uplink":7}}"#, "a name of 1 to 64 bytes"),
            (#"{"verb":"failover","arguments":{"uplink":"a","for":"soon"}}"#, "\"for\" is a time such as"),
            (#"{"verb":"failover","arguments":{"uplink":"a","for":"0s"}}"#, "\"for\" is a time such as"),
            (#"{"verb":"failover","arguments":{"uplink":"a","for":"9999999999h"}}"#, "\"for\" is a time such as"),
            (#"{"verb":"failover","arguments":{"uplink":"a","force":"yes"}}"#, "\"force\" is true or false"),
            (#"{"verb":"failover","arguments":{"uplink":"a","forse":true}}"#, "no argument \"forse\""),
            (#"{"verb":"speed","arguments":{"uplink":"a"}}"#, "\"class\" is missing"),
            (#"{"verb":"history","arguments":{"count":0}}"#, "a number from 1 to 1000"),
            (#"{"verb":"history","arguments":{"count":1e3}}"#, "a number from 1 to 1000"),
            (#"{"verb":"apply"}"#, "unknown verb \"apply\""),
            (#"{"verb":"auto","argument":{}}"#, "no member \"argument\""),
            (#""status""#, "an object with a verb"), ("", "one line of JSON"),
        ])
    func refused(line: String, why: String) {
        do {
            let request = try ControlRequest(line: Array(line.utf8))
            Issue.record("was read as \(request)")
        } catch {
            #expect(error.code == .usage)
            #expect(error.reason.contains(why), "\(error.reason)")
        }
    }

    @Test("every cut of a good request is refused, none is read as another")
    func cuts() {
        for request in Self.all {
            let line = Array(request.json.text.utf8)
            for end in 0..<line.count {
                #expect(throws: ControlRefusal.self) { try ControlRequest(line: Array(line[..<end])) }
            }
        }
    }

    @Test("times are read as people type them")
    func spans() {
        #expect(Duration(spanText: "90s") == .seconds(90))
        #expect(Duration(spanText: "1h30m") == .seconds(5400))
        #expect(Duration(spanText: "1d") == .seconds(86400))
        #expect(Duration(spanText: "250ms") == .milliseconds(250))
        for wrong in [
            "", "h", "5", "1.5h", "-1h", "30m1h", "1h1h", "1H", "1 h", "١h", "99999999999999999999s", "9223372036855s",
        ] {
            #expect(Duration(spanText: wrong) == nil, "\(wrong)")
        }
        #expect(Duration.seconds(11_520).spokenText == "3h 12m")
        #expect(Duration.seconds(86_400 * 4 + 59).spokenText == "4d")
        #expect(Duration.milliseconds(900).spokenText == "0s")
        #expect(Duration.seconds(-5).spokenText == "0s")
    }

    @Test("answers survive the way", arguments: ["jcom is down", "", "“café”\u{1b}[31m\n\u{0}"])
    func answers(reason: String) throws {
        let all: [ControlAnswer] = [
            .end, .result(.null), .result(["a": [1, 2.5, "x"]]), .refused(ControlRefusal(.notPermitted, reason)),
            .refused(ControlRefusal(.policy, reason, details: [reason, "policy.yaml:3:1: x"])),
        ]
        for answer in all {
            let line = answer.line
            #expect(line.last == 10)
            #expect(line.count { $0 == 10 } == 1)
            #expect(try ControlAnswer(line: Array(line.dropLast())) == answer)
        }
    }
}
