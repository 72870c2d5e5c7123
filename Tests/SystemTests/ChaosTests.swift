import Glibc
import LinuxIO
import TestSupport
import Testing
import WANLab

extension DaemonInLab {
    @Suite("Chaos", .serialized)
    struct ChaosRounds {
        /// A round that is known, whatever is random on other days.
        @Test("a round ends whole and is summed up", arguments: [[], ["--two-boxes"]])
        func round(more: [String]) throws {
            let program = try LabProgram(["chaos", "--seed", "1"] + more)
            let status = program.end()
            let said = try program.said()
            #expect(status == 0, "\(said)")
            #expect(said.contains("1, whole after each") && said.contains("slowest in round 1"), "\(said)")
        }

        @Test("what is left behind is found, told with its story and the seed, and the exit code is 1")
        func leftBehind() throws {
            let id = "x\(UInt32.random(in: .min ... .max))"
            let program = try LabProgram(["chaos", "--seed", "1", "--minutes", "0.5", "--id", id])
            try program.waitFor("round 1 ")
            let router = LabPlace.router.namespace(of: id)
            _ = try Command.run(["ip", "-n", router, "addr", "add", "10.97.0.1/32", "dev", "lo"])
            let status = program.end()
            let said = try program.said()
            #expect(status == 1 << 8, "\(said)")
            #expect(said.contains("too many: address lo inet 10.97.0.1/32"), "\(said)")
            #expect(said.contains("everything is healed") && said.contains("router  wanctld: "), "its story: \(said)")
            #expect(said.contains("play it again: wanctl-lab chaos --seed 2\n"), "\(said)")
        }

        /// In the first round of two boxes the SIM's line is down, and asked again after a minute: the second one is shorter.
        @Test("interrupted, it leaves nothing and says 130", arguments: [(1, []), (2, ["--two-boxes"])])
        func interrupted(seed: Int, more: [String]) throws {
            let id = "x\(UInt32.random(in: .min ... .max))"
            let program = try LabProgram(["chaos", "--seed", "\(seed)", "--minutes", "5", "--id", id] + more)
            try program.waitFor("round \(seed) ")
            program.interrupt()
            #expect(program.end() == 130 << 8)
            #expect(!Files.exists("/run/wanctl-lab/\(id)"))
            for place in LabPlace.allCases { #expect(!Files.exists("/run/netns/\(place.namespace(of: id))")) }
            for place in SitePlace.allCases { #expect(!Files.exists("/run/netns/\(place.namespace(of: id))")) }
            #expect(try !program.said().contains("NOT WHOLE"))
        }
    }
}
