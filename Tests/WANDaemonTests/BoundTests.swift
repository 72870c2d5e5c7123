import LinuxIO
import NetworkTypes
import TestSupport
import Testing
import WANControl
import WANDaemon
import WANModel

@Suite("what comes from elsewhere is bounded")
struct BoundTests {
    private let endless = String(repeating: "x", count: 100_000)

    @Test("an event's text is cut before it stands in the journal")
    func event() throws {
        let (directory, loop) = (try TemporaryDirectory(), try EventLoop())
        let log = Log(hasPrefix: false, isVerbose: false)
        let recorder = Recorder(loop: loop, alarms: Alarms(log: log), directory: directory.path)
        recorder.note(EventReport(at: .now(), kind: "started", text: endless))
        loop.schedule(at: Clock.boottime() + 1_000_000) { loop.stop() }
        try loop.run()
        #expect(try Files.read("\(directory.path)/journal.jsonl").count < 2000)
    }

    @Test("another program that changes ours each moment gives no more than eight reasons")
    func repairs() {
        var repairs = Repairs()
        for number in 0..<1000 { repairs.need(.plane, because: ["change \(number)"], at: .zero) }
        #expect(repairs.take(at: .zero).map(\.reasons.count) == [8])
    }

    @Test("a datagram that is no hello fills no more than a line")
    func oddity() {
        #expect(PeerOddity.unreadable(node: "sub", problem: endless).text.count < 250)
    }
}
