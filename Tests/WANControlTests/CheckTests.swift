import JSONText
import LinuxIO
import Testing
import WANControl

/// Whether this build of wanctl has a policy reader (`policyJudge`).
private func isCheckOffered() throws -> Bool {
    try ProgramRun.wanctl(["--help"], in: try ControlWorld()).output.contains("\n  check ")
}

@Suite("wanctl check", .enabled("this build of wanctl has no policy reader") { try isCheckOffered() })
struct CheckTests {
    private func check(_ policy: String, _ options: [String] = []) throws -> ProgramRun {
        let world = try ControlWorld()
        let file = world.directory + "/policy.yaml"
        try Files.replace(file, with: Array(policy.utf8))
        return try ProgramRun.wanctl(["check", file] + options, in: world)
    }

    @Test("a policy in order is 0, without a daemon")
    func good() throws {
        let run = try check("version: 1\nuplinks:\n  ftth: {interface: ppp0}\nfailover: {order: [ftth]}\n")
        #expect(run.exitCode == 0)
        #expect(run.output.hasSuffix("policy.yaml is in order: uplinks ftth.\n"))
    }

    @Test("all faults are listed with line and column, exit 65")
    func bad() throws {
        let policy = "version: 1\nuplinks:\n  ftth: {interface: ppp0, intervall: 1s}\nfailover: {order: [ftth, jcm]}\n"
        let run = try check(policy)
        #expect(run.exitCode == 65)
        #expect(run.output.contains("policy.yaml:3:27: "))
        #expect(run.output.contains("policy.yaml:4:26: "))
        #expect(run.error.contains("2 faults"))
        let json = try check(policy, ["--json"])
        #expect(json.exitCode == 65)
        let verdict = try JSONValue(parsing: json.output)
        #expect(verdict["accepted"] == false)
        #expect(verdict["faults"]?.array?.compactMap { $0["line"]?.integer } == [3, 4])
    }

    @Test("a file that is not there, or too large, is 65 with the reason")
    func unreadable() throws {
        let world = try ControlWorld()
        let missing = try ProgramRun.wanctl(["check", world.directory + "/policy.yaml"], in: world)
        #expect(missing.exitCode == 65)
        #expect(missing.error.contains("No such file or directory"))
        #expect(try check(String(repeating: "#\n", count: 1 << 20)).exitCode == 65)
    }
}
