import Testing
import WANLab

extension LabTests {
    @Test("keepalived with the classic scripts switches after seconds")
    func keepalived() throws {
        let lab = try Lab.build()
        let baseline = try KeepalivedBaseline.start(in: lab)
        let reports = try baseline.measureBlackholes(5, flow: .established)
        for report in reports {
            print(report.longestOutageMilliseconds, report.lost, report.timeline, report.wrongSources)
        }
    }
}
