import HTTPTransfer
import JSONText
import LinuxIO
import Testing
import WANLab

@Suite("the laboratory's SORACOM keeps to SORACOM's specification")
struct SoracomServiceTests {
    private static let sim = "8981100000000000001"
    private static let imsi = "440101234567890"
    private let service: SoracomService
    private let api: String
    private let metadata: String

    init() throws {
        service = try SoracomService(
            sims: [
                SoracomSIM(simID: Self.sim, imsi: Self.imsi, addresses: ["127.0.0.1"]),
                SoracomSIM(simID: "8981100000000000002", imsi: "440101234567892", addresses: ["127.0.0.2"]),
            ], authKeys: ["keyId-a": "secret-b"])
        let apiListener = try TCPListener(address: "127.0.0.1")
        let metadataListener = try TCPListener(address: "127.0.0.1")
        api = "http://127.0.0.1:\(apiListener.port)/v1"
        metadata = "http://127.0.0.1:\(metadataListener.port)/v1"
        try service.serveAPI(at: apiListener)
        try service.serveMetadata(at: metadataListener)
    }

    private func ask(
        _ method: HTTPRequest.Method, _ url: String, _ body: String? = nil, _ headers: [HTTPRequest.Header] = []
    ) throws -> HTTPResponse {
        var request = HTTPRequest(method, url, timeout: .seconds(5))
        request.headers = headers + (body == nil ? [] : [.init("Content-Type", "application/json; charset=utf-8")])
        request.body = body.map { Array($0.utf8) }
        var client = try HTTPClient()
        return try client.perform(request)
    }

