import Glibc
import Netlink
import NetworkTypes
import PacketWire
import TestSupport
import Testing

/// The names that a table for these tests has; all of the forms the daemon's ruleset uses.
private let ruleset = """
    table inet wanctl {
        map choice_3 { type nf_proto : verdict; elements = { ipv4 : goto to_1 }; }
        map buckets_3 { typeof numgen inc mod 256 : verdict; }
        map own { type ipv4_addr : verdict; }
        map marks { type ipv4_addr : mark; }
        map ports { type inet_proto . inet_service : ipv4_addr . inet_service; }
        set torn { type ipv4_addr . inet_service . ipv4_addr . inet_service; flags timeout; timeout 30s; }
        set sticky_3_1 { type ipv4_addr; flags dynamic,timeout; timeout 10m; }
        counter first { packets 3 bytes 300; }
        counter second { }
        quota enough { over 1 mbytes; }
        chain to_1 { counter name first; }
        chain to_2 { counter name second; }
    }
    """

@Suite("nftables: elements", .enabled(if: TestNamespace.isAvailable, "\(TestNamespace.advice)"))
struct NftablesSocketTests {
    private let namespace: TestNamespace
    private let table = NftablesEvent.Table.inet("wanctl")

    init() throws {
        namespace = try TestNamespace.make()
        try namespace.run("nft", "-f", "-", input: ruleset)
    }

    private func socket() throws -> NftablesSocket { try namespace.inside { try NftablesSocket() } }

    /// What nft(8) lists of a set or map, on one line.
    private func listed(_ kind: String, _ name: String) throws -> String {
        try namespace.run("nft", "list", kind, "inet", "wanctl", name).split(whereSeparator: \.isWhitespace).joined(
            separator: " ")
    }

    private func refusal(_ body: () throws -> Void) -> NetlinkError? {
        do { try body() } catch { return error as? NetlinkError }
        return nil
    }

    @Test("a verdict map's choice is replaced in one transaction, again and again")
    func replace() throws {
        var nft = try socket()
        for chain in ["to_2", "to_1", "to_2"] {
            try nft.perform(
                NftablesChange.replace(set: "choice_3", [.init(.init(.family(.v4)), .verdict(.goTo(chain)))]), in: table
            )
            #expect(try listed("map", "choice_3").contains("elements = { ipv4 : goto \(chain) }"))
        }
        try nft.perform([.add(set: "choice_3", [.init(.init(.family(.v6)), .verdict(.drop))])], in: table)
        #expect(try listed("map", "choice_3").contains("elements = { ipv4 : goto to_2, ipv6 : drop }"))
    }

    @Test("every kind of element is what nft(8) would have made of it")
    func kinds() throws {
        var nft = try socket()
        let host = IPv4Address(10, 0, 0, 6)
        let peer = IPv4Address(192, 0, 2, 9)
        try nft.perform(
            [
                .add(
                    set: "buckets_3",
                    [
                        .init(.init(.integer(5)), .verdict(.jump("to_1"))),
                        .init(.init(.integer(255)), .verdict(.return)),
                    ]),
                .add(set: "own", [.init(.init(.address(host)), .verdict(.accept))]),
                .add(set: "marks", [.init(.init(.address(host)), .value(.init(.integer(0x30000))))]),
                .add(
                    set: "ports",
                    [
                        .init(
                            .init(.transport(6), .port(8080)), .value(.init(.address(host), .port(80)))
                        )
                    ]),
                .add(
                    set: "torn",
                    [
                        .init(
                            .init(.address(host), .port(40000), .address(peer), .port(443)), timeoutMilliseconds: 90_000
                        ),
                        .init(.init(.address(host), .port(40001), .address(peer), .port(443))),
                    ]),
                .add(set: "sticky_3_1", [.init(.init(.address(host)))]),
            ], in: table)
        #expect(try listed("map", "buckets_3").contains("{ 5 : jump to_1, 255 : return }"))
        #expect(try listed("map", "own").contains("{ 10.0.0.6 : accept }"))
        #expect(try listed("map", "marks").contains("{ 10.0.0.6 : 0x00030000 }"))
        #expect(try listed("map", "ports").contains("{ tcp . 8080 : 10.0.0.6 . 80 }"))
        let torn = try listed("set", "torn")
        #expect(torn.contains("10.0.0.6 . 40000 . 192.0.2.9 . 443 timeout 1m30s expires 1m"))
        #expect(torn.contains("10.0.0.6 . 40001 . 192.0.2.9 . 443 expires "))
        #expect(try listed("set", "sticky_3_1").contains("elements = { 10.0.0.6"))
    }

