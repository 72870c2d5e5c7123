import Testing
import WANLab

extension LabTests {
    /// Nine seconds, for keepalived's own rhythm: 3.6 s to become master, three losses a second apart.
    @Test("keepalived with the classic scripts switches after seconds")
    func keepalived() throws {
        let lab = try Lab.build()
        let baseline = try KeepalivedBaseline.start(in: lab)
        let reports = try baseline.measureBlackholes(1)
        #expect(reports.count == 1)
        for report in reports {
            #expect((2500...6000).contains(report.longestOutageMilliseconds), "\(report.outages)")
            #expect(report.timeline.map(\.uplink) == [.ftth, .jcom])
        }
    }
}
