import Glibc
import LinuxIO
import TestSupport
import Testing
import WANControl
import WANLab
import WANModel

@Suite("the courier asks through the interface it is told", .enabled(if: getuid() == 0, "needs root for namespaces"))
struct CourierInterfaceTests {
    let service: SoracomService
    let directory: TemporaryDirectory

    init() throws {
        let sim = SoracomSIM(simID: Bench.sim, imsi: Bench.imsi, addresses: ["10.2.0.2"])
        service = try SoracomService(sims: [sim], authKeys: [Bench.keyID: Bench.key])
        directory = try TemporaryDirectory()
    }

    private func start(_ world: borrowing TwoInterfaces, _ options: [String] = []) throws -> Courier {
        try service.serveMetadata(at: world.far.inside { try TCPListener(address: "100.127.100.127", port: 80) })
        try service.serveAPI(at: world.far.inside { try TCPListener(address: "203.0.113.1", port: 8080) })
        return try world.router.inside { try Courier(options, errorLog: directory.path + "/stderr") }
    }

    private func request(_ interface: String?) -> CourierRequest {
        var request = CourierRequest(id: 7, verb: .setSpeedClass, uplink: "soracom")
        request.interface = interface
        request.identity = .sim(Bench.sim)
        request.speedClass = "s1.fast"
        request.via = [.metadata]
        return request
    }

    @Test(
        "the metadata service sees the SIM's address though the default route is another; no name is looked up",
        arguments: ["http://100.127.100.127", "http://metadata.soracom.io", "http://metadata.soracom.io/v1"])
    func metadata(endpoint: String) throws {
        let world = try TwoInterfaces()
        var courier = try start(world)
        var request = request("sim")
        request.metadataEndpoint = endpoint
        #expect(try courier.ask(request).outcome == .speedClass("s1.fast", via: .metadata))
        #expect(service.calls.map(\.source) == ["10.2.0.2"])
        #expect(service.violations == [])
    }

    @Test("without being told it would go the wrong way: the test can fail")
    func unbound() throws {
        let world = try TwoInterfaces()
        var courier = try start(world)
        #expect(!(try courier.ask(request(nil)).isOK))
        #expect(service.calls.map(\.source) == ["10.1.0.2"])
        #expect(service.violations.count == 1)
    }

    @Test("the API is asked as the routes say")
    func api() throws {
        let world = try TwoInterfaces()
        let profile = try directory.write(
            #"{"authKeyId":"\#(Bench.keyID)","authKey":"\#(Bench.key)","endpoint":"http://203.0.113.1:8080/v1"}"#,
            to: "profile", mode: 0o600)
        var courier = try start(world, ["--credential", profile])
        var request = request("sim")
        request.via = [.api]
        request.credentials = "profile"
        #expect(try courier.ask(request).outcome == .speedClass("s1.fast", via: .api))
        #expect(service.calls.map(\.source) == ["10.1.0.2", "10.1.0.2"])
        #expect(service.violations == [])
    }

    @Test("an interface that is not there is said to be missing, and may come later")
    func missing() throws {
        let world = try TwoInterfaces()
        var courier = try start(world)
        let answer = try courier.ask(request("ppp9"))
        #expect(!answer.isPermanent && answer.error.contains("cannot leave by interface ppp9"))
        #expect(service.calls == [])
    }

    @Test("a name server that never answers costs the time that was given and no more")
    func deadNameServer() throws {
        let world = try NetworkNamespace.make()
        try world.inside { try Programs.run("ip", ["link", "set", "lo", "up"]) }
        let servers = NameServers.configured
        for address in servers where !address.hasPrefix("127.") {
            try world.inside { try Programs.run("ip", ["address", "add", "\(address)/32", "dev", "lo"]) }
        }
        let silent = try world.inside { try NameServers.silent(at: servers) }
        let profile = try directory.write(
            #"{"authKeyId":"\#(Bench.keyID)","authKey":"\#(Bench.key)"}"#, to: "profile", mode: 0o600)
        var courier = try world.inside {
            try Courier(["--credential", profile], errorLog: directory.path + "/stderr")
        }
        var request = request("lo")
        request.via = [.api]
        request.credentials = "profile"
        request.timeout = .milliseconds(600)
        let answer = try courier.ask(request)
        #expect(!answer.isPermanent && !answer.isOK)
        #expect((.milliseconds(550)...(.milliseconds(1200))).contains(answer.took), "\(answer)")
        withExtendedLifetime(silent) {}
    }
}

/// The name servers of resolv.conf(5), and sockets in their place that say nothing.
private enum NameServers {
    static var configured: [String] {
        let lines = ((try? Files.text("/etc/resolv.conf")) ?? "").split(separator: "\n")
        let named = lines.filter { $0.hasPrefix("nameserver ") }
            .compactMap { $0.split(separator: " ").last.map { String($0) } }.filter { !$0.contains(":") }
        return named.isEmpty ? ["127.0.0.1"] : named
    }

    static func silent(at addresses: [String]) throws -> [Silence] { try addresses.map { try Silence($0) } }

    /// A UDP socket at port 53.
    final class Silence {
        private let socket: OwnedDescriptor

        init(_ address: String) throws {
            let raw = try checked("socket(2)") { Glibc.socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0) }
            socket = OwnedDescriptor(taking: raw)
            var bound = sockaddr_in()
            bound.sin_family = sa_family_t(AF_INET)
            bound.sin_port = UInt16(53).bigEndian
            inet_pton(AF_INET, address, &bound.sin_addr)
            _ = try checked("bind(2)", address) {
                withUnsafePointer(to: &bound) {
                    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        bind(raw, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                    }
                }
            }
        }
    }
}
