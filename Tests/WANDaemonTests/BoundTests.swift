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

    @Test("an event's text is cut before it stands in the history")
    func event() throws {
        let directory = try TemporaryDirectory()
        let recorder = Recorder.alone(try EventLoop(), directory)
        recorder.note(EventReport(at: .now(), kind: "started", text: endless))
        #expect(recorder.events.map(\.text.count) == [1001])
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
