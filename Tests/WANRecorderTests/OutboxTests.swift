import Testing
import WANControl
import WANDaemon

@Suite("what the daemon has for its recorder")
struct OutboxTests {
    private func event(_ text: String) -> EventReport {
        EventReport(at: Timestamp(unixMilliseconds: 0), kind: "up", text: text)
    }

    private func all(_ outbox: inout Outbox) -> [String] {
        var sent: [String] = []
        while let frame = outbox.next() { sent.append("\(frame.kind) \(frame.number)") }
        return sent
    }

    @Test("state, policy, events: each thing once, and again on a new connection what was not kept")
    func order() {
        var outbox = Outbox()
        for text in ["a", "b", "c"] { outbox.append(event(text)) }
        outbox.keep([1], as: .policy)
        outbox.keep([2], as: .state)
        #expect(all(&outbox) == ["state 2", "policy 1", "event 1", "event 2", "event 3"])
        #expect(all(&outbox) == [] && outbox.isWaiting)
        outbox.stored(.event, upTo: 2)
        outbox.stored(.policy, upTo: 1)
        outbox.sendAgain()
        #expect(all(&outbox) == ["state 2", "event 3"])
        outbox.stored(.event, upTo: 3)
        outbox.stored(.state, upTo: 2)
        #expect(!outbox.isWaiting)
        outbox.sendAgain()
        #expect(all(&outbox) == [])
    }

    @Test("of a file only the newest counts, also while an older one is on its way")
    func newest() {
        var outbox = Outbox()
        outbox.keep([1], as: .state)
        #expect(outbox.next() == RecordFrame(.state, number: 1, body: [1]))
        outbox.keep([2], as: .state)
        outbox.stored(.state, upTo: 1)
        #expect(outbox.next() == RecordFrame(.state, number: 2, body: [2]))
        outbox.keep([3], as: .state)
        #expect(outbox.next() == RecordFrame(.state, number: 3, body: [3]))
        outbox.stored(.state, upTo: 2)
        #expect(outbox.isWaiting)
        outbox.stored(.state, upTo: 3)
        #expect(!outbox.isWaiting && outbox.next() == nil)
    }

    @Test("a recorder that stands still costs the oldest events, by number and by size")
    func bounded() {
        var outbox = Outbox()
        for number in 1...1500 { outbox.append(event("\(number)")) }
        #expect(outbox.events.count <= Outbox.mostEvents + 100 && outbox.events.last?.text == "1500")
        #expect(all(&outbox).first == "event 501")
        let long = String(repeating: "x", count: 1000)
        for _ in 1...1500 { outbox.append(event(long)) }
        #expect(outbox.events.count < Outbox.mostBytes / 1000)
        #expect(all(&outbox).last == "event 3000")
        outbox.stored(.event, upTo: 3000)
        #expect(!outbox.isWaiting)
    }

    @Test("one that only takes is standing still: what is sent is no progress")
    func progress() {
        var outbox = Outbox()
        outbox.keep([1], as: .state)
        #expect(all(&outbox) == ["state 1"])
        let before = outbox.progress
        outbox.keep([2], as: .state)
        #expect(all(&outbox) == ["state 2"] && outbox.progress == before)
        outbox.stored(.state, upTo: 1)
        #expect(outbox.progress != before)
    }

    @Test("an event that is too long for all is nothing to be sent")
    func tooLong() {
        var outbox = Outbox()
        outbox.append(event(String(repeating: "x", count: Outbox.mostBytes)))
        #expect(outbox.next() == nil && !outbox.hasUnsent)
    }

    @Test("events of earlier runs stand before its own, and make way for them")
    func earlier() {
        var outbox = Outbox()
        outbox.append(event("own"))
        outbox.earlier = (1...2000).map { event("\($0)") }
        #expect(outbox.events.count == 1000)
        #expect(outbox.events.suffix(2).map(\.text) == ["2000", "own"])
        for _ in 1...1200 { outbox.append(event("more")) }
        #expect(outbox.events.count <= 1100 && outbox.events.allSatisfy { $0.text == "more" })
    }
}
