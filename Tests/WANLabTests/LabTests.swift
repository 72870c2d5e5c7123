import LinuxIO
import NetworkTypes
import Testing
import WANLab

/// All tests that build a lab; one after the other, because they measure.
@Suite("The lab", .serialized)
struct LabTests {
    /// Milliseconds of the round trips that `ping` printed, and how many of its questions were lost.
    func ping(_ lab: Lab, over uplink: LabUplink, _ target: IPv4Address, count: Int = 1, interval: String = "0.01")
        throws
        -> [Double]
    {
        let result = try lab.run(
            in: .router,
            [
                "ping", "-n", "-c", "\(count)", "-i", interval, "-W", "1", "-I", uplink.interface, target.description,
            ])
        return result.output.split(separator: "\n").compactMap { line in
            line.split(separator: " ").first { $0.hasPrefix("time=") }.flatMap { Double($0.dropFirst(5)) }
        }
    }

    /// JCOM's gateway has to be told; on a point-to-point link the interface says it all.
    func addUplinkRoutes(_ lab: Lab) throws {
        try lab.mustRun(
            in: .router,
            ["ip", "route", "add", "default", "via", "192.168.3.1", "dev", "wlan0", "metric", "500"])
    }

    @Test("answers over each uplink, from its own address")
    func topology() throws {
        let lab = try Lab.build(.perfect)
        try addUplinkRoutes(lab)
        for uplink in LabUplink.allCases {
            for target in LabAddress.targets + [LabAddress.content] {
                #expect(try ping(lab, over: uplink, target).count == 1, "\(uplink) \(target)")
            }
        }
        #expect(try ping(lab, over: .soracom, LabAddress.soracomMetadata).count == 1)
        #expect(try ping(lab, over: .ftth, LabAddress.soracomMetadata, count: 1).isEmpty)
        #expect(try lab.wrongSources() == [.ftth: 0, .jcom: 0, .soracom: 0])
        try lab.tearDown()
        #expect(!Files.exists(lab.directory))
        for place in LabPlace.allCases { #expect(!Files.exists(lab.namespacePath(place))) }
    }
}
