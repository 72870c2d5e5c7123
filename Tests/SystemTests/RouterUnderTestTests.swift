import LinuxIO
import Testing
import WANControl
import WANLab
import WANModel

/// All tests that run the real daemon in a lab; one after the other, because they measure.
@Suite("The daemon in a lab", .serialized)
struct DaemonInLab {
    @Test("answers, is killed, comes back with what it remembers, and ends when told")
    func life() throws {
        let lab = try Lab.build(.perfect)
        let router = try RouterUnderTest.start(in: lab)
        #expect(try router.status().isOn(.ftth))
        try router.waitUntil("jcom up") { $0[.jcom]?.state == .up }
        try router.act(.failover(uplink: "jcom"))
        router.kill()
        #expect(!router.isRunning)
        try router.restart()
        #expect(try router.status().pinned?.uplink == "jcom")
        let ending = router.terminate()
        let log = try router.log()
        #expect(ending == .exited(0), "\(log)")
    }

    @Test("finds SORACOM: an API for everybody, the metadata service over its own line")
    func soracom() throws {
        let lab = try Lab.build(.perfect)
        let soracom = try SoracomInLab.start(in: lab, speedClass: "s1.fast")
        let router = try RouterUnderTest.start(in: lab, policy: SamplePolicy.text(soracom: SoracomInLab.policyLines()))
        let deadline = Clock.boottime() + 10_000_000_000
        #expect(soracom.service.wait(until: deadline) { _ in soracom.speedClass == "s1.minimum" })
        #expect(soracom.classChanges.map(\.operation) == [.metadataUpdate])
        #expect(soracom.classChanges.map(\.source) == ["10.1.2.3"])
        #expect(
            soracom.service.wait(until: deadline) { $0.calls.contains { $0.operation == .auth && $0.status == 200 } })
        #expect(soracom.service.violations == [])
        #expect(router.isRunning)
    }
}
