import NetworkTypes
import Testing
import WANLab

@Suite("What a prober's record says")
struct ProbeRecordTests {
    let fibre = IPv4Address(198, 51, 100, 10)
    let cable = IPv4Address(203, 0, 113, 20)
    var owners: [IPv4Address: LabUplink] { [fibre: .ftth, cable: .jcom] }

    @Test("an outage lasts from the last answered datagram to the first answered after it")
    func outage() {
        var record = ProbeRecord()
        for place in Int64(0)..<100 {
            let number = record.send(at: place * 2)
            if !(10..<20).contains(place) {
                record.answer(number, from: place < 10 ? fibre : cable, at: place * 2 + 1)
            }
        }
        let report = record.report(owners: owners)
        #expect(report.outages == [Outage(start: 18, end: 40, lost: 10, isOpen: false)])
        #expect(report.sent == 100)
        #expect(report.answered == 90)
        #expect(report.byUplink == [.ftth: 10, .jcom: 80])
        #expect(report.timeline == [ProviderChange(at: 0, uplink: .ftth), ProviderChange(at: 40, uplink: .jcom)])
    }

    @Test("an outage that has not ended is open")
    func openOutage() {
        var record = ProbeRecord()
        let first = record.send(at: 0)
        record.answer(first, from: fibre, at: 1)
        _ = record.send(at: 2)
        _ = record.send(at: 4)
        #expect(record.report(owners: owners).outages == [Outage(start: 0, end: 4, lost: 2, isOpen: true)])
        #expect(record.report(owners: owners, horizon: 0).outages == [])
        #expect(record.report(owners: owners, horizon: 0).sent == 1)
    }

    @Test("duplicates, unknown numbers and unknown sources are told apart")
    func oddAnswers() {
        var record = ProbeRecord()
        let number = record.send(at: 0)
        record.answer(number, from: IPv4Address(192, 168, 0, 200), at: 1)
        record.answer(number, from: fibre, at: 2)
        record.answer(77, from: fibre, at: 3)
        let report = record.report(owners: owners)
        #expect(report.duplicates == 1)
        #expect(report.unknownSources == 1)
        #expect(report.byUplink == [:])
        #expect(report.answered == 1)
    }
}