    @Test("sets with timeouts and sets that rules fill are emptied", arguments: ["torn", "sticky_3_1"])
    func flush(set: String) throws {
        var nft = try socket()
        let elements = (1...100 as ClosedRange<UInt32>).map { number in
            let host = NftablesField.address(IPv4Address(bits: 0x0a00_0000 + number))
            return NftablesElement(
                set == "torn" ? .init(host, .port(1), .address(IPv4Address(192, 0, 2, 9)), .port(443)) : .init(host))
        }
        try nft.perform([.add(set: set, elements)], in: table)
        #expect(try listed("set", set).contains("10.0.0.77"))
        try nft.perform([.flush(set: set)], in: table)
        #expect(try !listed("set", set).contains("elements"))
        // An empty one too.
        try nft.perform([.flush(set: set)], in: table)
        try nft.perform([.add(set: set, elements), .flush(set: set), .add(set: set, [elements[4]])], in: table)
        let left = try listed("set", set)
        #expect(left.contains("10.0.0.5") && !left.contains("10.0.0.6"))
    }

    @Test("what the kernel refuses is named, and nothing of the transaction is done")
    func refused() throws {
        var nft = try socket()
        let before = try namespace.run("nft", "list", "ruleset")
        let good = NftablesChange.add(
            set: "own", [.init(.init(.address(IPv4Address(10, 0, 0, 6))), .verdict(.accept))])
        let faults: [(NftablesChange, String)] = [
            (.add(set: "absent", [.init(.init(.integer(1)))]), "absent"),
            (.add(set: "buckets_3", [.init(.init(.integer(1)), .verdict(.goTo("absent")))]), "buckets_3"),
            (.add(set: "buckets_3", [.init(.init(.port(1)), .verdict(.accept))]), "buckets_3"),
            (.remove(set: "buckets_3", [.init(.integer(9))]), "buckets_3"),
            (.add(set: "choice_3", [.init(.init(.family(.v4)), .verdict(.goTo("to_2")))]), "choice_3"),
        ]
        for (fault, name) in faults {
            for changes in [[good, fault], [fault, good]] {
                let refusal = refusal { try nft.perform(changes, in: table) }
                let error = try #require(refusal)
                #expect(error.operation.contains(name) && error.operation.contains("table inet wanctl"), "\(error)")
                #expect([ENOENT, EINVAL, EEXIST, EBUSY].contains(error.errno), "\(error)")
                #expect(try namespace.run("nft", "list", "ruleset") == before)
            }
        }
        let noTable = refusal { try nft.perform([good], in: .inet("absent")) }
        #expect(noTable?.errno == ENOENT && noTable?.operation.contains("inet absent") == true)
        // The socket is good for more, and what was said about the refused ones does not confuse it.
        try nft.perform([good], in: table)
        #expect(try listed("map", "own").contains("10.0.0.6"))
        try nft.perform([], in: table)
        try nft.perform([.add(set: "own", [])], in: table)
    }

    @Test("more elements than a message holds go in as one transaction, and out again")
    func many() throws {
        var nft = try socket()
        let count: UInt32 = 5000
        let elements = (0..<count).map { number in
            NftablesElement(
                .init(.address(IPv4Address(bits: 0x0a00_0000 + number))), .verdict(.goTo("to_\(number % 2 + 1)")))
        }
        let monitor = try namespace.inside { try NftablesMonitor() }
        try nft.perform([.add(set: "own", elements)], in: table)
        let events = try monitor.read()
        #expect(events.last.map { if case .committed = $0.what { true } else { false } } == true)
        #expect(events.count { if case .committed = $0.what { true } else { false } } == 1)
        let all = try listed("map", "own")
        #expect(all.contains("10.0.19.135 : goto to_2"))
        #expect(all.split(separator: ":").count == Int(count) + 2)
        // The last one is not there: none of the others goes.
        var keys = elements.map(\.key)
        keys.append(.init(.address(IPv4Address(11, 0, 0, 0))))
        let refused = refusal { try nft.perform([.remove(set: "own", keys)], in: table) }
        #expect(refused?.errno == ENOENT)
        #expect(try listed("map", "own").split(separator: ":").count == Int(count) + 2)
        keys.removeLast()
        try nft.perform([.remove(set: "own", keys)], in: table)
        #expect(try !listed("map", "own").contains("elements"))
    }

