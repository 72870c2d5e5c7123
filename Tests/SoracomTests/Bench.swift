import Glibc
import JSONText
import LinuxIO
import TestSupport
import Testing
import WANControl
import WANLab
import WANModel

/// A SORACOM on loopback, and what a courier needs to ask it.
final class Bench {
    static let sim = "8981100000000000001"
    static let imsi = "440101234567890"
    static let keyID = "keyId-AbCdEfGh0123456789"
    static let key = "secret-Zz9YyXxWwVv876543210abcdef"

    let service: SoracomService
    let directory: TemporaryDirectory
    let api: String
    let metadata: String
    let profile: String
    /// As requests name it.
    static let profileName = "soracom.json"

    init(addresses: Set<String> = ["127.0.0.1"]) throws {
        service = try SoracomService(
            sims: [SoracomSIM(simID: Self.sim, imsi: Self.imsi, addresses: addresses)], authKeys: [Self.keyID: Self.key]
        )
        directory = try TemporaryDirectory()
        let apiListener = try TCPListener(address: "127.0.0.1")
        let metadataListener = try TCPListener(address: "127.0.0.1")
        api = "http://127.0.0.1:\(apiListener.port)"
        metadata = "http://127.0.0.1:\(metadataListener.port)"
        try service.serveAPI(at: apiListener)
        try service.serveMetadata(at: metadataListener)
        profile = try directory.write(
            #"{"authKeyId":"\#(Self.keyID)","authKey":"\#(Self.key)","coverageType":"jp","unknown":{"x":null}}"#,
            to: Self.profileName, mode: 0o600)
    }

    var cachePath: String { directory.path + "/tokens.json" }

    func courier(_ options: [String]? = nil, environment: [String: String] = [:]) throws -> Courier {
        let usual = ["--credential", profile, "--token-cache", cachePath, "--idle", "30"]
        return try Courier(options ?? usual, environment: environment, errorLog: "\(directory.path)/stderr")
    }

    func request(
        _ verb: CourierRequest.Verb = .setSpeedClass, _ speedClass: String? = "s1.fast",
        via: [SoracomSettings.Way] = [.metadata, .api]
    ) -> CourierRequest {
        var request = CourierRequest(id: 1, verb: verb, uplink: "soracom")
        request.interface = "lo"
        request.identity = .sim(Self.sim)
        request.speedClass = verb == .setSpeedClass ? speedClass : nil
        request.via = via
        request.metadataEndpoint = metadata
        request.endpoint = api
        request.credentials = Self.profileName
        request.timeout = .seconds(5)
        return request
    }

    var operations: [SoracomOperation?] { service.calls.map(\.operation) }
    var speedClass: String? { service.speedClass(ofSIM: Self.sim) }

    /// What must hold after every errand: the specification was kept, and no secret is anywhere it can be read.
    func finish(_ courier: consuming Courier) throws {
        #expect(service.violations == [])
        let readable = try courier.everythingReadable()
        let cached = Files.exists(cachePath) ? try TokenTexts(Files.text(cachePath)).texts : []
        for secret in service.secrets + cached { #expect(!readable.contains(secret), "a secret can be read") }
    }
}

/// Keys and tokens in a token cache, for the scan.
struct TokenTexts {
    var texts: [String]
    init(_ text: String) {
        let tokens = (try? JSONValue(parsing: text))?["tokens"]?.array ?? []
        texts = tokens.flatMap { [$0["apiKey"]?.string, $0["token"]?.string].compactMap { $0 } }
    }
}

/// The real program, spoken to as the daemon does.
struct Courier: ~Copyable {
    var peer: LineSocket
    let child: ChildProcess
    private let errorLog: String
    private(set) var heard: [String]

    init(_ options: [String], environment: [String: String] = [:], errorLog: String) throws {
        let ends = try SocketPair()
        let log = OwnedDescriptor(
            taking: try checked("open(2)", errorLog) {
                open(errorLog, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
            })
        child = try ChildProcess(
            Programs.path("wanctl-courier"), options, environment: environment, input: .descriptor(ends.theirs.raw),
            errors: .descriptor(log.raw))
        peer = LineSocket(taking: ends.keepOurs())
        // Swift 6.2 destroys twice what is set when this throws: all that needs destroying is set after the last `try`.
        heard = []
        self.errorLog = errorLog
    }

    mutating func ask(_ request: CourierRequest) throws -> CourierAnswer {
        try CourierAnswer(line: Array(try ask(line: request.line).utf8))
    }

    mutating func ask(line: [UInt8]) throws -> String {
        try peer.send(line)
        return try next()
    }

    mutating func next(seconds: Int64 = 15) throws -> String {
        switch try peer.next(until: Clock.boottime() + seconds * 1_000_000_000) {
        case .line(let line):
            let text = String(decoding: line, as: UTF8.self)
            heard.append(text)
            return text
        case let other: throw NoAnswer(got: "\(other)", log: try errors())
        }
    }

    func errors() throws -> String { try Files.text(errorLog) }

    /// Command line, environment, answers and log.
    func everythingReadable() throws -> String {
        let process = try ["cmdline", "environ"].map {
            String(decoding: try Files.read("/proc/\(child.pid)/\($0)"), as: UTF8.self)
        }
        return (process + heard + [try errors()]).joined(separator: "\n")
    }

    struct NoAnswer: Error {
        var got: String
        var log: String
    }
}

extension CourierAnswer {
    var isOK: Bool { if case .failed = outcome { false } else { true } }
    var error: String { if case .failed(let text, _, _) = outcome { text } else { "" } }
    var retryAfter: Duration? { if case .failed(_, let retryAfter, _) = outcome { retryAfter } else { nil } }
    var isPermanent: Bool { if case .failed(_, _, let permanent) = outcome { permanent } else { false } }
}
