import Glibc
import LinuxIO
import TestSupport
import Testing
import WANControl
import WANLab
import WANModel

@Suite("the daemon starts and its policy file is faulty", .enabled(if: Needs.root, Needs.advice))
struct FaultyStartTests {
    private let faulty = "version: 1\nuplinks:\n  ftth: {interfase: ppp0}\n"

    private func warning(_ world: World) throws -> String {
        try world.status().warnings.first { $0.contains("running with the policy of") } ?? ""
    }

    @Test("it goes on with the last policy that was in force, says so, and a reload takes the mended one")
    func goesOn() throws {
        let world = try World.running()
        let client = try ClientProber.start(in: world.lab)
        try world.waitTraffic(of: client, on: .ftth)
        let before = try world.status().policy.sha256
        try world.write(policy: faulty)
        #expect(try world.daemon.terminate() == .exited(0))
        try world.startDaemon()
        try world.settle()
        #expect(try world.status().policy.sha256 == before)
        let told = try warning(world)
        #expect(told.hasPrefix("\(world.policyPath) cannot be used (\(world.policyPath):3:3: "), "\(told)")
        #expect(told.hasSuffix("mend the file, then `wanctl reload`"), "\(told)")
        #expect(try world.wanctl("status").output.contains("running with the policy of"))
        #expect(try world.log.contains("interfase"))
        #expect(try world.history().contains { $0.kind == "reload" && $0.text.contains("refused (start)") })
        // It decides as ever.
        try world.lab.setFault(.ftth, .blackhole())
        try world.waitTraffic(of: client, on: .jcom)
        try world.lab.clearFaults()
        let refused = try world.wanctl("reload")
        #expect(refused.status == .exited(65))
        #expect(refused.errors.contains("the policy of 20") && refused.errors.contains("stays in force"), "\(refused)")
        #expect(try warning(world) == told)
        for words in [try world.daemonWords("--check"), [try Programs.path("wanctl"), "check", world.policyPath]] {
            #expect(try world.lab.run(in: .router, words).status == .exited(65))
        }
        try world.write(policy: Policies.twoLines())
        #expect(try world.wanctl("reload").succeeded)
        #expect(try world.status().uplinks.map(\.name) == ["ftth", "jcom"])
        #expect(try warning(world) == "")
        #expect(try client.stop().wrongSourceCount == 0)
        // What was taken last is what is kept.
        Files.remove(world.policyPath)
        try world.daemon.kill()
        try world.startDaemon()
        #expect(try world.status().uplinks.map(\.name) == ["ftth", "jcom"])
        let missing = try warning(world)
        #expect(missing.contains("cannot read the policy"), "\(missing)")
    }

    @Test("without a kept policy, with a damaged one or another box's it ends with 65 and touches nothing")
    func ends() throws {
        let world = try World.running()
        try world.write(policy: faulty)
        #expect(try world.daemon.terminate() == .exited(0))
        let before = try world.ours()
        let path = "\(world.stateDirectory)/policy.kept"
        let kept = try Files.read(path)
        let other = try world.lab.run(in: .router, world.daemonWords("--node", "sub"))
        #expect(other.status == .exited(65) && other.errors.contains("interfase"), "\(other)")
        try Files.replace(path, with: Array(kept.dropLast()))
        #expect(try world.lab.run(in: .router, world.daemonWords()).status == .exited(65))
        Files.remove(path)
        #expect(try world.lab.run(in: .router, world.daemonWords()).status == .exited(65))
        #expect(try world.ours() == before)
    }

    @Test("files of the policy that others may write are told of, and taken")
    func trust() throws {
        let world = try World()
        try world.startDaemon()
        #expect(chmod(world.policyPath, 0o666) == 0)
        let reload = try world.wanctl("reload")
        #expect(reload.succeeded)
        #expect((reload.output + reload.errors).contains("chmod go-w \(world.policyPath)"), "\(reload)")
    }
}