    private func signIn() throws -> [HTTPRequest.Header] {
        let answer = try ask(.post, api + "/auth", #"{"authKeyId":"keyId-a","authKey":"secret-b"}"#)
        let json = try JSONValue(parsing: answer.body)
        return [
            .init("X-Soracom-API-Key", try #require(json["apiKey"]?.string)),
            .init("X-Soracom-Token", try #require(json["token"]?.string)),
        ]
    }

    @Test("every operation answers as its schema says")
    func conforming() throws {
        let keys = try signIn()
        let specification = try OpenAPI.soracom()
        service.changeSIM(Self.sim) { $0.traffic = ["s1.fast": .init(upload: 1_000_000, download: 5_000_000)] }
        let period = "?from=1700000000&to=1700003600&period=month"
        let requests: [(String, HTTPRequest.Method, String, String?)] = [
            ("auth", .post, "/auth", #"{"authKeyId":"keyId-a","authKey":"secret-b","tokenTimeoutSeconds":172800}"#),
            ("getSim", .get, "/sims/\(Self.sim)", nil),
            ("getSubscriber", .get, "/subscribers/\(Self.imsi)", nil),
            ("updateSimSpeedClass", .post, "/sims/\(Self.sim)/update_speed_class", #"{"speedClass":"s1.fast"}"#),
            ("updateSpeedClass", .post, "/subscribers/\(Self.imsi)/update_speed_class", #"{"speedClass":"s1.slow"}"#),
            ("getAirStatsOfSim", .get, "/stats/air/sims/\(Self.sim)\(period)", nil),
            ("getAirStats", .get, "/stats/air/subscribers/\(Self.imsi)\(period)", nil),
            ("generateAuthToken", .post, "/operators/OP0012345678/token", #"{"tokenTimeoutSeconds":600}"#),
        ]
        for (operation, method, path, body) in requests {
            let answer = try ask(method, api + path, body, operation == "auth" ? [] : keys)
            #expect(answer.status == 200, "\(operation)")
            let json = try JSONValue(parsing: answer.body)
            #expect(specification.faults(inAnswerOf: operation, status: 200, json) == [], "\(operation)")
        }
        #expect(service.violations == [])
        #expect(service.speedClass(ofSIM: Self.sim) == "s1.slow")
        #expect(service.calls.map(\.operation?.rawValue) == ["auth"] + requests.map { $0.0 })
    }

    @Test(
        "what the specification has no room for is refused and noted",
        arguments: [
            (.post, "/auth", "", 400, "body: is missing"),
            (.post, "/auth", "{", 400, "body: is not JSON"),
            (.post, "/auth", #"{"authKeyId":1}"#, 400, "body.authKeyId: is not of type string"),
            (.post, "/auth", #"{"authKeyId":null}"#, 400, "body.authKeyId: is null"),
            (.post, "/auth", #"{"authKeyID":"a"}"#, 400, "body.authKeyID: is not a member"),
            (.post, "/auth", #"{"tokenTimeoutSeconds":172801}"#, 400, "body.tokenTimeoutSeconds: above"),
            (.get, "/auth", nil, 405, "no such method"),
            (.put, "/sims/1/update_speed_class", "{}", 405, "no such method"),
            (.post, "/sims/1/update_speed", "{}", 404, "no such path"), (.get, "/sims/", nil, 404, "no such path"),
            (.get, "/sims/1?x=1", nil, 401, "query x: is not a parameter"),
            (.get, "/sims/1", nil, 401, "header X-Soracom-API-Key: is missing"),
            (
                .post, "/sims/1/update_speed_class", #"{"speedClass":"fast"}"#, 401,
                "body.speedClass: \"fast\" is not one of"
            ),
            (.post, "/sims/1/update_speed_class", "{}", 401, "body.speedClass: is missing"),
            (.get, "/stats/air/sims/1?from=a&to=1&period=year", nil, 401, "query from: is null"),
            (.get, "/stats/air/sims/1?from=1&to=1&period=year", nil, 401, "query period: \"year\" is not one of"),
            (.get, "/stats/air/sims/1?from=1&to=1", nil, 401, "query period: is missing"),
        ] as [(HTTPRequest.Method, String, String?, Int, String)])
    func refused(method: HTTPRequest.Method, path: String, body: String?, status: Int, reason: String) throws {
        #expect(try ask(method, api + path, body).status == status)
        #expect(service.violations.contains { $0.contains(reason) }, "\(service.violations)")
    }

    @Test("a request without /v1, or with a body of another type, is noted")
    func wrongForm() throws {
        #expect(try ask(.get, String(api.dropLast(3)) + "/sims/1").status == 404)
        #expect(try ask(.post, api + "/auth", nil, [.init("Content-Type", "text/plain")]).status == 400)
        var request = HTTPRequest(.post, api + "/auth", timeout: .seconds(5))
        request.headers = [.init("Content-Type", "application/x-www-form-urlencoded")]
        request.body = Array("authKeyId=a".utf8)
        var client = try HTTPClient()
        #expect(try client.perform(request).status == 400)
        #expect(service.violations.count == 3)
        #expect(service.violations.last?.contains("header Content-Type: application/x-www-form-urlencoded") == true)
    }

    @Test("refusals that the specification has are no violations")
    func documented() throws {
        #expect(try ask(.post, api + "/auth", #"{"authKeyId":"keyId-a","authKey":"no"}"#).status == 401)
        let keys = try signIn()
        #expect(try ask(.get, api + "/sims/999", nil, keys).status == 404)
        let path = "/sims/\(Self.sim)/update_speed_class"
        #expect(try ask(.post, api + path, #"{"speedClass":"s1.8xfast"}"#, keys).status == 400)
        service.expireTokens()
        #expect(try ask(.get, api + "/sims/\(Self.sim)", nil, keys).status == 401)
        service.forgetTokens()
        let unknown = try ask(.get, api + "/sims/\(Self.sim)", nil, keys)
        #expect(unknown.status == 400 && String(decoding: unknown.body, as: UTF8.self) == "invalid api key")
        #expect(service.violations == [])
    }

    @Test("a token that was refreshed replaces the old one")
    func refresh() throws {
        let keys = try signIn()
        let answer = try ask(.post, api + "/operators/OP0012345678/token", "{}", keys)
        let token = try #require(try JSONValue(parsing: answer.body)["token"]?.string)
        #expect(try ask(.get, api + "/sims/\(Self.sim)", nil, keys).status == 400)
        #expect(
            try ask(.get, api + "/sims/\(Self.sim)", nil, [keys[0], .init("X-Soracom-Token", token)]).status == 200)
    }

    @Test("the metadata service knows a SIM by its address, and takes a class only by POST")
    func metadataService() throws {
        let body = #"{"speedClass":"s1.fast"}"#
        #expect(try ask(.post, metadata + "/subscriber/update_speed_class", body).status == 200)
        #expect(service.speedClass(ofSIM: Self.sim) == "s1.fast")
        #expect(service.speedClass(ofSIM: "8981100000000000002") == "s1.minimum")
        let read = try ask(.get, metadata + "/subscriber")
        #expect(try JSONValue(parsing: read.body)["simId"]?.string == Self.sim)
        #expect(service.violations == [])

        #expect(try ask(.put, metadata + "/subscriber/update_speed_class", body).status == 405)
        #expect(try ask(.post, metadata + "/subscriber/update_speed_class", #"{"class":"s1.fast"}"#).status == 400)
        #expect(try ask(.get, metadata + "/subscriber", nil, [.init("X-Soracom-Token", "t")]).status == 400)
        #expect(service.violations.count == 4)  // the wrong member is also a missing one

        service.setMetadata(.readOnly)
        #expect(try ask(.post, metadata + "/subscriber/update_speed_class", body).status == 403)
        #expect(try ask(.get, metadata + "/subscriber").status == 200)
        service.setAddresses(["10.0.0.1"], ofSIM: Self.sim)
        #expect(try ask(.get, metadata + "/subscriber").status == 403)
        #expect(service.violations.last?.contains("from 127.0.0.1, which is no SIM's address") == true)
    }

    @Test("faults queue up, are counted down, and heal")
    func faults() throws {
        service.fail(.metadataGet, with: .status(500, code: "A", message: "a"), times: 2)
        service.fail(.metadataGet, with: .html(502), times: 1)
        let statuses = try (0..<4).map { _ in try ask(.get, metadata + "/subscriber").status }
        #expect(statuses == [500, 500, 502, 200])
        service.fail(.metadataGet, with: .text(503, "x"))
        #expect(try ask(.get, metadata + "/subscriber").status == 503)
        try service.setRefusing(metadata: true)
        let error = #expect(throws: HTTPError.self) { try ask(.get, metadata + "/subscriber") }
        #expect(error?.kind == .refused)
        try service.healAll()
        #expect(try ask(.get, metadata + "/subscriber").status == 200)
    }

    @Test("somebody can wait for a class to change")
    func waiting() throws {
        #expect(
            !service.wait(until: Clock.boottime() + 1_000_000) { $0.speedClass(ofSIM: Self.sim) == "s1.fast" })
        let service = service
        let changer = try WorkerThread { service.setSpeedClass("s1.fast", ofSIM: Self.sim) }
        #expect(
            service.wait(until: Clock.boottime() + 5_000_000_000) { $0.speedClass(ofSIM: Self.sim) == "s1.fast" })
        changer.join()
    }
}

@Suite("requests are read from a stream")
struct HTTPRequestParserTests {
    private static let message = "POST /a/b?x=1&y HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"

    @Test("in whatever pieces they come", arguments: [1, 2, 7, 1000])
    func pieces(size: Int) {
        var parser = HTTPRequestParser()
        var found: [HTTPServerRequest] = []
        let bytes = Array((Self.message + Self.message).utf8)
        for start in stride(from: 0, to: bytes.count, by: size) {
            parser.add(Array(bytes[start..<min(start + size, bytes.count)]))
            while case .request(let request) = parser.next() { found.append(request) }
        }
        #expect(found.count == 2 && found.first == found.last)
        #expect(found.first?.path == "/a/b" && found.first?.query == [.init("x", "1"), .init("y", "")])
        #expect(found.first?.body == Array("abc".utf8) && found.first?.header("hOST") == "h")
    }

    @Test("a cut one is waited for", arguments: 0..<message.utf8.count)
    func cuts(length: Int) {
        var parser = HTTPRequestParser()
        parser.add(Array(Self.message.utf8.prefix(length)))
        #expect(parser.next() == .incomplete)
    }

    @Test(
        "what is none ends the connection",
        arguments: [
            "\r\n\r\n", "GET\r\n\r\n", "GET x HTTP/1.1\r\n\r\n", "GET / HTTP/2\r\n\r\n", "GET / HTTP/1.1\r\nx\r\n\r\n",
            "GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "GET / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
            "GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", "\u{0}\u{1} / HTTP/1.1 \r\n\r\n",
        ])
    func broken(text: String) {
        var parser = HTTPRequestParser()
        parser.add(Array(text.utf8))
        guard case .broken = parser.next() else {
            Issue.record("taken for a request")
            return
        }
    }

    @Test("a head without end ends the connection")
    func endless() {
        var parser = HTTPRequestParser()
        parser.add(Array(("GET / HTTP/1.1\r\nx: " + String(repeating: "y", count: 100_000)).utf8))
        #expect(parser.next() == .broken("the head is too long"))
    }
}
