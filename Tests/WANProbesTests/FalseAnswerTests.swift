import LinuxIO
import NetworkTypes
import PacketWire
import Testing
import WANModel
import WANProbes

@Suite("Answers that are none", .serialized)
struct FalseAnswerTests {
    /// Sends probe 7 to the silent peer, lets the test answer it, and then answers it truly: only that may count.
    private func scenario(
        lines: ClosedRange<Int> = 1...1,
        _ answer: (Responder, Responder.Request) throws -> Void
    ) throws -> ProbeBench {
        let netns = try ProbeNetns(lines: lines)
        try netns.silencePeer()
        let bench = try ProbeBench()
        for line in lines { try bench.attach(netns, line: line) }
        let responder = try Responder(in: netns)
        #expect(bench.prober.send(uplink: .first, target: .peer(1), sequence: 7) == .sent)
        let request = try #require(try responder.requests(1).first)
        try answer(responder, request)
        try responder.reply(to: request)
        #expect(try bench.wait { bench.counters().answers == 1 })
        #expect(bench.answers.map(\.answer.sequence) == [7])
        return bench
    }

    @Test("a wrong nonce is forged")
    func wrongNonce() throws {
        let bench = try scenario { responder, request in
            try responder.reply(to: request) { $0.payload?.nonce ^= 1 }
            try responder.reply(to: request) { $0.payload = nil }
        }
        #expect(bench.counters().forged == 2)
    }

    @Test("a wrong sequence in the payload or on the wire is forged")
    func wrongSequence() throws {
        let bench = try scenario { responder, request in
            try responder.reply(to: request) { $0.payload?.sequence = 8 }
            try responder.reply(to: request) { $0.sequence &+= 1 }
            try responder.reply(to: request) { $0.sequence &-= 1 }
        }
        #expect(bench.counters().forged == 3)
    }

    @Test("another source than the target is forged, even with the right nonce")
    func wrongSource() throws {
        let bench = try scenario { responder, request in
            try responder.reply(to: request, from: IPv4Address(10, 1, 0, 3))
        }
        #expect(bench.counters().forged == 1)
    }

    @Test("another identifier does not even wake us: the kernel's filter drops it")
    func wrongIdentifier() throws {
        let bench = try scenario { responder, request in
            try responder.reply(to: request) { $0.identifier &+= 1 }
        }
        #expect(bench.counters().forged == 0)
        #expect(bench.counters().receivedBytes == 44)
    }

    @Test("a wrong checksum is malformed: the kernel lets it through to raw sockets")
    func wrongChecksum() throws {
        let bench = try scenario { responder, request in try responder.reply(to: request, damage: true) }
        #expect(bench.counters().malformed == 1)
    }

    @Test("a second answer to the same probe is a duplicate")
    func duplicate() throws {
        let bench = try scenario { responder, request in try responder.reply(to: request) }
        #expect(try bench.wait { bench.counters().duplicates == 1 })
        #expect(bench.answers.count == 1)
    }

    @Test("an answer over another uplink's interface counts for nobody")
    func otherInterface() throws {
        let netns = try ProbeNetns(lines: 1...2)
        try netns.silencePeer()
        // The peer's way back to the router's address on line 1 leads over line 2.
        try netns.peer.inside {
            try run("ip", "route", "add", "10.1.0.1/32", "via", "10.2.0.1")
            try ProbeNetns.sysctl("net/ipv4/conf/all/rp_filter", "0")
        }
        let bench = try ProbeBench()
        try bench.attach(netns, line: 1)
        try bench.attach(netns, line: 2)
        let responder = try Responder(in: netns)
        #expect(bench.prober.send(uplink: .first, target: .peer(1), sequence: 7) == .sent)
        let request = try #require(try responder.requests(1).first)
        try responder.reply(to: request)
        // A probe over line 2, asked later and answered, shows that the false answer had its time.
        #expect(bench.prober.send(uplink: .second, target: .peer(2), sequence: 8) == .sent)
        try responder.reply(to: try #require(try responder.requests(1).first))
        #expect(try bench.wait { !bench.answers.isEmpty })
        bench.prober.drain()
        #expect(bench.answers.map(\.answer.sequence) == [8])
        #expect(bench.counters(1).answers == 0)
    }

    @Test("an answer after the loss interval is late, and told as such")
    func late() throws {
        let netns = try ProbeNetns()
        try netns.silencePeer()
        let bench = try ProbeBench()
        try bench.attach(netns)
        let responder = try Responder(in: netns)
        let sent = Clock.boottime()
        _ = bench.prober.send(
            uplink: .first, target: .peer(1), sequence: 7, lossInterval: .milliseconds(40))
        let request = try #require(try responder.requests(1).first)
        while Clock.boottime() < sent + 60_000_000 { try bench.loop.turn(timeout: 10) }
        try responder.reply(to: request)
        #expect(try bench.wait { !bench.answers.isEmpty })
        let answer = try #require(bench.answers.first?.answer)
        #expect(answer.late)
        #expect(answer.rtt >= .milliseconds(60))
        #expect(bench.counters().late == 1)
    }

    @Test("answers to a socket that was attached anew are nobody's")
    func reattached() throws {
        let netns = try ProbeNetns()
        try netns.silencePeer()
        let bench = try ProbeBench()
        try bench.attach(netns)
        let responder = try Responder(in: netns)
        _ = bench.prober.send(uplink: .first, target: .peer(1), sequence: 7)
        let old = try #require(try responder.requests(1).first)
        try bench.attach(netns)
        try responder.reply(to: old)
        _ = bench.prober.send(uplink: .first, target: .peer(1), sequence: 8)
        try responder.reply(to: try #require(try responder.requests(1).first))
        #expect(try bench.wait { !bench.answers.isEmpty })
        #expect(bench.answers.map(\.answer.sequence) == [8])
        #expect(bench.counters().sent == 2, "counters go on")
    }

    @Test("an ICMP error about a probe does not even wake us: what it says is no proof")
    func refusals() throws {
        let bench = try scenario { responder, request in try responder.refuse(request) }
        #expect(bench.counters().forged == 0 && bench.counters().malformed == 0)
        #expect(bench.counters().receivedBytes == 44)
    }
}
