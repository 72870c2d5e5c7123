import JSONText
import LinuxIO
import Soracom
import TestSupport
import Testing
import WANControl
import WANLab
import WANModel

@Suite("the courier sets the speed class")
struct CourierTests {
    let bench: Bench
    init() throws { bench = try Bench() }

    @Test("through the metadata service, without any key")
    func metadata() throws {
        var courier = try bench.courier()
        let answer = try courier.ask(bench.request())
        #expect(answer.outcome == .speedClass("s1.fast", via: .metadata))
        #expect(bench.speedClass == "s1.fast")
        #expect(bench.operations == [.metadataUpdate])
        try bench.finish(courier)
    }

    @Test("through the API where the metadata service is read-only")
    func readOnly() throws {
        bench.service.setMetadata(.readOnly)
        var courier = try bench.courier()
        let answer = try courier.ask(bench.request())
        #expect(answer.outcome == .speedClass("s1.fast", via: .api))
        #expect(bench.speedClass == "s1.fast")
        #expect(bench.operations == [.metadataUpdate, .auth, .updateSimSpeedClass])
        try bench.finish(courier)
    }

    @Test("through the API where the metadata service is off or refuses connections", arguments: [true, false])
    func off(refusing: Bool) throws {
        bench.service.setMetadata(.off)
        if refusing { try bench.service.setRefusing(metadata: true) }
        var courier = try bench.courier()
        #expect(try courier.ask(bench.request()).outcome == .speedClass("s1.fast", via: .api))
        try bench.service.setRefusing(metadata: false)
        bench.service.setMetadata(.writable)
        #expect(try courier.ask(bench.request(via: [.metadata])).outcome == .speedClass("s1.fast", via: .metadata))
        try bench.finish(courier)
    }

    @Test("by IMSI as well as by SIM ID")
    func imsi() throws {
        var courier = try bench.courier()
        var request = bench.request(via: [.api])
        request.identity = .imsi(Bench.imsi)
        #expect(try courier.ask(request).outcome == .speedClass("s1.fast", via: .api))
        #expect(bench.operations == [.auth, .updateSpeedClass])
        try bench.finish(courier)
    }

    @Test("signs in once, ahead of time, and keeps the token beyond its own life")
    func tokenIsKept() throws {
        var first = try bench.courier()
        let prepared = try first.ask(bench.request(.prepare, nil))
        guard case .prepared(let expiresAt) = prepared.outcome else {
            Issue.record("\(prepared)")
            return
        }
        let now = Clock.realtime() / 1_000_000_000
        #expect((now + 172_700...now + 172_801).contains(expiresAt))
        #expect(try first.ask(bench.request(.prepare, nil)).isOK)
        #expect(try first.ask(bench.request(via: [.api])).isOK)
        try bench.finish(first)
        var second = try bench.courier()
        #expect(try second.ask(bench.request(.setSpeedClass, "s1.minimum", via: [.api])).isOK)
        #expect(bench.operations == [.auth, .updateSimSpeedClass, .updateSimSpeedClass])
        #expect(bench.speedClass == "s1.minimum")
        try bench.finish(second)
    }

    @Test("a token past half of its life is renewed ahead of time, and used until then")
    func halfLife() throws {
        var first = try bench.courier()
        #expect(try first.ask(bench.request(.prepare, nil)).isOK)
        try bench.finish(first)
        let aged = try bench.ageToken(by: 100_000)
        var second = try bench.courier()
        #expect(try second.ask(bench.request(via: [.api])).isOK)
        #expect(bench.operations == [.auth, .updateSimSpeedClass])
        guard case .prepared(let expiresAt) = try second.ask(bench.request(.prepare, nil)).outcome else {
            Issue.record("prepare failed")
            return
        }
        #expect(expiresAt > aged)
        #expect(bench.operations == [.auth, .updateSimSpeedClass, .auth])
        try bench.finish(second)
    }

    @Test(
        "a token cache that is damaged costs a sign-in and nothing else",
        arguments: ["", "{", "[]", #"{"version":1,"tokens":[{"endpoint":1}]}"#, #"{"version":2}"#, "\u{0}\u{1}"])
    func damagedCache(content: String) throws {
        _ = try bench.directory.write(content, to: "tokens.json", mode: 0o600)
        var courier = try bench.courier()
        #expect(try courier.ask(bench.request(via: [.api])).isOK)
        #expect(bench.operations == [.auth, .updateSimSpeedClass])
        #expect(try JSONValue(parsing: Files.text(bench.cachePath))["tokens"]?.array?.count == 1)
        try bench.finish(courier)
    }

    @Test("a token cache that others may read is not used")
    func openCache() throws {
        _ = try bench.directory.write("", to: "tokens.json", mode: 0o644)
        var courier = try bench.courier()
        #expect(try courier.ask(bench.request(via: [.api])).isOK)
        #expect(try Files.text(bench.cachePath) == "")
        #expect(try courier.errors().contains("has mode 644"))
        try bench.finish(courier)
    }
}
