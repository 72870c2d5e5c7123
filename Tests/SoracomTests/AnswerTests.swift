import HTTPTransfer
import Soracom
import Testing

@Suite("answers of SORACOM's are read with care")
struct AnswerTests {
    private func response(_ status: Int, _ body: String, _ type: String = "application/json") -> HTTPResponse {
        HTTPResponse(status: status, headers: [.init("content-type", type)], body: Array(body.utf8))
    }

    @Test(
        "an error is read in every form that was seen",
        arguments: [
            (#"{"code":"SEM0016","message":"offline"}"#, "application/json", "SEM0016: offline"),
            (#"{"httpStatus":400,"errorMessage":{"code":"COM1","message":"m"}}"#, "application/json", "COM1: m"),
            (#"{"message":null,"code":"C","messageArgs":[1]}"#, "application/json", "C"),
            ("invalid api key\r\n", "text/plain", "invalid api key"),
            ("<html><h1>502</h1>", "text/html", "a page of HTML, not SORACOM's form"),
            (" \n<!DOCTYPE html>", "application/json", "a page of HTML, not SORACOM's form"),
            ("a\u{0}b\u{1b}[31m\nc", "text/plain", "a b [31m c"),
        ])
    func errors(body: String, type: String, sentence: String) {
        #expect(ErrorBody(response(400, body, type)).sentence == sentence)
    }

    @Test("an error without words has none", arguments: ["", "{}", "\n\n", #"{"code":1}"#])
    func noWords(body: String) { #expect(ErrorBody(response(400, body)).sentence == nil) }

    @Test("an error as long as a book is cut")
    func long() throws {
        let sentence = try #require(ErrorBody(response(500, String(repeating: "x", count: 100_000))).sentence)
        #expect(sentence.count == 201)
    }

    @Test(
        "only the class is needed of an answer",
        arguments: [
            #"{"speedClass":"s1.fast"}"#, #"{"speedClass":"s1.fast","simId":null,"imsi":null,"x":[{}],"status":null}"#,
        ])
    func state(body: String) throws {
        #expect(try SIMState(response(200, body)).speedClass == SpeedClass("s1.fast"))
    }

    @Test(
        "what names no class is no answer",
        arguments: [
            "", "{}", "[]", "null", #"{"speedClass":null}"#, #"{"speedClass":1}"#, #"{"speedClass":"a b"}"#, "<p>",
        ])
    func noState(body: String) {
        #expect(throws: ServiceFailure.self) { try SIMState(response(200, body)) }
    }

    @Test("every cut of a good answer is refused or right", arguments: 0...68)
    func cuts(length: Int) {
        let body = #"{"apn":"soracom.io","tags":{"name":"ルータ"},"speedClass":"s1.fast"}"#
        let cut = HTTPResponse(status: 200, body: Array(body.utf8.prefix(length)))
        let state = try? SIMState(cut)
        #expect(state == nil || length >= body.utf8.count)
    }

    @Test(
        "when to ask again follows the status",
        arguments: [
            (400, nil), (401, nil), (403, nil), (404, nil), (302, 30), (408, 10), (429, 60), (500, 10), (503, 10),
        ] as [(Int, Int?)])
    func retry(status: Int, seconds: Int?) {
        let failure = ServiceFailure(response(status, ""), secrets: Secrets())
        #expect(failure.retryAfter == seconds.map { .seconds($0) })
    }

    @Test(
        "a limit's header is obeyed within reason",
        arguments: [("17", 17), ("0", 1), ("-5", 1), ("100000", 300), ("soon", 60), ("", 60)])
    func header(value: String, seconds: Int) {
        for name in [
            "X-Soracom-Ratelimit-Seconds-Before-Refresh", "x-soracom-ratelimit-seconds-before-refresh", "Retry-After",
        ] {
            let response = HTTPResponse(status: 429, headers: [.init(name, value)])
            #expect(ServiceFailure(response, secrets: Secrets()).retryAfter == .seconds(seconds))
        }
    }

    @Test("secrets are struck out of what a server says")
    func secrets() {
        let failure = ServiceFailure(
            response(400, "key secret-abc and token t0ken! are bad", "text/plain"),
            secrets: Secrets(["secret-abc", "t0ken!"]))
        #expect(failure.text == "HTTP 400, “key [secret] and token [secret] are bad”")
    }

    @Test("and not a part of one is left where the text is cut", arguments: [180, 190, 199, 980, 995])
    func secretAtTheEdge(padding: Int) {
        let key = "secret-0123456789abcdef"
        for body in [
            String(repeating: "x ", count: padding / 2) + key,
            #"{"code":"A","message":"\#(String(repeating: "x", count: padding))\#(key)"}"#,
        ] {
            let failure = ServiceFailure(response(400, body, "text/plain"), secrets: Secrets([key]))
            #expect(!failure.text.contains("secret-"))
        }
    }
}
