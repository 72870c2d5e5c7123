import Glibc
import HTTPTransfer
import LinuxIO
import Synchronization
import TestSupport
import Testing
import WANLab

@Suite("requests over libcurl")
struct HTTPTransferTests {
    /// Answers with what it was told and remembers what it was asked.
    private final class Echo: Sendable {
        let asked = Mutex<[HTTPServerRequest]>([])
        let reply: Mutex<HTTPServerReply>
        init(_ reply: HTTPServerReply) { self.reply = Mutex(reply) }
    }

    private let echo: Echo
    private let server: HTTPServer
    private let door: HTTPServer.Door
    private var url: String { "http://127.0.0.1:\(door.port)/a" }

    init() throws {
        let echo = Echo(HTTPServerReply(status: 200, type: "text/plain", "hello"))
        self.echo = echo
        server = try HTTPServer()
        door = HTTPServer.Door(try TCPListener(address: "127.0.0.1")) { request in
            echo.asked.withLock { $0.append(request) }
            return echo.reply.withLock { $0 }
        }
        try server.serve(door)
    }

    private func perform(
        _ method: HTTPRequest.Method = .get, url: String? = nil, seconds: Double = 5,
        _ change: (inout HTTPRequest) -> Void = { _ in }
    ) throws(HTTPError) -> HTTPResponse {
        var request = HTTPRequest(method, url ?? self.url, timeout: .seconds(seconds))
        change(&request)
        var client = try HTTPClient()
        return try client.perform(request)
    }

    private func kind(of body: () throws(HTTPError) -> HTTPResponse) -> HTTPError.Kind? {
        do {
            _ = try body()
            return nil
        } catch {
            return error.kind
        }
    }

    @Test("an answer comes whole: status, headers whatever their case, every byte of the body")
    func whole() throws {
        var reply = HTTPServerReply(status: 418)
        reply.body = (0...255).map { UInt8($0) }
        reply.headers = [.init("X-One", "  a: b  "), .init("x-two", "")]
        echo.reply.withLock { $0 = reply }
        let response = try perform()
        #expect(response.status == 418 && response.body == reply.body)
        #expect(
            response.header("x-one") == "a: b" && response.header("X-TWO") == "" && response.header("x-three") == nil)
    }

    @Test("a body is sent as it is, an empty one too", arguments: [[], [0], Array("{\"a\":\"é\"}".utf8)] as [[UInt8]])
    func body(bytes: [UInt8]) throws {
        _ = try perform(.post) { request in
            request.body = bytes
            request.headers = [.init("Content-Type", "application/json")]
        }
        let asked = try #require(echo.asked.withLock { $0.first })
        #expect(asked.method == "POST" && asked.body == bytes && asked.header("content-length") == String(bytes.count))
        #expect(asked.header("content-type") == "application/json" && asked.header("user-agent") == "wanctl-courier")
    }

    @Test("a pinned address is asked, and the name stays in Host")
    func pinned() throws {
        let url = "http://metadata.soracom.example:\(door.port)/x"
        let response = try perform(url: url) { $0.pinnedAddress = "127.0.0.1" }
        #expect(response.status == 200)
        #expect(echo.asked.withLock { $0.first?.header("host") } == "metadata.soracom.example:\(door.port)")
    }

    @Test("one client can ask many times, and an answer does not leak into the next")
    func reuse() throws {
        var client = try HTTPClient()
        for status in [200, 404, 200] {
            echo.reply.withLock { $0 = HTTPServerReply(status: status, type: "text/plain", "\(status)") }
            var request = HTTPRequest(status == 404 ? .get : .post, url, timeout: .seconds(5))
            if request.method == .post { request.body = Array("x".utf8) }
            let response = try client.perform(request)
            #expect(response.status == status && response.body == Array("\(status)".utf8))
        }
        #expect(echo.asked.withLock { $0.map { [UInt8]($0.body).count } } == [1, 0, 1])
    }

    @Test("a redirect is an answer, not an order")
    func redirect() throws {
        var reply = HTTPServerReply(status: 302)
        reply.headers = [.init("Location", url)]
        echo.reply.withLock { $0 = reply }
        #expect(try perform().status == 302)
        #expect(echo.asked.withLock { $0.count } == 1)
    }

    @Test("a proxy in the environment is none of ours")
    func proxy() throws {
        for name in ["http_proxy", "HTTP_PROXY", "ALL_PROXY"] { setenv(name, "http://127.0.0.1:1", 1) }
        #expect(try perform().status == 200)
    }

    @Test("what goes wrong has a name")
    func kinds() throws {
        #expect(kind { () throws(HTTPError) in try perform(url: "ftp://127.0.0.1/") } == .request)
        #expect(kind { () throws(HTTPError) in try perform(url: "file:///etc/passwd") } == .request)
        #expect(kind { () throws(HTTPError) in try perform(url: "https://127.0.0.1:\(door.port)/") } == .tls)
        #expect(kind { () throws(HTTPError) in try perform { $0.interface = "none0" } } == .interface)
        #expect(kind { () throws(HTTPError) in try perform { $0.headers = [.init("A", "b\r\nC: d")] } } == .request)
        #expect(kind { () throws(HTTPError) in try perform { $0.bodyLimit = 4 } } == .tooLarge)
        for (manner, kind) in [
            (HTTPServerReply.Manner.half, HTTPError.Kind.interrupted), (.reset, .interrupted), (.never, .timeout),
        ] {
            echo.reply.withLock { $0.manner = manner }
            #expect(self.kind { () throws(HTTPError) in try perform(seconds: 0.2) } == kind, "\(manner)")
        }
        try server.close(door)
        #expect(kind { () throws(HTTPError) in try perform() } == .refused)
    }

    @Test("headers without end are refused")
    func endlessHeaders() throws {
        var reply = HTTPServerReply(status: 200)
        reply.headers = (0..<2000).map { .init("X-\($0)", String(repeating: "y", count: 100)) }
        echo.reply.withLock { $0 = reply }
        #expect(kind { () throws(HTTPError) in try perform() } == .tooLarge)
    }

    @Test("the deadline is hard, though bytes keep coming")
    func deadline() throws {
        var reply = HTTPServerReply(status: 200)
        reply.delay = .seconds(3)
        echo.reply.withLock { $0 = reply }
        let start = Clock.boottime()
        #expect(kind { () throws(HTTPError) in try perform(seconds: 0.25) } == .timeout)
        #expect((200_000_000..<1_000_000_000).contains(Clock.boottime() - start))
    }

    @Test("a certificate that nobody vouches for ends it before a byte of ours is sent")
    func untrusted() throws {
        let directory = try TemporaryDirectory()
        let (certificate, key) = (directory.path + "/cert.pem", directory.path + "/key.pem")
        try Programs.run(
            "openssl",
            [
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=127.0.0.1", "-addext",
                "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate,
            ], errors: .null)
        let port = try TCPListener(address: "127.0.0.1").port
        let tls = try ChildProcess(
            "/usr/bin/openssl",
            ["s_server", "-accept", "127.0.0.1:\(port)", "-cert", certificate, "-key", key, "-www", "-quiet"],
            errors: .null)
        let end = Clock.boottime() + 10_000_000_000
        var found: HTTPError.Kind?
        repeat {
            found = kind { () throws(HTTPError) in try perform(url: "https://127.0.0.1:\(port)/", seconds: 2) }
        } while found == .refused && Clock.boottime() < end
        #expect(found == .tls)
        tls.signal(SIGTERM)
    }
}
