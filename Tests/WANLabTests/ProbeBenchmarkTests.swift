import LinuxIO
import Testing
import WANLab

@Suite("The probe benchmark")
struct ProbeBenchmarkTests {
    @Test(
        "both sides ask what they should, and all of it is answered",
        .enabled(if: Files.exists("/usr/bin/fping"), "install fping"))
    func small() throws {
        var benchmark = ProbeBenchmark()
        benchmark.targets = 50
        benchmark.seconds = 1
        benchmark.pairs = 1
        let report = try benchmark.run()
        #expect(report.ours.map(\.probes) == [500])
        #expect(report.ours.map(\.answered) == [500])
        #expect(report.fping.map(\.probes) == [500])
        #expect(report.fping.map(\.answered) == [500])
        #expect(report.ratio > 0)
    }
}
