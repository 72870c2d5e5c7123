import LinuxIO
import NetworkTypes
import Testing
import WANLab

extension LabTests {
    @Suite("Its clients", .serialized)
    struct Clients {
        @Test("a silence of 300 ms is an outage of 300 ms", arguments: [ClientProber.Flow.established, .fresh()])
        func silence(flow: ClientProber.Flow) throws {
            let lab = try Lab.build(.perfect)
            try lab.routePlainly(over: .ftth)
            let prober = try ClientProber.start(in: lab, flow: flow)
            try eventually {
                try prober.snapshot().answered == 0 ? try prober.isAnswered(within: .milliseconds(20)) : true
            }
            try lab.setFault(.ftth, .silence(.milliseconds(300)))
            try eventually { try !prober.isAnswered(within: .milliseconds(100)) }
            try eventually { try prober.isAnswered(within: .milliseconds(10)) }
            let report = try prober.stop()
            #expect(report.outages.count == 1)
            #expect((280...320).contains(report.longestOutageMilliseconds), "\(report.outages)")
            #expect(report.longestOutage?.isOpen == false)
            #expect(report.byUplink == [.ftth: report.answered])
            #expect(report.lost > 100)
            #expect(report.wrongSourceCount == 0)
        }

        @Test("a change of route by hand shows in the timeline, and without NAT as wrong sources")
        func routeChange() throws {
            let lab = try Lab.build(.perfect)
            try lab.routePlainly(over: .ftth)
            let prober = try ClientProber.start(in: lab)
            try eventually { try prober.isAnswered(within: .milliseconds(10)) }
            try lab.routePlainly(over: .jcom)
            try eventually { try prober.stopped(after: 50) }
            try lab.mustRun(in: .router, ["nft", "flush", "chain", "ip", "lab-plain", "translate"])
            let fresh = try ClientProber.start(in: lab, flow: .fresh())
            try eventually { try lab.wrongSources()[.jcom] ?? 0 > 5 }
            let untranslated = try fresh.stop(grace: .milliseconds(20))
            #expect(untranslated.wrongSources[.jcom] ?? 0 > 5)
            let report = try prober.stop()
            #expect(report.timeline.prefix(2).map(\.uplink) == [.ftth, .jcom])
        }

        @Test("a long connection stalls in a silence and goes on")
        func connection() throws {
            let lab = try Lab.build(.perfect)
            try lab.routePlainly(over: .ftth)
            let connection = try ClientConnection.start(in: lab)
            try eventually { try connection.snapshot().echoed >= 3 }
            try lab.setFault(.ftth, .silence(.milliseconds(300)))
            try eventually { try connection.snapshot().longestStall > 200 }
            let echoed = try connection.snapshot().echoed
            try eventually { try connection.snapshot().echoed > echoed + 10 }
            let report = try connection.stop()
            #expect(report.brokenBy == nil)
            #expect((200...900).contains(report.longestStall), "\(report.longestStall) ms")
        }

        @Test("a connection that nobody answers fails in words")
        func noConnection() throws {
            let lab = try Lab.build(.perfect)
            #expect(throws: LabError("connect to the content server", "no answer within 0.2 seconds")) {
                try ClientConnection.start(at: lab.clientSite, patience: .milliseconds(200))
            }
        }
    }
}

extension ClientProber {
    /// Whether so many datagrams went by JCOM.
    func stopped(after count: Int) throws -> Bool { try snapshot().timeline.contains { $0.uplink == .jcom } }
}