    @Test("a transaction of ours is told with the name of the process, as one of libnftables is")
    func events() throws {
        var nft = try socket()
        let monitor = try namespace.inside { try NftablesMonitor() }
        try nft.perform(
            NftablesChange.replace(set: "choice_3", [.init(.init(.family(.v4)), .verdict(.goTo("to_2")))]), in: table)
        let events = try monitor.read()
        guard case .committed(_, let processID, let name) = events.last?.what else {
            Issue.record("no commit in \(events)")
            return
        }
        // The kernel gives number and name of the thread that asked: `1920 (name) R …` (proc(5)).
        var status = [UInt8](repeating: 0, count: 64)
        let file = open("/proc/thread-self/stat", O_RDONLY | O_CLOEXEC)
        defer { close(file) }
        #expect(read(file, &status, status.count) > 0)
        let told = "\(processID ?? 0) (\(name ?? ""))"
        #expect(String(decoding: status, as: UTF8.self).hasPrefix(told), "\(told)")
        #expect(
            events.dropLast().allSatisfy {
                $0.what == .changed(table, message: 12) || $0.what == .changed(table, message: 14)
            })
    }

    @Test("a table's named counters are read; other objects and other tables are not")
    func counters() throws {
        try namespace.run("nft", "-f", "-", input: "table ip wanctl { counter first { packets 9 bytes 9; }; }")
        try namespace.run("nft", "-f", "-", input: "table inet other { counter third { packets 1 bytes 1; }; }")
        var nft = try socket()
        let counters = try nft.counters(table)
        #expect(counters.mapValues { [$0.packets, $0.bytes] } == ["first": [3, 300], "second": [0, 0]])
        let absent = try nft.counters(.inet("absent"))
        #expect(absent.isEmpty)
    }

    @Test("flowtables are listed as nft(8) lists them")
    func flowtables() throws {
        var nft = try socket()
        let none = try nft.flowtables()
        #expect(none == [])
        let made = try? namespace.run(
            "nft", "-f", "-",
            input: "table inet other { flowtable fast { hook ingress priority 0; devices = { lo }; }; }")
        // Kernels without CONFIG_NF_FLOW_TABLE have none; the reader is tested by bytes too.
        guard made != nil else { return }
        let found = try nft.flowtables()
        #expect(
            found == [NftablesFlowtable(table: .inet("other"), name: "fast", devices: ["lo"])])
    }

    @Test("a packet finds its bucket by a hash in the host's order, and follows a replaced one")
    func buckets() throws {
        try namespace.run("ip", "address", "add", "192.0.2.2/32", "dev", "lo")
        try namespace.run(
            "nft", "-f", "-",
            input: """
                table inet wanctl {
                    chain out {
                        type filter hook output priority 0;
                        ip daddr 192.0.2.2 udp dport 9 jhash ip saddr . ip daddr . th sport . th dport mod 256 seed 0x7761 vmap @buckets_3
                    }
                }
                """)
        var nft = try socket()
        let all = { (chain: String) in
            (0..<256 as Range<UInt32>).map { NftablesElement(.init(.integer($0)), .verdict(.goTo(chain))) }
        }
        try nft.perform([.add(set: "buckets_3", all("to_1"))], in: table)
        try send(datagrams: 20)
        var counters = try nft.counters(table)
        #expect(counters["first"]?.packets == 23 && counters["second"]?.packets == 0)
        try nft.perform(NftablesChange.replace(set: "buckets_3", all("to_2")), in: table)
        try send(datagrams: 20)
        counters = try nft.counters(table)
        #expect(counters["first"]?.packets == 23 && counters["second"]?.packets == 20)
        // Half of the buckets to each: of 400 flows both get their share, in every 256 ways a hash may be spread.
        try nft.perform(NftablesChange.replace(set: "buckets_3", Array(all("to_1")[..<128])), in: table)
        try send(datagrams: 400)
        counters = try nft.counters(table)
        let first = try #require(counters["first"]).packets - 23
        let second = try #require(counters["second"]).packets - 20
        #expect(first + second == 400 && first > 100 && second > 100)
    }

    /// Datagrams to 192.0.2.2, each from another port.
    private func send(datagrams count: Int) throws {
        try namespace.inside {
            for _ in 0..<count {
                let udp = Glibc.socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
                defer { close(udp) }
                var to = sockaddr_in()
                to.sin_family = sa_family_t(AF_INET)
                to.sin_port = UInt16(9).bigEndian
                to.sin_addr.s_addr = UInt32(0xc000_0202).bigEndian
                let sent = withUnsafePointer(to: &to) { pointer in
                    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        sendto(udp, "x", 1, 0, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                    }
                }
                #expect(sent == 1)
            }
        }
    }
}
