import LinuxIO
import NetworkTypes
import PacketWire
import Testing
import WANModel
import WANProbes

@Suite("A prober and a real kernel at the other end", .serialized)
struct ProberTests {
    @Test("every probe is answered once, with an RTT that a veth can have")
    func answered() throws {
        let netns = try ProbeNetns(lines: 1...3)
        let bench = try ProbeBench()
        for line in 1...3 { try bench.attach(netns, line: line) }
        let began = Moment(nanoseconds: Clock.boottime())
        for sequence in 0..<30 as Range<UInt64> {
            let line = UInt8(sequence % 3) + 1
            #expect(
                bench.prober.send(uplink: UplinkNumber(rawValue: line), target: .peer(line), sequence: sequence)
                    == .sent)
        }
        #expect(try bench.wait { bench.answers.count == 30 })
        let ended = Moment(nanoseconds: Clock.boottime())
        #expect(Set(bench.answers.map(\.answer.sequence)) == Set(0..<30))
        for (uplink, answer) in bench.answers {
            #expect(answer.target == .peer(uplink.rawValue))
            #expect(UInt64(uplink.rawValue) == answer.sequence % 3 + 1)
            #expect(answer.rtt > .zero && answer.rtt < .milliseconds(50), "\(answer.rtt)")
            #expect(answer.receivedAt > began && answer.receivedAt < ended)
            #expect(!answer.late)
        }
        for line in 1...3 as ClosedRange<UInt8> {
            #expect(bench.counters(line).sentBytes == 440)
            #expect(bench.counters(line).receivedBytes == 440)
            #expect(bench.counters(line).answers == 10)
        }
    }

    @Test("a batch of 200 goes out whole and comes back whole")
    func batch() throws {
        let netns = try ProbeNetns()
        let bench = try ProbeBench()
        try bench.attach(netns)
        let requests = (0..<200).map {
            ProbeRequest(target: .peer(1, host: $0 % 2 == 0 ? 2 : 3), sequence: UInt64($0))
        }
        bench.prober.send(uplink: .first, requests) { index, failure in Issue.record("\(index): \(failure)") }
        #expect(try bench.wait { bench.answers.count == 200 })
        for (_, answer) in bench.answers {
            #expect(answer.target == .peer(1, host: answer.sequence % 2 == 0 ? 2 : 3))
            #expect(answer.rtt < .milliseconds(50))
        }
    }

    @Test("exactly the probes that the peer's firewall drops stay unanswered")
    func exactLosses() throws {
        let netns = try ProbeNetns()
        try netns.nftAtPeer(
            "table ip t { chain c { type filter hook input priority 0; icmp type echo-request icmp sequence { 2, 5 } drop; }; }"
        )
        let bench = try ProbeBench()
        try bench.attach(netns)
        for sequence in 0..<8 as Range<UInt64> {
            _ = bench.prober.send(uplink: .first, target: .peer(1), sequence: sequence)
        }
        #expect(try bench.wait { bench.answers.count == 6 })
        // A last one, behind which nothing can still be under way.
        _ = bench.prober.send(uplink: .first, target: .peer(1), sequence: 8)
        #expect(try bench.wait { bench.answers.last?.answer.sequence == 8 })
        #expect(bench.answers.map(\.answer.sequence) == [0, 1, 3, 4, 6, 7, 8])
    }

    @Test("an answer that is read late has the RTT of when it came, not of when it was read")
    func kernelStamp() throws {
        let netns = try ProbeNetns()
        let bench = try ProbeBench()
        try bench.attach(netns)
        // The kernel begins to stamp some milliseconds after the first socket of the machine asked for it: it has to patch its
        // own code, and leaves that to a worker (net_enable_timestamp). Until then the stamp is that of reading.
        var rtts: [Duration] = []
        for sequence in 0..<20 as Range<UInt64> {
            _ = bench.prober.send(uplink: .first, target: .peer(1), sequence: sequence)
            let busy = Clock.boottime() + 60_000_000
            while Clock.boottime() < busy {}
            bench.prober.drain()
            let answer = try #require(bench.answers.last?.answer)
            #expect(answer.sequence == sequence)
            rtts.append(answer.rtt)
            if answer.rtt < .milliseconds(30) {
                #expect(answer.receivedAt < Moment(nanoseconds: busy - 30_000_000))
                return
            }
        }
        Issue.record("never: \(rtts)")
    }

    @Test("drain reads what has arrived without a turn of the loop")
    func drain() throws {
        let netns = try ProbeNetns()
        let bench = try ProbeBench()
        try bench.attach(netns)
        _ = bench.prober.send(uplink: .first, target: .peer(1), sequence: 1)
        let deadline = Clock.boottime() + 2_000_000_000
        while bench.answers.isEmpty, Clock.boottime() < deadline { bench.prober.drain() }
        #expect(bench.answers.map(\.answer.sequence) == [1])
    }

    @Test("so many answers that the clock collects them, and the socket wakes us again when it is calm")
    func busy() throws {
        let netns = try ProbeNetns()
        let bench = try ProbeBench()
        try bench.attach(netns)
        var sequence: UInt64 = 0
        let end = Clock.boottime() + 400_000_000
        while Clock.boottime() < end {
            _ = bench.prober.send(uplink: .first, target: .peer(1), sequence: sequence)
            sequence += 1
            try bench.loop.turn(timeout: 1)
        }
        #expect(try bench.wait { bench.answers.count == Int(sequence) })
        #expect(Set(bench.answers.map(\.answer.sequence)).count == Int(sequence))
        #expect(bench.counters().forged == 0)
        // Half a second of silence, then one probe.
        let calm = Clock.boottime() + 500_000_000
        while Clock.boottime() < calm { try bench.loop.turn(timeout: 50) }
        _ = bench.prober.send(uplink: .first, target: .peer(1), sequence: sequence)
        #expect(try bench.wait { bench.answers.count == Int(sequence) + 1 })
    }
}
