import Glibc
import LinuxIO
import Testing
import WANLab

extension DaemonInLab {
    @Suite("The demonstration", .serialized)
    struct Demonstration {
        @Test(
            "taken down in the middle, it leaves nothing and says 130",
            arguments: ["ways out", "is silent from now on"])
        func interrupted(words: String) throws {
            let id = "d\(UInt32.random(in: .min ... .max))"
            let log = "/tmp/wanctl-demo-\(id).log"
            defer { Files.remove(log) }
            let program = try BackgroundProgram([Siblings.path("wanctl-lab"), "demo", "--id", id], logPath: log)
            let problem = try program.waitUntilReady {
                guard try Files.text(log).contains(words) else { throw LabError("hear \"\(words)\"", "not yet") }
            }
            #expect(problem == nil)
            #expect(Files.exists("/run/wanctl-lab/\(id)"))
            kill(program.pid, SIGINT)
            var status: Int32 = 0
            #expect(waitpid(program.pid, &status, 0) == program.pid)
            #expect(status == 130 << 8)
            #expect(!Files.exists("/run/wanctl-lab/\(id)"))
            for place in LabPlace.allCases { #expect(!Files.exists("/run/netns/\(place.namespace(of: id))")) }
            #expect(try !Files.text(log).contains("did not happen"))
        }
    }
}
