import Glibc
import LinuxIO
import NetworkTypes
import Testing
import WANModel
import WANProbes

@Suite("Interfaces that come and go under a prober", .serialized)
struct InterfaceTests {
    @Test("a vanished interface is a value, and the one that replaces it is attached again")
    func replaced() throws {
        let netns = try ProbeNetns()
        let bench = try ProbeBench()
        try bench.attach(netns)
        let former = try netns.index(of: "line1")
        #expect(bench.prober.send(uplink: .first, target: .peer(1), sequence: 1) == .sent)
        #expect(try bench.wait { bench.answers.count == 1 })
        try netns.removeLine(1)
        #expect(
            bench.prober.send(uplink: .first, target: .peer(1), sequence: 2) == .failed(.interfaceGone))
        try bench.loop.turn(timeout: 0)
        var failures: [ProbeSendFailure] = []
        bench.prober.send(
            uplink: .first, (3..<13).map { ProbeRequest(target: .peer(1), sequence: $0) }
        ) { failures.append($1) }
        #expect(failures == Array(repeating: .interfaceGone, count: 10))

        try netns.addLine(1)
        #expect(try netns.index(of: "line1") != former)
        #expect(
            bench.prober.send(uplink: .first, target: .peer(1), sequence: 13) == .failed(.interfaceGone),
            "the old socket stays with the old interface")
        try bench.attach(netns)
        #expect(bench.prober.send(uplink: .first, target: .peer(1), sequence: 14) == .sent)
        #expect(try bench.wait { bench.answers.count == 2 })
        #expect(bench.counters().sendFailures == 12)
        #expect(bench.counters().sent == 2)
    }

    @Test("attaching by a name that has another ifindex by now is refused, and what was attached stays")
    func staleIndex() throws {
        let netns = try ProbeNetns()
        let bench = try ProbeBench()
        try bench.attach(netns)
        let error = #expect(throws: SystemCallError.self) {
            try netns.router.inside { () throws(SystemCallError) in
                try bench.prober.attach(
                    uplink: .first, interface: "line1", ifindex: InterfaceIndex(rawValue: 4711), mark: nil)
            }
        }
        #expect(error?.errno == ENODEV)
        #expect(bench.prober.send(uplink: .first, target: .peer(1), sequence: 1) == .sent)
        #expect(try bench.wait { bench.answers.count == 1 })
    }

    @Test("no interface of that name: ENODEV, with the name")
    func noInterface() throws {
        let netns = try ProbeNetns()
        let bench = try ProbeBench()
        let error = #expect(throws: SystemCallError.self) {
            try netns.router.inside { () throws(SystemCallError) in
                try bench.prober.attach(
                    uplink: .first, interface: "ppp9", ifindex: InterfaceIndex(rawValue: 1), mark: 0x10000)
            }
        }
        #expect(error?.errno == ENODEV)
        #expect(error?.subject == "ppp9")
        #expect(bench.prober.send(uplink: .first, target: .peer(1), sequence: 1) == .failed(.notAttached))
    }

    @Test("an interface that is down, without a route, or shut by a firewall: each has its name")
    func failures() throws {
        let netns = try ProbeNetns()
        let bench = try ProbeBench()
        try bench.attach(netns)
        try netns.router.inside {
            try run("nft", "table ip t { chain c { type filter hook output priority 0; ip protocol icmp drop; }; }")
        }
        #expect(bench.prober.send(uplink: .first, target: .peer(1), sequence: 1) == .failed(.forbidden))
        try netns.router.inside {
            try run("nft", "delete table ip t")
            try run("ip", "link", "set", "line1", "down")
        }
        let down = bench.prober.send(uplink: .first, target: .peer(1), sequence: 2)
        #expect([.failed(.interfaceDown), .failed(.noRoute)].contains(down), "\(down)")
        #expect(bench.prober.send(uplink: .first, target: .peer(9), sequence: 3) == .failed(.noRoute))
        #expect(
            bench.prober.send(uplink: .first, target: .v6(IPv6Address(high: 1, low: 1)), sequence: 4)
                == .failed(.unsupportedFamily))
        try netns.router.inside { try run("ip", "link", "set", "line1", "up") }
        #expect(bench.prober.send(uplink: .first, target: .peer(1), sequence: 5) == .sent)
        #expect(try bench.wait { bench.answers.count == 1 })
    }

    @Test("in a batch, one that fails does not hold up the others")
    func partialBatch() throws {
        let netns = try ProbeNetns()
        let bench = try ProbeBench()
        try bench.attach(netns)
        try netns.router.inside {
            try run("nft", "table ip t { chain c { type filter hook output priority 0; ip daddr 10.9.0.2 drop; }; }")
        }
        let bad: Set<Int> = [0, 3, 4, 9]
        let requests = (0..<10).map {
            $0 == 9
                ? ProbeRequest(target: .v6(IPv6Address(high: 1, low: 1)), sequence: 9)
                : ProbeRequest(target: .peer(bad.contains($0) ? 9 : 1), sequence: UInt64($0))
        }
        var failures: [Int: ProbeSendFailure] = [:]
        bench.prober.send(uplink: .first, requests) { failures[$0] = $1 }
        #expect(failures == [0: .forbidden, 3: .forbidden, 4: .forbidden, 9: .unsupportedFamily])
        #expect(try bench.wait { bench.answers.count == 6 })
        #expect(bench.answers.map(\.answer.sequence) == [1, 2, 5, 6, 7, 8])
    }

    @Test("mark and DSCP are on the packets")
    func mark() throws {
        let netns = try ProbeNetns()
        let bench = try ProbeBench()
        let index = try netns.index(of: "line1")
        try netns.router.inside { () throws in
            try run(
                "nft",
                "table ip t { chain c { type filter hook output priority 0; ip protocol icmp meta mark != 0x10000 drop; "
                    + "ip protocol icmp ip dscp != cs6 drop; }; }"
            )
            try bench.prober.attach(
                uplink: .first, interface: "line1", ifindex: index, mark: 0x10000, typeOfService: 0xc0)
        }
        #expect(bench.prober.send(uplink: .first, target: .peer(1), sequence: 1) == .sent)
        #expect(try bench.wait { bench.answers.count == 1 })
    }

    @Test("a path probe follows the routes and tells which interface answered")
    func pathProbe() throws {
        let netns = try ProbeNetns(lines: 1...2)
        let target = IPAddress.v4(IPv4Address(192, 0, 2, 9))
        try netns.peer.inside { try run("ip", "address", "add", "192.0.2.9/32", "dev", "lo") }
        let bench = try ProbeBench()
        let probe = PathProbe(loop: bench.loop)
        var answers: [PathProbe.Answer] = []
        probe.onAnswer = { answers.append($0) }
        #expect(probe.send(target) == .failed(.notAttached))
        for line in 1...2 {
            try netns.router.inside { () throws in
                try run("ip", "route", "replace", "default", "via", "10.\(line).0.2")
                try probe.begin()
            }
            #expect(probe.send(target) == .sent)
            #expect(try bench.wait { answers.count == line })
            #expect(answers.last?.target == target)
            #expect(answers.last?.interface == (try netns.index(of: "line\(line)")))
            #expect((answers.last?.rtt ?? .zero) < .milliseconds(50))
        }
        #expect(probe.counters.bytes == 4 * 44)
        probe.end()
        #expect(probe.send(target) == .failed(.notAttached))
    }
}
