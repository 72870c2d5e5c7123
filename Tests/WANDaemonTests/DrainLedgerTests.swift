import NetworkTypes
import PacketWire
import Testing
import WANModel

@testable import WANDaemon

@Suite("when a drain is over")
struct DrainLedgerTests {
    private func flow(
        _ port: UInt16, transport: UInt8 = 17, timeout: UInt32, bytes: UInt64? = nil, offloaded: Bool = false
    ) -> ConntrackEntry {
        let host = IPAddress.v4(IPv4Address(192, 168, 0, 200))
        let server = IPAddress.v4(IPv4Address(192, 0, 2, 10))
        let address = IPAddress.v4(IPv4Address(10, 1, 2, 3))
        var entry = ConntrackEntry(
            original: .init(
                source: host, destination: server, transport: transport, sourcePort: port, destinationPort: 7),
            reply: .init(
                source: server, destination: address, transport: transport, sourcePort: 7, destinationPort: port))
        entry.timeout = timeout
        entry.status = offloaded ? [.seenReply, .offloaded] : [.seenReply]
        if transport == 6 { entry.tcpState = 3 }  // TCP_CONNTRACK_ESTABLISHED
        if let bytes { entry.originalCounters = .init(packets: 1, bytes: bytes) }
        return entry
    }

    private func ledger(
        metered: Bool = false, idle: Duration = .seconds(30), limit: UInt64? = nil
    ) -> DrainLedger {
        var limits = Failover.Drain()
        limits.idle = idle
        limits.meteredBytes = limit
        return DrainLedger(isMetered: metered, limits: limits, interfaceBytes: 1000)
    }

    private func moment(_ seconds: Int64) -> Moment { .zero + .seconds(seconds) }

    @Test("it is over when no old flow is left; new ones that were sent there by a rule do not count")
    func empty() {
        var ledger = ledger()
        var found = ledger.look(at: [flow(1, timeout: 30), flow(2, timeout: 30)], interfaceBytes: 1000, now: moment(0))
        {
            $0.original.sourcePort == 1
        }
        #expect(found.flows == 1 && found.settled == nil)
        found = ledger.look(at: [flow(2, timeout: 30)], interfaceBytes: 1000, now: moment(1)) { _ in true }
        #expect(found.flows == 0 && found.settled == "no old flow is left", "what it was once judged to be it stays")
    }

    @Test("a flow whose time-out only runs down is idle; each packet sets it anew")
    func idle() {
        var ledger = ledger()
        for second in 0..<40 {
            let isQuiet = second > 5
            let timeout = UInt32(isQuiet ? 125 - second : 120)
            let found = ledger.look(at: [flow(1, timeout: timeout)], interfaceBytes: 0, now: moment(Int64(second))) {
                _ in
                true
            }
            // That it fell silent is known to a second or two.
            #expect((found.settled != nil) == (second >= 35) || (33...36).contains(second), "second \(second)")
        }
    }

    @Test("a quiet connection holds a drain open where the line costs nothing, and not where it does")
    func quietConnection() {
        for metered in [false, true] {
            var ledger = ledger(metered: metered)
            var found: DrainLedger.Finding?
            for second in 0..<40 {
                found = ledger.look(
                    at: [flow(1, transport: 6, timeout: UInt32(432_000 - second))], interfaceBytes: 0,
                    now: moment(Int64(second))
                ) { _ in true }
            }
            #expect((found?.settled != nil) == metered)
        }
    }

    @Test("what a flowtable carries is never idle")
    func offloaded() {
        var ledger = ledger(metered: true)
        var found: DrainLedger.Finding?
        for second in 0..<60 {
            found = ledger.look(
                at: [flow(1, timeout: UInt32(86400 - second), offloaded: true)], interfaceBytes: 0,
                now: moment(Int64(second))
            ) { _ in true }
        }
        #expect(found?.settled == nil)
    }

    @Test("octets count from the beginning of the drain, also those of flows that have ended since")
    func octets() {
        var ledger = ledger(metered: true, limit: 5000)
        func look(_ second: Int64, _ flows: [ConntrackEntry]) -> DrainLedger.Finding {
            ledger.look(at: flows, interfaceBytes: 0, now: moment(second)) { _ in true }
        }
        #expect(look(0, [flow(1, timeout: 30, bytes: 100_000), flow(2, timeout: 30, bytes: 7)]).bytes == 0)
        #expect(look(1, [flow(1, timeout: 30, bytes: 102_000), flow(2, timeout: 30, bytes: 1007)]).bytes == 3000)
        #expect(look(2, [flow(2, timeout: 30, bytes: 2007)]).bytes == 4000)
        #expect(look(3, [flow(2, timeout: 30, bytes: 3008)]).settled == "its old flows have used up their 5000 octets")
    }

    @Test("where the kernel counts no octets of flows, those of the interface do")
    func interfaceOctets() {
        var ledger = ledger(metered: true, limit: 5000)
        let found = ledger.look(at: [flow(1, timeout: 30)], interfaceBytes: 7001, now: moment(1)) { _ in true }
        #expect(found.bytes == 6001 && found.settled != nil)
    }
}

@Suite("which class a tracked flow belongs to")
struct FlowClassesTests {
    @Test("by its rule where that can be known; by all that may have matched where it cannot; a forwarded one by none")
    func places() {
        var policy = Policy()
        policy.uplinks = [Uplink(name: "a", interface: "ppp0"), Uplink(name: "b", interface: "ppp1")]
        policy.failover.order = [Failover.Step("a"), Failover.Step("b")]
        func rule(_ name: String, _ otherwise: PolicyRule.Otherwise, _ change: (inout PolicyRule.Match) -> Void) {
            var match = PolicyRule.Match()
            change(&match)
            policy.rules.append(PolicyRule(name: name, match: match, order: [Failover.Step("b")], otherwise: otherwise))
        }
        rule("calls", .default) {
            $0.transport = 17; $0.ports = [5060...5060]
        }
        rule("marked", .drop) { $0.dscp = 46 }
        rule("backup", .reject) {
            $0.transport = 6; $0.ports = [873...873]
        }
        let classes = FlowClasses(policy)
        func places(_ transport: UInt8, _ port: UInt16, _ status: ConntrackEntry.Status = []) -> Set<Int> {
            let host = IPAddress.v4(IPv4Address(192, 168, 0, 200))
            let server = IPAddress.v4(IPv4Address(192, 0, 2, 10))
            var entry = ConntrackEntry(
                original: .init(
                    source: host, destination: server, transport: transport, sourcePort: 40000, destinationPort: port),
                reply: .init(
                    source: server, destination: host, transport: transport, sourcePort: port, destinationPort: 40000))
            entry.status = status
            return classes.classIndices(of: entry)
        }
        #expect(places(17, 5060) == [1])
        #expect(places(6, 873) == [2, 3])
        #expect(places(6, 80) == [0, 2])
        #expect(places(6, 873, .destinationTranslated) == [0])
    }
}
