import Glibc
import NetworkTypes
import Testing
import WANModel
import WANPolicy

@Suite("the examples in Policies/ are read")
struct ExampleTests {
    @Test("one box has three ways out, without a warning")
    func oneBox() throws {
        let found = try example("one-box.yaml")
        #expect(found.warnings.map(\.description) == [])
        #expect(found.unsupported() == [])
        #expect(found.policy.site == "home")
        #expect(found.policy.uplinks.map(\.interface) == ["ppp0", "wlan0", "ppp1"])
        #expect(found.policy.uplinks.map(\.metered) == [false, false, true])
        #expect(found.policy.failover.order == [.init("ftth"), .init("jcom"), .init("soracom")])
        #expect(found.policy.uplinks[1].gateway == .v4(IPv4Address(192, 168, 3, 1)))
        #expect(found.policy.uplinks[2].soracom?.selected == "s1.fast")
    }

    @Test("fibre and LTE")
    func fibreAndLTE() throws {
        let found = try example("fibre-and-lte.yaml")
        #expect(found.warnings == [])
        #expect(found.unsupported() == [])
        #expect(found.policy.failover.order == [.init("fibre"), .init("lte")])
    }

    @Test("the classic timing")
    func classic() throws {
        let found = try example("classic-timing.yaml")
        #expect(found.warnings == [])
        #expect(found.unsupported() == [])
        for uplink in found.policy.uplinks {
            #expect(uplink.probe.confirm == .off)
            #expect(uplink.probe.interval == .seconds(1))
            #expect(uplink.probe.lossInterval == .fixed(.seconds(1)))
            #expect([uplink.probe.fall, uplink.probe.rise] == [3, 3])
        }
    }

    @Test("metered lines only")
    func metered() throws {
        let found = try example("metered.yaml")
        #expect(found.warnings == [])
        #expect(found.unsupported() == [])
        #expect(found.policy.uplinks[1].keepalive?.target == Keepalive.pong)
    }

    @Test("balance")
    func balance() throws {
        let found = try example("balance.yaml")
        #expect(found.warnings == [])
        #expect(found.unsupported() == [])
        #expect(
            found.policy.failover.order == [
                .init([.init(uplink: "ftth", weight: 3), .init(uplink: "jcom", weight: 1)]), .init("lte"),
            ])
        #expect(found.policy.rules.map(\.otherwise) == [.reject, .default])
        #expect(found.policy.rules[0].match.ports == [873...873])
        #expect(found.policy.forwards.map(\.hostPort) == [8080, 50000])
    }

    @Test("rules, with the file of addresses beside it")
    func rules() throws {
        let found = try example("rules.yaml")
        #expect(found.warnings == [])
        #expect(found.unsupported() == [])
        #expect(
            found.policy.rules.map(\.match.description) == [
                "source 192.168.0.200, protocol tcp, port [873, 8730-8739]",
                "source 192.168.0.32/28, protocol udp, dscp ef", "destination {file: streaming.txt}", "interface eth1",
                "fwmark 0x100/0xff00",
            ])
        #expect(found.policy.rules[2].match.destination?.ranges.count == 3)
        #expect(found.policy.rules.map(\.otherwise) == [.reject, .default, .drop, .reject, .default])
        #expect(found.policy.rules.map(\.sticky) == [nil, nil, nil, .seconds(3600), nil])
        #expect(found.policy.rules.map(\.drain) == [nil, .seconds(3600), nil, nil, nil])
        #expect(found.policy.uplinks.map(\.dnsFile) == ["/etc/ppp/resolv.conf", nil, nil])
        #expect(found.policy.failover.drain.meteredBytes == 50_000_000)
    }

    @Test("two boxes is the classic set-up, and each box knows its part")
    func twoBoxes() throws {
        let found = try example("two-boxes.yaml")
        #expect(found.warnings == [])
        #expect(try parts(found, in: "two-boxes.yaml") == [])
        #expect(found.policy.uplinks.map(\.node) == ["main", "sub"])
        let vrrp = try #require(found.policy.vrrp)
        #expect(vrrp.backupForwarding == .off)
        #expect(vrrp.advertisement == .milliseconds(100))
        #expect(try found.policy.part(of: "sub").failover.order == [.init("soracom")])
    }

    @Test("two gateways on one cable router: the same interface on two boxes is two uplinks")
    func twoGateways() throws {
        let found = try example("two-gateways.yaml")
        #expect(found.warnings == [])
        #expect(found.unsupported() == [])
        #expect(found.policy.uplinks.map(\.node) == ["odin", "frigg"])
        #expect(found.policy.uplinks.map(\.interface) == ["wlan0", "wlan0"])
        #expect(try found.policy.position(of: "frigg")?.ranks == ["frigg-wifi": 1])
    }

    @Test("every example is in this test")
    func all() throws {
        let names = try #require(directory(policies)).filter { $0.hasSuffix(".yaml") }.sorted()
        #expect(
            names == [
                "balance.yaml", "classic-timing.yaml", "fibre-and-lte.yaml", "metered.yaml", "one-box.yaml",
                "rules.yaml", "two-boxes.yaml", "two-gateways.yaml",
            ])
    }
}

private let package = #filePath.split(separator: "/").dropLast(3).reduce("") { "\($0)/\($1)" }
private let policies = "\(package)/Policies"

func contents(_ path: String) -> [UInt8]? {
    guard let file = fopen("\(package)/\(path)", "r") else { return nil }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 1 << 20)
    bytes.removeLast(bytes.count - fread(&bytes, 1, bytes.count, file))
    return bytes
}

private func example(_ name: String) throws -> ReadPolicy {
    try PolicyReader.read(
        try #require(contents("Policies/\(name)")), fileName: "\(policies)/\(name)", files: .onDisk)
}

/// The line up to the position of each part that is not obeyed, and a word on.
private func parts(_ found: ReadPolicy, in name: String) throws -> [String] {
    let text = String(decoding: try #require(contents("Policies/\(name)")), as: UTF8.self)
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    return found.unsupported().map { fault in
        let line = lines[fault.line - 1]
        return String(line.prefix { $0 != ":" } + ":")
    }
}

private func directory(_ path: String) -> [String]? {
    guard let directory = opendir(path) else { return nil }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
        names.append(
            withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
    }
    return names
}
